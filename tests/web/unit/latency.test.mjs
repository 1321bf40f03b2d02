// How long connects took lately, out of counts since the start.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ConnectTimes, quantile, WINDOW_MS } from '../../../web/src/latency.js';
import { Model } from '../../../web/src/model.js';
import { backendSample, BOUNDS_MS, connectSample, snapshotSample } from './samples.mjs';

const at = (counts, part) =>
  quantile(
    BOUNDS_MS,
    [...BOUNDS_MS, Infinity].map((bound) => counts[bound] ?? 0),
    part,
  );

test('a_quantile_is_whole_milliseconds_within_what_the_bounds_allow', () => {
  assert.equal(at({ 1: 100 }, 0.5), 1, 'nothing below the first bound is known');
  assert.equal(at({ 1: 1, 50: 99 }, 0.99), 50);
  assert.equal(at({ 50: 100 }, 0.5), 35);
  assert.equal(at({ 5: 3 }, 0.5), 4);
  assert.equal(at({ 1: 98, 2000: 2 }, 0.99), 1500, 'as the API itself has it');
  assert.equal(at({ Infinity: 1 }, 0.5), 5001);
  assert.ok(Number.isNaN(at({}, 0.5)));
  for (let count = 1; count < 50; count += 1) {
    for (const part of [0.01, 0.5, 0.99, 1]) {
      const value = at({ 2: count, 10: 3, 500: 1 }, part);
      assert.ok(Number.isInteger(value) && value >= 2 && value <= 500, `${value}`);
    }
  }
});

test('only_what_was_connected_while_it_is_watched_counts', () => {
  const times = new ConnectTimes();
  times.update(connectSample({ 1: 1_000_000 }), 0);
  assert.ok(Number.isNaN(times.recent.p50), 'a million of long ago say nothing of now');
  times.update(connectSample({ 1: 1_000_000, 2000: 3 }), 1000);
  assert.equal(times.recent.p50, 1500);
  assert.equal(times.sinceStart.p99, 1);
  times.update(connectSample({ 1: 1_000_000, 2000: 3 }), 2000);
  assert.equal(times.recent.p50, 1500, 'it is still in the minute');
});

test('what_is_older_than_a_minute_is_forgotten', () => {
  const times = new ConnectTimes();
  times.update(connectSample({}), 0);
  const incident = { 2000: 50 };
  for (let tick = 1000; tick <= WINDOW_MS + 5000; tick += 1000) {
    times.update(connectSample({ ...incident, 1: tick / 1000 }), tick);
    if (tick < WINDOW_MS) assert.ok(times.recent.p99 > 1000, `after ${tick} ms`);
  }
  assert.equal(times.recent.p99, 1, 'it is over, and that is seen');
  for (let i = 1; i <= 20; i += 1) {
    times.update(connectSample({ ...incident, 1: 65 }), WINDOW_MS + 5000 + i * 5000);
  }
  assert.ok(Number.isNaN(times.recent.p99), 'nothing was connected in the last minute');
});

test('a_page_that_asks_seldom_compares_with_a_minute_ago_too', () => {
  const times = new ConnectTimes();
  for (let i = 0; i <= 8; i += 1) times.update(connectSample({ 1: 10 * i }), i * 15_000);
  times.update(connectSample({ 1: 80, 50: 100 }), 9 * 15_000);
  assert.equal(times.recent.p50, 31, '30 of them of the last minute were quick, 100 not');
});

test('counts_that_went_back_begin_anew', () => {
  const times = new ConnectTimes();
  times.update(connectSample({ 1: 10, 5: 10 }), 0);
  times.update(connectSample({ 1: 11, 5: 2 }), 1000);
  assert.ok(Number.isNaN(times.recent.p50));
  times.update(connectSample({ 1: 11, 5: 3 }), 2000);
  assert.equal(times.recent.p50, 4);
  times.forget();
  times.update(connectSample({ 1: 12, 5: 3 }), 3000);
  assert.ok(Number.isNaN(times.recent.p50));
});

test('a_server_that_tells_no_counts_has_no_times', () => {
  const times = new ConnectTimes();
  for (const tick of [0, 1000]) times.update(undefined, tick);
  assert.ok(Number.isNaN(times.recent.p99) && Number.isNaN(times.sinceStart.p99));
});

test('the_slowest_backend_of_the_last_minute_is_the_total', () => {
  const model = new Model();
  const told = (name, counts) => backendSample(name, { connect_ms: connectSample(counts) });
  model.takeSnapshot(snapshotSample([told('a', { 1: 900 }), told('b', { 5000: 9 })]), 0);
  assert.ok(Number.isNaN(model.totals.latency.value));
  const now = [told('a', { 1: 900, 100: 1 }), told('b', { 5000: 9, 10: 1 })];
  model.takeSnapshot(snapshotSample(now), 1000);
  assert.equal(model.totals.latency.value, 100);
  assert.deepEqual(model.totals.latency.bounds, BOUNDS_MS);
  model.forgetRates();
  assert.ok(Number.isNaN(model.totals.latency.value));
});
