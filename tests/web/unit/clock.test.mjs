import assert from 'node:assert/strict';
import test from 'node:test';

import { ServerClock } from '../../../web/src/clock.js';

const HOUR = 3_600_000;

test('the_server_s_time_is_known_only_after_an_answer', () => {
  const clock = new ServerClock();
  assert.ok(Number.isNaN(clock.at(0)));
  assert.equal(clock.isKnown, false);
  clock.add(100, 120, 5_000_000);
  assert.equal(clock.isKnown, true);
  assert.equal(clock.at(110), 5_000_000);
  assert.equal(clock.at(1110), 5_001_000);
});

test('a_clock_that_is_hours_off_changes_nothing', () => {
  for (const skew of [-5 * HOUR, 0, 7 * HOUR]) {
    const clock = new ServerClock();
    clock.add(1000, 1010, 1_700_000_000_000 + skew);
    assert.equal(clock.at(2005), 1_700_000_001_000 + skew);
  }
});

test('the_quickest_answer_counts', () => {
  const clock = new ServerClock();
  clock.add(0, 400, 10_000); // said somewhere in 400 ms
  clock.add(1000, 1002, 10_951);
  assert.equal(clock.at(2001), 11_951);
  clock.add(3000, 3300, 13_050);
  assert.equal(clock.at(2001), 11_951, 'a slow one that agrees is not taken');
});

test('a_clock_that_was_set_is_believed_at_once', () => {
  const clock = new ServerClock();
  for (let tick = 0; tick < 10_000; tick += 1000) clock.add(tick, tick + 2, 1_000_000 + tick + 1);
  clock.add(10_000, 10_300, 1_000_000 + HOUR + 10_150);
  assert.equal(clock.at(10_150), 1_000_000 + HOUR + 10_150);
});

test('nonsense_is_not_a_time', () => {
  const clock = new ServerClock();
  clock.add(0, 1, NaN);
  clock.add(5, 4, 1000);
  assert.equal(clock.isKnown, false);
});
