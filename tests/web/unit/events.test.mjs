// How the event stream is followed: all times and streams are the test's own.
import assert from 'node:assert/strict';
import test from 'node:test';

import { EventFollower, epochOf, pauseAfter } from '../../../web/src/events.js';

const hello = (id, newest = id) =>
  `retry: 1000\nid: ${id}\nevent: hello\ndata: {"version":"1","newest":"${newest}"}\n\n`;
const transition = (id, to) => `id: ${id}\nevent: transition\ndata: {"to":"${to}"}\n\n`;

// Lets everything happen that can happen now.
const settle = () => new Promise((resolve) => setImmediate(resolve));

// A follower whose streams are given one after another: a list of texts, or an Error for one that
// cannot be opened. A list that ends with `OPEN` stays open.
const OPEN = Symbol('open');

function follow(streams) {
  const told = [];
  const asked = [];
  const timers = new Map();
  let serial = 0;
  const follower = new EventFollower({
    open: async (headers, signal) => {
      asked.push(headers['Last-Event-ID']);
      const stream = streams.shift() ?? [OPEN];
      if (stream instanceof Error) throw stream;
      return (async function* texts() {
        for (const text of stream) {
          if (text !== OPEN) yield text;
          else
            await new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(new Error('cut'))),
            );
        }
      })();
    },
    report: {
      onHello: (how) => told.push(['hello', how]),
      onEvent: (event, { isNews }) => told.push([isNews ? 'event' : 'history', event.to]),
      onMissed: (count) => told.push(['missed', count]),
      onLost: ({ error }) => told.push(['lost', error.message]),
    },
    timers: {
      set: (callback, ms) => {
        timers.set((serial += 1), { callback, ms });
        return serial;
      },
      clear: (handle) => timers.delete(handle),
    },
    random: () => 1,
  });
  const done = follower.run();
  return {
    follower,
    told,
    asked,
    timers,
    // The pause, or the patience, is over.
    async ring() {
      const [[handle, { callback }]] = timers;
      timers.delete(handle);
      callback();
      await settle();
    },
    async stop() {
      follower.stop();
      await done;
    },
  };
}

test('it_asks_for_all_there_is_at_first', async () => {
  const one = follow([[hello('a-0'), transition('a-1', 'open'), OPEN]]);
  await settle();
  assert.deepEqual(one.asked, ['page-0']);
  assert.deepEqual(one.told, [
    ['hello', { isReturn: false, isRestart: false }],
    ['event', 'open'],
  ]);
  assert.equal(one.follower.lastId, 'a-1');
  await one.stop();
});

test('what_was_there_before_it_is_history_and_what_it_missed_is_news', async () => {
  const one = follow([
    [
      hello('a-0', 'a-10'),
      transition('a-9', 'open'),
      transition('a-10', 'half'),
      transition('a-11', 'closed'),
    ],
    [hello('a-11', 'a-12'), transition('a-12', 'open'), OPEN],
  ]);
  await settle();
  await one.ring();
  const events = one.told.filter(([kind]) => ['history', 'event'].includes(kind));
  assert.deepEqual(events, [
    ['history', 'open'],
    ['history', 'half'],
    ['event', 'closed'],
    ['event', 'open'],
  ]);
  await one.stop();
});

test('it_comes_back_with_the_last_id_it_has_seen', async () => {
  const one = follow([
    [hello('a-0'), transition('a-1', 'open')],
    [hello('a-1'), transition('a-2', 'closed'), OPEN],
  ]);
  await settle();
  assert.deepEqual(one.told.at(-1), ['lost', 'the event stream has ended']);
  await one.ring();
  assert.deepEqual(one.asked, ['page-0', 'a-1']);
  assert.deepEqual(one.told.slice(-2), [
    ['hello', { isReturn: true, isRestart: false }],
    ['event', 'closed'],
  ]);
  await one.stop();
});

test('another_epoch_is_a_restart', async () => {
  const one = follow([[hello('a-7')], [hello('b-0'), transition('b-1', 'open'), OPEN]]);
  await settle();
  await one.ring();
  assert.deepEqual(one.told.slice(-2), [
    ['hello', { isReturn: true, isRestart: true }],
    ['event', 'open'],
  ]);
  assert.equal(one.follower.lastId, 'b-1');
  await one.stop();
});

test('half_an_event_before_a_loss_is_asked_for_again', async () => {
  const one = follow([[hello('a-0'), 'id: a-1\nevent: transition\ndata: {"to":'], [OPEN]]);
  await settle();
  await one.ring();
  assert.deepEqual(one.asked, ['page-0', 'a-0']);
  await one.stop();
});

test('what_is_gone_for_good_is_told', async () => {
  const one = follow([[hello('a-0'), 'event: missed\ndata: {"missed":12}\n\n', OPEN]]);
  await settle();
  assert.deepEqual(one.told.at(-1), ['missed', 12]);
  await one.stop();
});

test('a_silence_is_a_loss', async () => {
  const one = follow([[hello('a-0'), OPEN], [OPEN]]);
  await settle();
  assert.equal(one.timers.size, 1);
  await one.ring();
  assert.deepEqual(one.told.at(-1), ['lost', 'cut']);
  await one.stop();
});

test('it_waits_longer_after_each_failure_and_forgets_them_when_it_is_heard', async () => {
  const failure = new Error('no');
  const one = follow([failure, failure, failure, [hello('a-0')], failure]);
  const pauses = [];
  for (let i = 0; i < 5; i += 1) {
    await settle();
    pauses.push([...one.timers.values()][0].ms);
    await one.ring();
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 500, 1000]);
  await one.stop();
});

test('it_does_not_wait_when_told_to_try', async () => {
  const one = follow([new Error('no'), [hello('a-0'), OPEN]]);
  await settle();
  one.follower.retryNow();
  await settle();
  assert.deepEqual(one.asked.length, 2);
  assert.equal(one.timers.size, 1, 'only the patience with the new stream');
  await one.stop();
});

test('pauses_double_are_spread_and_have_an_end', () => {
  assert.equal(pauseAfter(1, 0), 250);
  assert.equal(pauseAfter(1, 1), 500);
  assert.equal(pauseAfter(4, 1), 4000);
  assert.equal(pauseAfter(100, 1), 8000);
});

test('an_epoch_is_what_stands_before_the_number', () => {
  assert.equal(epochOf('19a-12'), '19a');
  assert.equal(epochOf('a-b-3'), 'a-b');
  assert.equal(epochOf('3'), '');
});
