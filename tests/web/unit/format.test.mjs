import assert from 'node:assert/strict';
import test from 'node:test';

import * as format from '../../../web/src/format.js';

const table = (name, cases) =>
  test(name, () => {
    for (const [args, expected] of cases) {
      assert.equal(format[name](...[args].flat()), expected, `${name}(${args})`);
    }
  });

const UNKNOWN = [undefined, null, NaN, Infinity, '12'];

test('what_is_not_known_is_a_dash', () => {
  for (const [name, call] of Object.entries(format)) {
    if (!name.startsWith('format')) continue;
    for (const value of UNKNOWN) assert.equal(call(value), format.DASH, `${name}(${value})`);
  }
});

table('formatCount', [
  [0, '0'],
  [999, '999'],
  [1234, '1,234'],
  [9999, '9,999'],
  [10_000, '10.0k'],
  [123_456, '123k'],
  [999_949, '1.0M'],
  [4_560_000, '4.6M'],
  [-1234, '-1,234'],
  [7.6, '8'],
]);

table('formatRate', [
  [0, '0'],
  [-1, '0'],
  [0.01, '<0.1'],
  [0.2, '0.2'],
  [9.94, '9.9'],
  [9.96, '10'],
  [1500, '1,500'],
  [51_000, '51.0k'],
]);

table('formatBytes', [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 * 1023.9, '1.0 MiB'],
  [3.4 * 1024 ** 2, '3.4 MiB'],
  [250 * 1024 ** 3, '250 GiB'],
]);

table('formatDuration', [
  [0, '0 ms'],
  [-5, '0 ms'],
  [0.42, '0.4 ms'],
  [3, '3 ms'],
  [5000, '5 s'],
  [12.4, '12 ms'],
  [999.7, '1.0 s'],
  [1200, '1.2 s'],
  [59_400, '59 s'],
  [59_700, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [11_520_000, '3 h 12 min'],
  [352_800_000, '4 d 2 h'],
]);

const BOUNDS = [1, 2, 5, 5000];
table('formatConnectTime', [
  [[0], '<1 ms'],
  [[1], '1 ms'],
  [[1, BOUNDS], '≤1 ms'],
  [[2, BOUNDS], '2 ms'],
  [[1234, BOUNDS], '1.2 s'],
  [[5000, BOUNDS], '5 s'],
  [[5001, BOUNDS], '>5 s'],
  [[NaN, BOUNDS], format.DASH],
]);

table('formatCountdown', [
  [29_001, 'in 30 s'],
  [29_000, 'in 29 s'],
  [1, 'in 1 s'],
  [0, 'due now'],
  [-3000, 'due now'],
  [61_000, 'in 1 min 1 s'],
]);

table('formatAgo', [
  [-50, 'just now'],
  [999, 'just now'],
  [1000, '1 s ago'],
  [61_000, '1 min ago'],
  [7_200_000, '2 h ago'],
  [172_800_000, '2 d ago'],
]);

table('formatPercent', [
  [100, '100 %'],
  [12.34, '12 %'],
  [1.25, '1.3 %'],
  [0, '0 %'],
]);

table('count', [
  [[0, 'session'], '0 sessions'],
  [[1, 'session'], '1 session'],
  [[12_345, 'session'], '12.3k sessions'],
]);

test('times_are_utc_wherever_the_reader_is', () => {
  const zone = process.env.TZ;
  const at = Date.parse('2026-01-02T03:04:05.678Z');
  for (const tz of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
    process.env.TZ = tz;
    assert.equal(format.formatClock(at), '03:04:05.678', tz);
    assert.equal(format.formatDay(at), '2026-01-02', tz);
  }
  process.env.TZ = zone ?? '';
  assert.equal(format.formatClock(8.64e15), format.DASH, 'no nonsense throws');
});

test('a_time_of_another_day_has_its_date', () => {
  const at = Date.parse('2026-01-02T23:59:59.999Z');
  assert.equal(format.formatMoment(at, at), '23:59:59.999');
  assert.equal(format.formatMoment(at, at + 1), '2026-01-02 23:59:59.999');
  assert.equal(format.formatMoment(at, NaN), '2026-01-02 23:59:59.999', 'nobody knows today');
});
