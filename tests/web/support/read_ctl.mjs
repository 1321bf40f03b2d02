// What `sluice ctl` prints for people, as a view.

import { match, readBytes, readDuration, Rounded } from './rounded.mjs';
import { passedOverText, sum } from './words.mjs';

const SLACK_MS = 30_000;

// `texts` has one for each of status, clusters, listeners and sessions.
export function fromCtl({ status, clusters, listeners, sessions }) {
  const backends = rowsOf(clusters);
  const live = rowsOf(sessions);
  const { workers, ...process } = readStatus(status);
  return {
    process: {
      '': {
        ...process,
        workers: Object.keys(workers).length,
        'rows of clusters': backends.length,
        'rows of listeners': rowsOf(listeners).length,
        'rows of sessions': live.length,
      },
    },
    worker: workers,
    listener: byKey(rowsOf(listeners), ({ LISTENER }) => LISTENER, listenerFields),
    cluster: Object.fromEntries(
      [...new Set(backends.map(({ CLUSTER }) => CLUSTER))].map((name) => [
        name,
        clusterFields(backends.filter(({ CLUSTER }) => CLUSTER === name)),
      ]),
    ),
    backend: byKey(backends, ({ CLUSTER, BACKEND }) => `${CLUSTER}/${BACKEND}`, backendFields),
    session: byKey(
      live.filter(({ STATE }) => STATE !== 'pending'),
      ({ CLIENT }) => CLIENT,
      sessionFields,
    ),
    waiting: byKey(
      live.filter(({ STATE }) => STATE === 'pending'),
      ({ CLIENT }) => CLIENT,
      sessionFields,
    ),
  };
}

function byKey(rows, key, fields) {
  const found = {};
  for (const row of rows) {
    if (key(row) in found) throw new Error(`${key(row)} comes twice`);
    found[key(row)] = fields(row);
  }
  return found;
}

// Of a table below its head: cells stand two spaces or more apart, none is empty.
function rowsOf(text) {
  const [head, ...lines] = text.trimEnd().split('\n');
  const names = cellsOf(head);
  return lines.map((line) => {
    const cells = cellsOf(line);
    if (cells.length !== names.length) throw new Error(`not a row: ${line}`);
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  });
}

const cellsOf = (line) => line.trim().split(/ {2,}/);

const number = (text) => (text === '-' ? text : Number(match(text, /(\d+)/)[0]));

const moving = (text) => {
  const { least, most } = readDuration(text);
  return new Rounded(least - SLACK_MS, most + SLACK_MS);
};

const STATUS = new RegExp(
  [
    /sluice (.+), process (\d+): (\w+) for (.+)/,
    /connections  (\d+) of (\d+)/,
    /backends     (\d+) of (\d+) available/,
    /clusters     (\d+)/,
    /listeners    (\d+)/,
    /workers     ((?: \d+:\d+)*)/,
  ]
    .map(({ source }) => source)
    .join('\n'),
);

function readStatus(text) {
  const found = match(text.trimEnd(), STATUS);
  const [version, pid, state, uptime, active, most, available, all, clusters, listeners] = found;
  const workers = found[10].trim().split(' ').map((worker) => worker.split(':'));
  return {
    version,
    pid: Number(pid),
    state,
    uptime: moving(uptime),
    connections: Number(active),
    'connections of': Number(most),
    'backends available': Number(available),
    'backends of': Number(all),
    clusters: Number(clusters),
    listeners: Number(listeners),
    workers: Object.fromEntries(
      workers.map(([name, count]) => [name, { connections: Number(count) }]),
    ),
  };
}

const listenerFields = ({ ADDRESS, CLUSTER, ACTIVE, MAX }) => ({
  ADDRESS,
  CLUSTER,
  ACTIVE: number(ACTIVE),
  MAX: number(MAX),
});

const clusterFields = (rows) => ({
  rows: rows.length,
  'sum of ACTIVE': sum(rows.map(({ ACTIVE }) => number(ACTIVE))),
});

function backendFields(row) {
  const { ADDRESS, STATE, HEALTH, BREAKER, WEIGHT, ACTIVE, FAILURES, OPENS } = row;
  const [breaker, trial] = match(BREAKER, /(\w+)(?:, trial in (.+))?/);
  return {
    ADDRESS,
    STATE,
    HEALTH: HEALTH === 'no probes' ? 'unprobed' : HEALTH,
    BREAKER: breaker,
    'trial in': trial ? moving(trial) : '-',
    WEIGHT: number(WEIGHT),
    ACTIVE: number(ACTIVE),
    FAILURES: number(FAILURES),
    OPENS: number(OPENS),
    'OUT BY': row['OUT BY'],
  };
}

function sessionFields(row) {
  const [cluster, backend] = match(row.BACKEND, /([^/]+)\/(.+)/);
  const [policy, passed, trial] = match(
    row['WHY THERE'],
    /(\w+)(?:, passed over ((?:\d+ \w+ ?)+))?(, trial)?/,
  );
  const counts = [...(passed ?? '').matchAll(/(\d+) (\w+)/g)].map(([, count, why]) => [why, count]);
  return {
    SESSION: row.SESSION,
    LISTENER: row.LISTENER,
    cluster,
    backend,
    STATE: row.STATE,
    AGE: moving(row.AGE),
    RECEIVED: readBytes(row.RECEIVED),
    SENT: readBytes(row.SENT),
    policy,
    'passed over': passedOverText(Object.fromEntries(counts.map(([why, n]) => [why, Number(n)]))),
    trial: trial ? 'yes' : 'no',
  };
}
