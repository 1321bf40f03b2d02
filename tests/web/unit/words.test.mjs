import assert from 'node:assert/strict';
import test from 'node:test';

import { Model } from '../../../web/src/model.js';
import {
  describeEvent,
  describeWindow,
  explainCauses,
  explainChoice,
  explainRejection,
} from '../../../web/src/words.js';
import { backendSample, eventSample, openSample, snapshotSample } from './samples.mjs';

const RETRY_AT = '2026-01-01T00:01:12.000Z';

function explain(api, ...events) {
  const model = new Model();
  for (const event of events) model.takeEvent(event);
  model.takeSnapshot(snapshotSample([api]), 0);
  return explainCauses(model.backends[0]);
}

test('a_dead_backend_says_why_and_when_it_is_tried_again', () => {
  const [cause] = explain(openSample('a', RETRY_AT), eventSample('a', 'open'));
  assert.equal(cause.text, 'breaker open: 5 connect failures in a row, last: refused');
  assert.equal(cause.retryAt, Date.parse(RETRY_AT));
});

test('a_reason_of_another_state_is_not_told', () => {
  const [cause] = explain(
    openSample('a', RETRY_AT),
    eventSample('a', 'closed', { why: 'trial succeeded' }),
  );
  assert.equal(cause.text, 'breaker open');
});

test('three_causes_are_three_sentences', () => {
  const api = openSample('a', RETRY_AT);
  api.left_out_by = ['administrative', 'health', 'breaker'];
  api.administrative = { state: 'draining', configured: 'ready' };
  api.health = { ...api.health, state: 'unhealthy' };
  api.active_connections = 1;
  const causes = explain(
    api,
    eventSample('a', 'unhealthy', {
      kind: 'health',
      why: '3 probes in a row failed, last: refused',
    }),
  );
  assert.deepEqual(
    causes.map(({ text }) => text),
    [
      'draining by an operator: keeps 1 session',
      'unhealthy: 3 probes in a row failed, last: refused',
      'breaker open',
    ],
  );
});

test('every_other_cause_has_words', () => {
  const text = (changes) => explain(backendSample('a', { available: false, ...changes }))[0].text;
  assert.equal(
    text({ left_out_by: ['limit'], active_connections: 40 }),
    'at its limit with 40 sessions',
  );
  assert.equal(text({ left_out_by: ['weight'] }), 'its weight is 0');
  assert.equal(text({ left_out_by: ['of a later version'] }), 'of a later version');
  assert.equal(
    text({
      left_out_by: ['administrative'],
      administrative: { state: 'maintenance', configured: 'maintenance' },
    }),
    'in maintenance as configured',
  );
  const health = { state: 'unknown', probes: true, passed_in_row: 0, failed_in_row: 0 };
  assert.equal(text({ left_out_by: ['health'], health }), 'waits for its first probe');
});

test('why_this_backend', () => {
  const session = (changes) => ({
    backend: 'b1',
    attempts: 1,
    why: { policy: 'round_robin', trial: false, passed_over: {} },
    ...changes,
  });
  assert.equal(explainChoice(session({})), 'its turn in round robin');
  assert.equal(explainChoice(session({ backend: null })), 'none chosen yet');
  assert.equal(
    explainChoice(
      session({
        attempts: 2,
        why: {
          policy: 'first',
          trial: true,
          passed_over: { tried: 1, breaker: 255, new_word: 2 },
        },
      }),
    ),
    "first in the list · the breaker's trial · after 1 failed attempt · " +
      'passed over: 1 already tried, 255 or more breaker open, 2 new_word',
  );
});

test('a_minute_that_was_not_watched_yet_is_none', () => {
  assert.equal(describeWindow(0), 'from now on');
  assert.equal(describeWindow(undefined), 'from now on');
  assert.equal(describeWindow(4200), 'last 5 s');
  assert.equal(describeWindow(60_400), 'last minute');
  assert.equal(describeWindow(75_000), 'last minute');
});

test('a_rejection_has_words_and_a_new_one_its_own', () => {
  assert.equal(explainRejection('limit'), 'at a limit');
  assert.equal(explainRejection('of_a_later_version'), 'of a later version');
});

test('an_event_is_read_aloud_without_signs', () => {
  assert.equal(
    describeEvent(eventSample('bert', 'half_open')),
    'breaker of bert: closed to half open',
  );
  const panic = eventSample('priority 0', 'panic', { kind: 'panic', from: 'normal' });
  assert.equal(describeEvent(panic), 'panic of web priority 0: normal to panic');
});
