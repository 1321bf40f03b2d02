// /metrics as a view: each series is a field of the thing that its labels name, called by its name
// and, in braces, the values of its other labels.

import { match, NONE, Rounded } from './rounded.mjs';
import { PROBE_RESULTS, sum } from './words.mjs';

const SLACK_MS = 30_000;
const BREAKER_STATES = ['closed', 'open', 'half_open'];

// [{name, labels, value}] of Prometheus' text format; throws at what is none of it.
export function parseMetrics(text) {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const types = new Map();
  const seen = new Set();
  const samples = [];
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) {
      const [kind, name, type] = match(line, /# (HELP|TYPE) (\w+) (.*)/);
      if (kind === 'TYPE') types.set(name, type);
      continue;
    }
    const [name, , labels, value] = match(line, /([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)/);
    if (!types.has(name) && !types.has(name.replace(/_(bucket|sum|count)$/, ''))) {
      throw new Error(`${name} has no TYPE`);
    }
    const key = `${name}{${labels}}`;
    if (seen.has(key)) throw new Error(`${key} comes twice`);
    seen.add(key);
    samples.push({ name, labels: parseLabels(labels ?? ''), value: parseNumber(value) });
  }
  return samples;
}

function parseLabels(text) {
  const pair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/;
  match(text, new RegExp(`(?:${pair.source}(?:,${pair.source})*,?)?`));
  const unescape = (value) =>
    value.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
  const pairs = [...text.matchAll(new RegExp(pair.source, 'g'))];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, unescape(value)]));
}

function parseNumber(text) {
  const special = { '+Inf': Infinity, '-Inf': -Infinity }[text];
  const number = special ?? Number(text);
  if (Number.isNaN(number)) throw new Error(`no number: ${text}`);
  return number;
}

export function fromMetrics(text) {
  const view = { process: { '': {} }, worker: {}, listener: {}, cluster: {}, backend: {} };
  for (const sample of parseMetrics(text)) {
    const { kind, subject, field } = placeOf(sample);
    const fields = (view[kind][subject] ??= {});
    fields[field] = sample.value;
  }
  addProcess(view);
  addSums(view);
  for (const fields of Object.values(view.backend)) nameStates(fields);
  return view;
}

function placeOf({ name, labels: { listener, cluster, backend, worker, le, ...rest } }) {
  const labels = { ...rest };
  delete labels.version;
  const values = Object.values(labels);
  // As JavaScript writes it: one may be 1.048576e+06.
  if (le !== undefined) values.push(le === '+Inf' ? le : String(Number(le)));
  if (worker === 'control') values.push(worker);
  const field = values.length > 0 ? `${name}{${values.join(',')}}` : name;
  if (listener !== undefined) return { kind: 'listener', subject: listener, field };
  if (backend !== undefined) return { kind: 'backend', subject: `${cluster}/${backend}`, field };
  if (cluster !== undefined) return { kind: 'cluster', subject: cluster, field };
  if (worker !== undefined && worker !== 'control') {
    return { kind: 'worker', subject: worker, field };
  }
  return { kind: 'process', subject: '', field };
}

function addProcess({ process }) {
  const fields = process[''];
  fields.process_start_time_seconds = Rounded.around(
    1000 * fields.process_start_time_seconds,
    SLACK_MS,
  );
}

function addSums({ process, worker, listener, cluster, backend }) {
  // NaN, which is missing, where one of them has none.
  const sumOf = (kind, name, isWanted = () => true) =>
    sum(
      Object.entries(kind)
        .filter(([subject]) => isWanted(subject))
        .map(([, fields]) => fields[name] ?? NaN),
    );
  Object.assign(process[''], {
    'sum of workers': sumOf(worker, 'sluice_worker_connections_active'),
    'sum of listeners': sumOf(listener, 'sluice_listener_connections_active'),
    'sum of available': sumOf(cluster, 'sluice_cluster_available_backends'),
  });
  for (const [name, fields] of Object.entries(cluster)) {
    fields['sum of backends'] = sumOf(backend, 'sluice_backend_connections_active', (one) =>
      one.startsWith(`${name}/`),
    );
  }
  for (const fields of Object.values(listener)) {
    const its = Object.entries(fields);
    const add = (name) => sum(its.filter(([key]) => key.startsWith(name)).map(([, n]) => n));
    fields['sum of ends'] = add('sluice_session_ends_total{');
    fields['sum of rejected'] = add('sluice_listener_rejected_total{');
  }
}

// A health that is unknown, and results of probes that have not come, are not there.
function nameStates(fields) {
  const isProbed = 'sluice_probes_total{passed}' in fields;
  for (const result of PROBE_RESULTS) {
    fields[`sluice_probes_total{${result}}`] ??= isProbed ? 0 : NONE;
  }
  const { sluice_backend_health: health, sluice_breaker_state: breaker } = fields;
  fields.sluice_backend_health =
    health === undefined
      ? { true: 'unknown', false: 'unprobed' }[isProbed]
      : { 0: 'unhealthy', 1: 'healthy' }[health];
  fields.sluice_breaker_state = BREAKER_STATES[breaker];
}
