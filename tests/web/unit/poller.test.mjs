// When snapshots are asked for: the time is the test's own.
import assert from 'node:assert/strict';
import test from 'node:test';

import { intervalAfter, Poller, spacingAfter } from '../../../web/src/poller.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

// A poller that takes snapshots at once; `until(ms)` lets the time pass and does what is due.
function poll({ isHidden = false, fails = () => false } = {}) {
  const taken = [];
  const timers = new Map();
  const one = { isHidden, taken };
  let now = 0;
  let serial = 0;
  one.poller = new Poller({
    take: async () => {
      taken.push(now);
      if (fails()) throw new Error('no');
      return 1;
    },
    isHidden: () => one.isHidden,
    now: () => now,
    timers: {
      set: (callback, ms) => {
        timers.set((serial += 1), { callback, at: now + ms });
        return serial;
      },
      clear: (handle) => timers.delete(handle),
    },
  });
  one.until = async (end) => {
    for (;;) {
      const due = [...timers].filter(([, { at }]) => at <= end);
      if (due.length === 0) break;
      const [handle, { callback, at }] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
      timers.delete(handle);
      now = at;
      callback();
      await settle();
    }
    now = end;
  };
  return one;
}

test('an_event_is_followed_by_a_snapshot_at_once', async () => {
  const one = poll();
  one.poller.now();
  await one.until(500);
  for (let i = 0; i < 100; i += 1) one.poller.poke();
  await one.until(999);
  assert.deepEqual(one.taken, [0, 560], 'one for all of them');
});

test('events_make_a_hidden_page_ask_no_more_often', async () => {
  const one = poll({ isHidden: true });
  one.poller.now();
  for (let second = 1; second <= 60; second += 1) {
    await one.until(1000 * second);
    one.poller.poke();
  }
  assert.deepEqual(one.taken, [0, 15_000, 30_000, 45_000, 60_000]);
});

test('a_page_that_is_looked_at_again_asks_at_once', async () => {
  const one = poll({ isHidden: true });
  one.poller.now();
  await one.until(5000);
  one.poller.poke();
  one.isHidden = false;
  one.poller.now();
  await one.until(5999);
  assert.deepEqual(one.taken, [0, 5000]);
});

test('while_there_is_no_answer_it_asks_less_and_less_often', async () => {
  const one = poll({ fails: () => true });
  one.poller.now();
  await one.until(20_000);
  assert.deepEqual(one.taken, [0, 1000, 3000, 7000, 15_000]);
});

test('snapshots_come_every_second_unless_there_is_a_reason', () => {
  const after = (changes) => intervalAfter({ isHidden: false, workMs: 5, failures: 0, ...changes });
  assert.equal(after({}), 1000);
  assert.equal(after({ isHidden: true }), 15_000);
  assert.equal(after({ workMs: 300 }), 3000, 'large ones leave the reader nine tenths of the time');
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((failures) => after({ failures })),
    [1000, 2000, 4000, 8000, 8000],
  );
  const spacing = (workMs) => spacingAfter({ isHidden: false, workMs });
  assert.equal(spacing(1), 250);
  assert.equal(spacing(100), 500);
});
