// Which live sessions are shown, and what is said of the others.
import assert from 'node:assert/strict';
import test from 'node:test';

import { describeCount, describeNone, select } from '../../../web/src/session_list.js';

const session = (client, backend, cluster = 'web') => ({
  client,
  backend,
  cluster,
  listener: 'front',
});
const SESSIONS = [
  session('10.0.0.1:5', 'b1'),
  session('10.0.0.2:5', 'b10'),
  session('10.0.0.3:5', 'b1', 'other'),
  session('10.0.0.4:5', null),
];
const B1 = { only: { cluster: 'web', backend: 'b1' }, text: '' };
const ALL = { only: null, text: '' };

test('one_backend_is_none_whose_name_only_begins_so_and_none_of_another_cluster', () => {
  assert.deepEqual(select(SESSIONS, B1), [SESSIONS[0]]);
  assert.deepEqual(select(SESSIONS, { ...B1, text: '0.2' }), []);
  assert.deepEqual(select(SESSIONS, { ...ALL, text: 'FRONT b1' }), SESSIONS.slice(0, 3));
  assert.equal(select(SESSIONS, ALL).length, 4);
});

test('what_was_not_looked_at_is_said', () => {
  const some = { total: 5000, sessions: SESSIONS };
  assert.equal(describeCount(some, ALL), 'the youngest 4 of 5,000');
  assert.equal(describeCount(some, B1), 'only the youngest 4 of 5,000 were looked at');
  assert.equal(
    describeNone(some, B1),
    'None of the youngest 4 sessions matches; older ones were not looked at.',
  );
  assert.match(describeNone(some, { ...ALL, text: 'x' }), /older ones were not looked at/);
});

test('a_server_that_has_looked_for_it_itself_is_believed', () => {
  const its = { total: 5000, matching: 1, sessions: SESSIONS.slice(0, 1) };
  assert.equal(describeCount(its, B1), '1');
  const many = { total: 5000, matching: 700, sessions: SESSIONS.slice(0, 1) };
  assert.equal(describeCount(many, B1), 'the youngest 1 of 700');
  const none = { total: 5000, matching: 0, sessions: [] };
  assert.equal(describeNone(none, B1), 'b1 of web has no live session.');
});

test('when_all_were_looked_at_nothing_is_left_open', () => {
  const all = { total: 4, sessions: SESSIONS };
  assert.equal(describeCount(all, ALL), '4');
  assert.equal(describeCount(all, B1), '1');
  assert.equal(describeNone(all, { ...ALL, text: 'x' }), 'No session matches.');
  assert.equal(describeNone({ total: 0, sessions: [] }, ALL), 'There is no live session.');
  assert.equal(
    describeCount({ ...all, complete: false }, ALL),
    '4 · some workers did not answer',
  );
});
