// The readers of the views: what they make of a source, and that they do not overlook anything.
import assert from 'node:assert/strict';
import test from 'node:test';

import { unreadNumbers } from '../support/page_text.mjs';
import { fromAccessLog, parseAccessLog } from '../support/read_access_log.mjs';
import { fieldsOfObject } from '../support/read_api.mjs';
import { fromCtl } from '../support/read_ctl.mjs';
import { fromMetrics, parseMetrics } from '../support/read_metrics.mjs';
import { NONE, Rounded } from '../support/rounded.mjs';

const METRICS = `# HELP process_start_time_seconds Some.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1000
# HELP sluice_session_ends_total Some.
# TYPE sluice_session_ends_total counter
sluice_session_ends_total{listener="a \\"b\\" \\\\ c",reason="limit"} 3
sluice_session_ends_total{listener="a \\"b\\" \\\\ c",reason="shutdown"} 4
# HELP sluice_session_bytes Some.
# TYPE sluice_session_bytes histogram
sluice_session_bytes_count{listener="x",direction="sent"} 2
sluice_session_bytes_bucket{listener="x",direction="sent",le="1.048576e+06"} 1
sluice_session_bytes_bucket{listener="x",direction="sent",le="+Inf"} 2
# HELP sluice_breaker_state Some.
# TYPE sluice_breaker_state gauge
sluice_breaker_state{cluster="web",backend="b"} 1
`;

test('a_series_is_a_field_of_what_its_labels_name', () => {
  const { listener, backend } = fromMetrics(METRICS);
  assert.equal(listener['a "b" \\ c']['sluice_session_ends_total{limit}'], 3);
  assert.equal(listener['a "b" \\ c']['sum of ends'], 7);
  assert.equal(listener.x['sluice_session_bytes_bucket{sent,1048576}'], 1);
  assert.equal(listener.x['sluice_session_bytes_bucket{sent,+Inf}'], 2);
  assert.equal(backend['web/b'].sluice_breaker_state, 'open');
  assert.equal(backend['web/b'].sluice_backend_health, 'unprobed');
  assert.equal(backend['web/b']['sluice_probes_total{passed}'], NONE);
});

test('what_is_none_of_the_text_format_is_an_error', () => {
  const last = 'sluice_breaker_state{cluster="web",backend="b"} 1\n';
  for (const wrong of [
    METRICS.slice(0, -1),
    METRICS + last,
    METRICS.replace('} 1\n', '} one\n'),
    METRICS.replace('backend="b"', 'backend=b'),
    `${METRICS}nobody_said_what_this_is 1\n`,
    `${METRICS}?\n`,
  ]) {
    assert.throws(() => parseMetrics(wrong), wrong.slice(-60));
  }
});

const line = (changes) => ({
  time: '2026-01-01T00:00:00.000Z',
  listener: 'front',
  client: '127.0.0.1:1',
  cluster: 'web',
  backend: 'anna',
  attempts: 2,
  received: 10,
  sent: 64,
  connect_ms: 1,
  duration_ms: 60,
  reason: 'client_closed',
  why: { policy: 'first', trial: false, passed_over: { tried: 1 } },
  ...changes,
});

const NAMES = {
  listeners: ['front', 'idle'],
  clusters: ['web'],
  backends: ['web/anna', 'web/bert'],
};

test('lines_of_the_access_log_are_summed_up', () => {
  const entries = [
    line(),
    line({ client: '127.0.0.1:2', reason: 'no_backend', attempts: 0, connect_ms: null, sent: 65 }),
  ];
  const text = entries.map((one) => `${JSON.stringify(one)}\n`).join('');
  const live = [{ cluster: 'web', attempts: 3, connect_ms: 7 }];
  const view = fromAccessLog(text, live, NAMES);
  assert.equal(view.process[''].lines, 2);
  assert.equal(view.listener.front.no_backend, 1);
  assert.equal(view.listener.front['turned away'], 1);
  assert.equal(view.listener.front['sent up to 64'], 1);
  assert.equal(view.listener.front['seconds up to 0.05'], 0);
  assert.equal(view.listener.front['seconds up to 0.1'], 2);
  assert.equal(view.listener.idle.lines, 0);
  assert.equal(view.cluster.web.retries, 1);
  assert.equal(view.cluster.web['retries, and live'], 3);
  assert.equal(view.cluster.web['seconds to connect, and live'], 0.008);
  assert.equal(view.backend['web/anna'].connected, 1);
  assert.equal(view.backend['web/bert'].connected, 0);
  assert.equal(view.ended['127.0.0.1:1'].passed_over, '1 tried');
  assert.equal(view.ended['127.0.0.1:2'].connect_ms, NONE);
});

