// The API's answers as a view, those of `ctl --json` likewise.

import { NONE, Rounded } from './rounded.mjs';
import { passedOverText } from './words.mjs';

export const PATHS = ['status', 'clusters', 'listeners', 'sessions'];

// By which what moves while it is read may be another in the next view.
const SLACK_MS = 30_000;

// What moves, or is worked out anew for each answer.
const MOVING = new Set(['uptime_ms', 'duration_ms', 'breaker.retry_in_ms']);
const TIMES = new Set(['time', 'started_at', 'breaker.retry_at']);

// `answers` has one for each of PATHS.
export function fromApi({ status, clusters, listeners, sessions }) {
  const backends = clusters.clusters.flatMap((cluster) =>
    cluster.backends.map((backend) => ({ ...backend, key: `${cluster.name}/${backend.name}` })),
  );
  const isPending = ({ state }) => state === 'pending';
  const byClient = (list) => byKey(list, 'client', sessionFields);
  return {
    process: { '': processFields(status, sessions, backends) },
    worker: byKey(status.workers, 'worker', fieldsOfObject),
    listener: byKey(listeners.listeners, 'name', fieldsOfObject),
    cluster: byKey(clusters.clusters, 'name', clusterFields),
    backend: byKey(backends, 'key', backendFields),
    session: byClient(sessions.sessions.filter((one) => !isPending(one))),
    waiting: byClient(sessions.sessions.filter(isPending)),
  };
}

function byKey(list, key, fields) {
  const found = {};
  for (const one of list) {
    const { [key]: subject, ...rest } = one;
    if (subject in found) throw new Error(`${key} ${subject} comes twice`);
    found[subject] = fields(rest);
  }
  return found;
}

function processFields({ workers, last_event_id: id, ...status }, sessions, backends) {
  const p99s = backends.map(({ connect_ms: ms }) => ms.p99).filter((ms) => ms !== null);
  return {
    ...fieldsOfObject(status),
    workers: workers.length,
    events: Number(id.slice(id.lastIndexOf('-') + 1)),
    'sessions.total': sessions.total,
    'sessions.complete': valueOf(sessions.complete),
    'slowest p99': p99s.length > 0 ? Math.max(...p99s) : NONE,
    'backends that are available': backends.filter(({ available }) => available).length,
  };
}

function clusterFields({ backends, priorities, ...cluster }) {
  return {
    ...fieldsOfObject(cluster),
    ...connectTimes(backends.map((backend) => backend.connect_ms)),
    ...fieldsOfObject({ priorities: { ...priorities } }),
    backends: backends.length,
    'backends that are available': backends.filter(({ available }) => available).length,
  };
}

function backendFields({ name: _, connect_ms: connectMs, ...backend }) {
  const { health, breaker } = backend;
  const { bounds: __, cumulative, ...percentiles } = connectMs;
  return {
    ...fieldsOfObject({ ...backend, connect_ms: percentiles }),
    ...connectTimes([connectMs]),
    'connect_ms of any': cumulative.at(-1),
    health: health.probes ? health.state : 'unprobed',
    breaker: breaker.enabled ? breaker.state : 'off',
  };
}

// How many connects of these backends took so many seconds at most.
function connectTimes(histograms) {
  const fields = {};
  for (const { bounds, cumulative } of histograms) {
    if (cumulative.length !== bounds.length + 1) throw new Error('connect_ms is no histogram');
    for (const [i, bound] of bounds.entries()) {
      const name = `connect_ms within ${bound / 1000}`;
      fields[name] = (fields[name] ?? 0) + cumulative[i];
    }
  }
  return fields;
}

function sessionFields({ why: { passed_over: counts, ...why }, ...session }) {
  return { ...fieldsOfObject({ ...session, why }), 'why.passed_over': passedOverText(counts) };
}

// {a: {b: 1}} as {'a.b': 1}.
export function fieldsOfObject(object, prefix = '') {
  const fields = {};
  for (const [key, value] of Object.entries(object)) {
    const name = `${prefix}${key}`;
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (isObject) Object.assign(fields, fieldsOfObject(value, `${name}.`));
    else fields[name] = valueOf(value, name);
  }
  return fields;
}

function valueOf(value, name = '') {
  if (value === null) return NONE;
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (Array.isArray(value)) return value.join(' ') || NONE;
  if (MOVING.has(name)) return Rounded.around(value, SLACK_MS);
  if (TIMES.has(name)) return Rounded.around(Date.parse(value), SLACK_MS);
  return value;
}
