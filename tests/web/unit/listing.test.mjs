import assert from 'node:assert/strict';
import test from 'node:test';

import { arrange, hold, matches, SORTS } from '../../../web/src/listing.js';
import { Model } from '../../../web/src/model.js';
import { backendSample, connectSample, openSample, snapshotSample } from './samples.mjs';

const ALL = { text: '', cluster: '', standing: 'all' };

function backendsOf(...apis) {
  const model = new Model();
  model.takeSnapshot(snapshotSample(apis), 0);
  return model.backends;
}

const names = (backends) => backends.map(({ name }) => name);

test('numbers_in_names_count_as_numbers', () => {
  const backends = backendsOf(...['b10', 'b9', 'b1'].map((name) => backendSample(name)));
  assert.deepEqual(names(arrange(backends, ALL, { by: 'name', direction: 1 })), [
    'b1',
    'b9',
    'b10',
  ]);
  assert.deepEqual(names(arrange(backends, ALL, { by: 'name', direction: -1 })), [
    'b10',
    'b9',
    'b1',
  ]);
});

test('what_needs_a_look_is_first', () => {
  const backends = backendsOf(backendSample('a'), backendSample('z'), openSample('m', null));
  assert.deepEqual(names(arrange(backends, ALL, { by: 'standing', direction: 1 })), [
    'm',
    'a',
    'z',
  ]);
});

test('what_is_not_known_is_last_both_ways', () => {
  const told = (name, counts) => backendSample(name, { connect_ms: connectSample(counts) });
  const model = new Model();
  model.takeSnapshot(snapshotSample(['a', 'b', 'c'].map((name) => told(name, {}))), 0);
  model.takeSnapshot(
    snapshotSample([told('a', {}), told('b', { 5: 1 }), told('c', { Infinity: 1 })]),
    1000,
  );
  const { backends } = model;
  assert.deepEqual(names(arrange(backends, ALL, { by: 'latency', direction: 1 })), ['b', 'c', 'a']);
  assert.deepEqual(names(arrange(backends, ALL, { by: 'latency', direction: -1 })), [
    'c',
    'b',
    'a',
  ]);
});

test('every_sort_puts_any_backends_into_an_order', () => {
  const backends = backendsOf(backendSample('a'), openSample('b', null), backendSample('c'));
  for (const by of Object.keys(SORTS)) {
    for (const direction of [1, -1]) {
      assert.equal(arrange(backends, ALL, { by, direction }).length, 3, by);
    }
  }
});

test('every_word_must_be_somewhere', () => {
  const [backend] = backendsOf(backendSample('Anna', { address: '10.0.0.7:80' }));
  const text = (words) => matches(backend, { ...ALL, text: words });
  assert.ok(text('') && text('  ') && text('ann') && text('ANNA 0.7') && text('web'));
  assert.ok(!text('bert') && !text('anna bert'));
  assert.ok(!text('.*'), 'it is no pattern');
  assert.ok(matches(backend, { ...ALL, cluster: 'web', standing: 'available' }));
  assert.ok(!matches(backend, { ...ALL, cluster: 'other' }));
  assert.ok(!matches(backend, { ...ALL, standing: 'out' }));
});

test('rows_that_somebody_points_at_stay_where_they_are', () => {
  const backends = backendsOf(...['a', 'b', 'c'].map((name) => backendSample(name)));
  const [a, b, c] = backends;
  assert.deepEqual(names(hold([c.key, a.key], [a, b, c])), ['c', 'a', 'b']);
  assert.deepEqual(names(hold([c.key, 'gone'], [a])), ['a']);
});
