import assert from 'node:assert/strict';
import test from 'node:test';

import { SEVERITY } from '../../../web/src/backend.js';
import { EVENTS_MAX, Model } from '../../../web/src/model.js';
import { standingWord } from '../../../web/src/tones.js';
import {
  backendSample,
  connectSample,
  eventSample,
  openSample,
  snapshotSample,
} from './samples.mjs';

const counted = (name, connected, refused = 0, more = {}) =>
  backendSample(name, { connects: { connected, refused, local_error: 9, abandoned: 9 }, ...more });

function modelOf(...backends) {
  const model = new Model();
  model.takeSnapshot(snapshotSample(backends), 0);
  return model;
}

test('rates_come_from_counters_and_the_time_between_snapshots', () => {
  const model = modelOf(counted('a', 100), counted('b', 50));
  assert.ok(Number.isNaN(model.totals.connects.value), 'one snapshot says nothing');
  model.takeSnapshot(snapshotSample([counted('a', 120, 4), counted('b', 50)]), 2000);
  const a = model.find('web', 'a');
  assert.equal(a.rates.connects, 12);
  assert.equal(a.rates.failures, 2, 'our own errors and who has left are no failures');
  assert.equal(model.totals.connects.value, 12);
  assert.equal(model.totals.sessions.value, 3);
});

test('a_snapshot_that_comes_early_changes_states_and_no_rate', () => {
  const model = modelOf(counted('a', 100));
  model.takeSnapshot(snapshotSample([counted('a', 110)]), 1000);
  model.takeSnapshot(snapshotSample([counted('a', 111, 0, { available: false })]), 1050);
  const a = model.find('web', 'a');
  assert.equal(a.rates.connects, 10);
  assert.equal(a.isOut, true);
  model.takeSnapshot(snapshotSample([counted('a', 130)]), 2000);
  assert.equal(a.rates.connects, 20, 'measured from the last measure on');
});

test('what_a_server_does_not_tell_is_not_known', () => {
  const model = modelOf(counted('a', 1));
  model.takeSnapshot(snapshotSample([counted('a', 2)]), 1000);
  const a = model.find('web', 'a');
  assert.ok(Number.isNaN(a.rates.received) && Number.isNaN(model.totals.received.value));
  assert.ok(Number.isNaN(a.latency.p99));
  const told = { received_bytes: 1000, sent_bytes: 0, connect_ms: connectSample({ 5: 7 }) };
  model.takeSnapshot(snapshotSample([counted('a', 2, 0, told)]), 2000);
  const later = { received_bytes: 5000, connect_ms: connectSample({ 2: 1, 5: 7 }) };
  model.takeSnapshot(snapshotSample([counted('a', 2, 0, { ...told, ...later })]), 3000);
  assert.equal(a.rates.received, 4000);
  assert.equal(model.totals.latency.value, 2);
  assert.equal(model.totals.sent.value, 0);
});

test('a_restart_begins_the_rates_anew', () => {
  const model = modelOf(counted('a', 10));
  model.takeSnapshot(snapshotSample([counted('a', 5000)], { pid: 8 }), 1000);
  assert.ok(Number.isNaN(model.find('web', 'a').rates.connects));
  model.takeSnapshot(snapshotSample([counted('a', 5003)], { pid: 8 }), 2000);
  assert.equal(model.find('web', 'a').rates.connects, 3);
});

test('a_start_that_is_told_a_millisecond_later_is_no_restart', () => {
  const model = modelOf(counted('a', 10));
  const later = { started_at: '2026-01-01T00:00:00.001Z' };
  model.takeSnapshot(snapshotSample([counted('a', 20)], later), 1000);
  assert.equal(model.find('web', 'a').rates.connects, 10);
  model.takeSnapshot(snapshotSample([counted('a', 30)], { last_event_id: 'another-1' }), 2000);
  assert.ok(Number.isNaN(model.find('web', 'a').rates.connects), 'a process of the same number');
});

test('backends_come_and_go', () => {
  const model = modelOf(counted('a', 1), counted('b', 1));
  const b = model.find('web', 'b');
  model.takeSnapshot(snapshotSample([counted('b', 4), counted('c', 900)]), 1000);
  assert.equal(model.find('web', 'a'), undefined);
  assert.equal(model.find('web', 'b'), b);
  assert.equal(model.totals.connects.value, 3, 'who is new adds no leap');
  assert.deepEqual(
    model.backends.map(({ name }) => name),
    ['b', 'c'],
  );
});

test('an_event_is_remembered_with_its_backend_even_before_a_snapshot_shows_it', () => {
  const model = new Model();
  model.takeEvent(eventSample('a', 'open'));
  model.takeSnapshot(snapshotSample([openSample('a', '2026-01-01T00:01:00.000Z')]), 0);
  const a = model.find('web', 'a');
  assert.equal(a.lastEvents.breaker.to, 'open');
  assert.equal(a.retryAt, Date.parse('2026-01-01T00:01:00.000Z'));
  model.takeEvent(eventSample('a', 'half_open', { kind: 'breaker' }));
  assert.equal(a.lastEvents.breaker.to, 'half_open');
});

test('the_newest_events_are_kept', () => {
  const model = new Model();
  for (let i = 0; i < EVENTS_MAX + 10; i += 1) model.takeEvent(eventSample(`b${i}`, 'open'));
  assert.equal(model.events.length, EVENTS_MAX);
  assert.equal(model.events[0].backend, `b${EVENTS_MAX + 9}`);
  assert.equal(model.events[0].number, EVENTS_MAX + 10);
});

test('each_cause_has_its_rank_and_none_hides_another', () => {
  const rank = (changes) => modelOf(backendSample('a', changes)).find('web', 'a').severity;
  const out = (cause, more) => ({ available: false, left_out_by: [cause], ...more });
  const health = (state) => ({ health: { ...backendSample('a').health, state } });
  const admin = (state) => ({ administrative: { state, configured: 'ready' } });
  assert.equal(rank({}), SEVERITY.fine);
  assert.equal(rank(out('health', health('unhealthy'))), SEVERITY.unhealthy);
  assert.equal(rank(out('health', health('unknown'))), SEVERITY.unknown);
  assert.equal(rank(health('unknown')), SEVERITY.fine, 'a cold start uses it');
  assert.equal(rank(health('unhealthy')), SEVERITY.unhealthy, 'in a panic, too');
  assert.equal(rank(out('administrative', admin('draining'))), SEVERITY.draining);
  assert.equal(rank(out('administrative', admin('maintenance'))), SEVERITY.maintenance);
  assert.equal(rank(out('limit')), SEVERITY.limit);
  assert.equal(rank(out('weight', { weight: 0 })), SEVERITY.weight);
  const both = openSample('a', null);
  both.administrative = { state: 'draining', configured: 'ready' };
  assert.equal(rank(both), SEVERITY.breakerOpen);
});

test('one_at_its_limit_is_counted_apart_from_those_left_out', () => {
  const out = (...causes) => ({ available: false, left_out_by: causes });
  const model = modelOf(
    backendSample('a', out('limit')),
    backendSample('b', out('breaker', 'limit')),
    backendSample('c', out('administrative')),
    backendSample('d'),
  );
  assert.deepEqual([model.outCount, model.fullCount], [2, 1]);
  const [a, b, , d] = model.backends;
  assert.deepEqual([a.isFull, a.isOut, standingWord(a)], [true, false, 'at its limit']);
  assert.deepEqual([b.isFull, b.isOut, standingWord(b)], [false, true, 'left out']);
  assert.deepEqual([d.isFull, d.isOut, standingWord(d)], [false, false, 'available']);
});
