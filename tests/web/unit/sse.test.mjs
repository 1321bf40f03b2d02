import assert from 'node:assert/strict';
import test from 'node:test';

import { SseParser } from '../../../web/src/sse.js';

const STREAM =
  '\uFEFF: hello\nretry: 1500\nid: e-0\nevent: hello\ndata: {"version":"1"}\n\n' +
  'id: e-1\r\nevent: transition\r\ndata: one\r\ndata: two\r\n\r\n' +
  ': heartbeat\n\n' +
  'data:tight\rid:bad\0id\r\r' +
  'event: nothing\n\n' +
  'data\n\n';

const EXPECTED = [
  { event: 'hello', data: '{"version":"1"}', id: 'e-0' },
  { event: 'transition', data: 'one\ntwo', id: 'e-1' },
  { event: 'message', data: 'tight', id: 'e-1' },
  { event: 'message', data: '', id: 'e-1' },
];

test('events_are_read_as_the_standard_has_it', () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push(STREAM), EXPECTED);
  assert.equal(parser.retryMs, 1500);
  assert.equal(parser.lastId, 'e-1');
});

test('however_the_stream_is_cut', () => {
  for (let size = 1; size < 40; size += 1) {
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) {
      events.push(...parser.push(STREAM.slice(at, at + size)));
    }
    assert.deepEqual(events, EXPECTED, `pieces of ${size}`);
  }
});

test('half_an_event_is_none', () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push('id: e-7\nevent: transition\ndata: x\n'), []);
  assert.deepEqual(parser.push('\n'), [{ event: 'transition', data: 'x', id: 'e-7' }]);
});

test('an_event_without_an_end_fills_no_memory', () => {
  const parser = new SseParser();
  const line = `data: ${'x'.repeat(1 << 16)}\n`;
  for (let i = 0; i < 64; i += 1) assert.deepEqual(parser.push(line), []);
  assert.deepEqual(parser.push('\n'), [], 'it is dropped');
  assert.deepEqual(parser.push('data: next\n\n'), [{ event: 'message', data: 'next', id: null }]);
});
