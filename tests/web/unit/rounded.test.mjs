import assert from 'node:assert/strict';
import test from 'node:test';

import * as format from '../../../web/src/format.js';
import {
  agree,
  match,
  NONE,
  readByteRate,
  readBytes,
  readConnectTime,
  readCount,
  readDuration,
  readRate,
  Rounded,
} from '../support/rounded.mjs';

test('equal_numbers_agree_and_others_do_not', () => {
  assert.ok(agree(3, 3) && agree('a', 'a') && agree(0, 0));
  assert.ok(!agree(3, 4) && !agree('a', 'b') && !agree(3, '3') && !agree(0, NONE));
});

test('what_is_missing_agrees_with_nothing_not_even_with_itself', () => {
  for (const missing of [undefined, null, NaN]) {
    assert.ok(!agree(missing, missing) && !agree(missing, 0) && !agree(0, missing));
  }
});

test('a_rounded_number_agrees_with_what_it_may_have_been', () => {
  const rounded = Rounded.around(0.3, 0.05);
  assert.ok(agree(rounded, 0.34) && agree(0.25, rounded) && agree(rounded, rounded));
  assert.ok(!agree(rounded, 0.36) && !agree(rounded, 0) && !agree(rounded, '0.3'));
});

test('connect_times_are_read_as_what_they_were_rounded_up_from', () => {
  const bounds = [1, 2, 5, 5000];
  for (const ms of [0.2, 1, 1.7, 35, 998.3, 1234, 4999]) {
    const text = format.formatConnectTime(ms <= 1 ? 1 : Math.ceil(ms), bounds);
    assert.ok(agree(readConnectTime(text), ms), text);
  }
  assert.ok(agree(readConnectTime(format.formatConnectTime(5001, bounds)), 60_000));
  assert.ok(agree(readConnectTime(format.formatConnectTime(0)), 0));
  assert.equal(readConnectTime(format.formatConnectTime(NaN, bounds)), NONE);
  assert.ok(!agree(readConnectTime('35 ms'), 36) && !agree(readConnectTime('35 ms'), 33.9));
  assert.ok(!agree(readConnectTime('≤1 ms'), 1.1) && !agree(readConnectTime('>5 s'), 4999));
});

test('what_the_page_writes_is_read_as_what_it_was', () => {
  const numbers = [0, 0.01, 0.3, 1, 9.96, 12, 999, 1023, 1024, 1234, 9999, 12_345, 4_560_000];
  for (const number of numbers) {
    const whole = Math.round(number);
    assert.ok(agree(readCount(format.formatCount(whole)), whole), format.formatCount(whole));
    assert.ok(agree(readBytes(format.formatBytes(whole)), whole), format.formatBytes(whole));
    assert.ok(agree(readRate(format.formatRate(number)), number), format.formatRate(number));
    const rate = format.formatByteRate(number);
    assert.ok(agree(readByteRate(rate), number), rate);
    for (const ms of [number, 1000 * number, 60_000 * number]) {
      assert.ok(agree(readDuration(format.formatDuration(ms)), ms), format.formatDuration(ms));
    }
  }
});

test('and_not_as_its_neighbour', () => {
  assert.ok(!agree(readCount('1,234'), 1235));
  assert.ok(!agree(readRate('0.3'), 0.4));
  assert.ok(!agree(readRate('<0.1'), 0) && !agree(readRate('0'), 0.01));
  assert.ok(!agree(readBytes('512 B'), 513) && !agree(readBytes('2.9 KiB'), 3100));
  assert.ok(!agree(readDuration('1 h 59 min'), 2 * 3_600_000 + 60_000));
  assert.ok(!agree(readDuration('12 ms'), 13));
});

test('what_ctl_writes_is_read_too', () => {
  assert.ok(agree(readDuration('1h59m'), 119 * 60_000 + 30_000));
  assert.ok(agree(readDuration('2m05s'), 125_400) && agree(readDuration('4ms'), 4));
  assert.ok(agree(readBytes('2.9KiB'), 3010) && agree(readBytes('700B'), 700));
});

test('a_dash_is_none_and_what_is_not_understood_is_an_error', () => {
  for (const read of [readCount, readRate, readBytes, readDuration]) {
    assert.equal(read('–'), NONE);
    for (const wrong of ['', 'x', '1 2', 'NaN', '3 of 4']) assert.throws(() => read(wrong), wrong);
  }
  assert.throws(() => match('7 sessions, 8 more', /(\d+) sessions/), /not understood/);
});
