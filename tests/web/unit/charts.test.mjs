import assert from 'node:assert/strict';
import test from 'node:test';

import { areaPath, linePath, niceCeiling, scalePoints } from '../../../web/src/charts.js';
import { History, Meter } from '../../../web/src/history.js';

const BOX = { now: 100_000, max: 10, width: 100, height: 20, spanMs: 100_000 };

test('the_scale_is_a_round_number_that_nothing_exceeds', () => {
  const cases = [
    [0, 1],
    [NaN, 1],
    [0.3, 0.5],
    [1, 1],
    [1.01, 2],
    [3, 5],
    [6, 10],
    [1234, 2000],
  ];
  for (const [value, expected] of cases) assert.equal(niceCeiling(value), expected, `${value}`);
  for (let value = 0.001; value < 1e9; value *= 1.37) assert.ok(niceCeiling(value) >= value);
});

test('now_is_at_the_right_and_the_greatest_at_the_top', () => {
  const points = [
    { tick: 90_000, value: 0 },
    { tick: 95_000, value: 5 },
    { tick: 100_000, value: 10 },
  ];
  assert.deepEqual(scalePoints(points, BOX), [
    [
      { x: 90, y: 20 },
      { x: 95, y: 10 },
      { x: 100, y: 0 },
    ],
  ]);
});

test('what_is_not_known_is_a_gap', () => {
  const at = (tick, value) => ({ tick, value });
  const runs = scalePoints(
    [at(60_000, 1), at(61_000, NaN), at(62_000, 2), at(63_000, 3), at(90_000, 4)],
    BOX,
  );
  assert.deepEqual(
    runs.map((run) => run.length),
    [1, 2, 1],
    'a long silence is one too',
  );
});

test('what_is_too_old_or_too_large_stays_in_the_box', () => {
  const [run] = scalePoints(
    [
      { tick: -50_000, value: 3 },
      { tick: 99_000, value: 99 },
      { tick: 100_000, value: -1 },
    ],
    BOX,
  );
  assert.deepEqual(run, [
    { x: 99, y: 0 },
    { x: 100, y: 20 },
  ]);
});

test('paths_are_short_and_a_lone_point_is_seen', () => {
  const runs = [
    [{ x: 1.2345, y: 2 }],
    [
      { x: 3, y: 4 },
      { x: 5, y: 6.789 },
    ],
  ];
  assert.equal(linePath(runs), 'M0.2 2h1M3 4L5 6.8');
  assert.equal(areaPath(runs, 20), 'M3 20L3 4L5 6.8L5 20Z');
  assert.equal(linePath([]), '');
});

test('a_history_keeps_the_last_samples_in_order', () => {
  const history = new History(3);
  const series = history.makeSeries();
  assert.deepEqual(series.points(), []);
  for (let tick = 1; tick <= 5; tick += 1) {
    history.advance(tick);
    series.set(10 * tick);
  }
  assert.deepEqual(series.points(), [
    { tick: 3, value: 30 },
    { tick: 4, value: 40 },
    { tick: 5, value: 50 },
  ]);
  assert.equal(series.max, 50);
});

test('a_series_that_was_not_told_of_a_moment_has_a_gap_there', () => {
  const history = new History(4);
  const series = history.makeSeries();
  for (let tick = 1; tick <= 9; tick += 1) {
    history.advance(tick);
    if (tick !== 8) series.set(tick);
  }
  const late = history.makeSeries();
  late.set(1);
  assert.deepEqual(
    series.points().map(({ value }) => value),
    [6, 7, NaN, 9],
  );
  assert.deepEqual(
    late.points().map(({ value }) => value),
    [NaN, NaN, NaN, 1],
  );
  history.advance(10);
  assert.deepEqual(
    series.points().map(({ value }) => value),
    [7, NaN, 9, NaN],
  );
});

test('a_rate_needs_two_values_and_none_that_went_back', () => {
  const meter = new Meter();
  assert.ok(Number.isNaN(meter.update(100, 1000)));
  assert.equal(meter.update(150, 2000), 50);
  assert.equal(meter.update(150, 4000), 0);
  assert.ok(Number.isNaN(meter.update(3, 5000)), 'it began anew');
  assert.equal(meter.update(5, 5500), 4);
  meter.forget();
  assert.ok(Number.isNaN(meter.update(50, 6500)));
  assert.ok(Number.isNaN(meter.update(undefined, 7500)), 'this server does not tell');
  assert.ok(Number.isNaN(meter.update(60, 8500)));
  assert.equal(meter.update(70, 9500), 10);
});