test('a_line_that_is_not_complete_is_an_error', () => {
  assert.deepEqual(parseAccessLog(''), []);
  assert.throws(() => parseAccessLog(JSON.stringify(line())), /no end/);
  assert.throws(() => parseAccessLog('{"listener":\n'));
});

test('fields_of_an_answer_have_the_names_of_their_places', () => {
  assert.deepEqual(
    fieldsOfObject({ a: 1, b: { c: null, d: { e: true, f: [] } }, g: ['x', 'y'] }),
    { a: 1, 'b.c': NONE, 'b.d.e': 'yes', 'b.d.f': NONE, g: 'x y' },
  );
  assert.ok(fieldsOfObject({ uptime_ms: 5 }).uptime_ms instanceof Rounded);
});

const lines = (...parts) => parts.join('');

const CTL = {
  status: `sluice 1.2 (x), process 7: accepting for 1.2s
connections  3 of 500
backends     1 of 2 available
clusters     1
listeners    1
workers      0:1 1:2
`,
  clusters: lines(
    'CLUSTER  BACKEND  ADDRESS      STATE  HEALTH     BREAKER               ',
    '  WEIGHT  ACTIVE  FAILURES  OPENS  OUT BY\n',
    'web      anna     127.0.0.1:1  ready  no probes  open, trial in 1h59m  ',
    '       1       3         5      2  breaker limit\n',
  ),
  listeners: lines(
    'LISTENER  ADDRESS      CLUSTER  ACTIVE  MAX\n',
    'front     127.0.0.1:2  web           3    -\n',
  ),
  sessions: lines(
    'SESSION  LISTENER  CLIENT       BACKEND   STATE      AGE  RECEIVED  SENT  WHY THERE\n',
    '1-2-3    front     127.0.0.1:4  web/anna  relaying  12ms    2.9KiB    7B  ',
    'first, passed over 2 health 1 breaker, trial\n',
  ),
};

test('the_tables_of_ctl_are_read_by_their_heads', () => {
  const { process, worker, backend, listener, session } = fromCtl(CTL);
  assert.equal(process[''].version, '1.2 (x)');
  assert.equal(process['']['connections of'], 500);
  assert.deepEqual(worker, { 0: { connections: 1 }, 1: { connections: 2 } });
  const { HEALTH, BREAKER, WEIGHT, OPENS, 'OUT BY': causes } = backend['web/anna'];
  assert.equal(causes, 'breaker limit');
  assert.deepEqual({ HEALTH, BREAKER, WEIGHT, OPENS }, {
    HEALTH: 'unprobed',
    BREAKER: 'open',
    WEIGHT: 1,
    OPENS: 2,
  });
  assert.equal(listener.front.MAX, NONE);
  const { policy, trial, SENT, 'passed over': passed } = session['127.0.0.1:4'];
  assert.deepEqual([policy, trial, SENT, passed], ['first', 'yes', 7, '1 breaker, 2 health']);
});

test('a_table_of_ctl_that_lacks_a_cell_is_an_error', () => {
  const listeners = CTL.listeners.replace(' -', '');
  assert.throws(() => fromCtl({ ...CTL, listeners }), /not a row/);
  const status = CTL.status.replace('3 of 500', 'many');
  assert.throws(() => fromCtl({ ...CTL, status }), /not understood/);
});

test('a_number_that_can_be_seen_and_was_not_read_is_found', () => {
  const texts = { visible: 'a 1\nb 22 of 3', sheets: [], a: '1', b: ['22', { c: '3' }] };
  assert.deepEqual(unreadNumbers(texts), []);
  assert.deepEqual(unreadNumbers({ ...texts, visible: 'a 1\nb 22 of 3, 1' }), ['1'], 'twice');
  const sheets = [{ visible: 'x 7', ruling: 'x 8' }];
  assert.deepEqual(unreadNumbers({ ...texts, sheets }), ['7']);
});
