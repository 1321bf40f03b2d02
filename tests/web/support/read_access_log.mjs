// The access log, as JSON, as a view: each line, and what they add up to.

import { NONE } from './rounded.mjs';
import {
  BYTES_BOUNDS,
  CONNECT_BOUNDS,
  DURATION_BOUNDS,
  fieldsOf,
  passedOverText,
  REASONS,
  REJECTIONS,
  sum,
} from './words.mjs';

export function parseAccessLog(text) {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

// `live`, the API's sessions, are added where a number is of those that go on, too: such a field
// says so. `names` are those of the listeners, clusters and backends.
export function fromAccessLog(text, live, names) {
  const lines = parseAccessLog(text);
  return {
    ended: Object.fromEntries(lines.map((line) => [line.client, lineFields(line)])),
    process: { '': { lines: lines.length } },
    listener: fieldsOf(names.listeners, (name) => [
      name,
      listenerFields(lines.filter(({ listener }) => listener === name)),
    ]),
    cluster: fieldsOf(names.clusters, (name) => {
      const isOfIt = ({ cluster }) => cluster === name;
      return [name, clusterFields(lines.filter(isOfIt), live.filter(isOfIt))];
    }),
    backend: fieldsOf(names.backends, (name) => [
      name,
      backendFields(lines.filter((one) => `${one.cluster}/${one.backend}` === name)),
    ]),
  };
}

function lineFields({ client: _, why, ...line }) {
  return {
    ...line,
    backend: line.backend ?? NONE,
    time: Date.parse(line.time),
    connect_ms: line.connect_ms ?? NONE,
    connected: line.connect_ms === null ? 'no' : 'yes',
    policy: why.policy,
    trial: why.trial ? 'yes' : 'no',
    passed_over: passedOverText(why.passed_over),
  };
}

const sumOf = (lines, name) => sum(lines.map((line) => line[name]));

const countUpTo = (numbers, bound) => numbers.filter((number) => number <= bound).length;

function listenerFields(lines) {
  const upTo = (name) => (bound) => [
    `${name} up to ${bound}`,
    countUpTo(
      lines.map((line) => line[name]),
      bound,
    ),
  ];
  const durations = lines.map((line) => line.duration_ms);
  return {
    lines: lines.length,
    ...fieldsOf(REASONS, (word) => [word, lines.filter(({ reason }) => reason === word).length]),
    'turned away': lines.filter(({ reason }) => REJECTIONS.includes(reason)).length,
    received: sumOf(lines, 'received'),
    sent: sumOf(lines, 'sent'),
    ...fieldsOf(BYTES_BOUNDS, upTo('received')),
    ...fieldsOf(BYTES_BOUNDS, upTo('sent')),
    seconds: sum(durations) / 1000,
    ...fieldsOf(DURATION_BOUNDS, (bound) => [
      `seconds up to ${bound}`,
      countUpTo(durations, Math.round(1000 * bound)),
    ]),
  };
}

function clusterFields(lines, live) {
  const retries = (list) => sum(list.map(({ attempts }) => Math.max(attempts - 1, 0)));
  const took = (list) => list.map((one) => one.connect_ms).filter((ms) => ms !== null);
  const all = [...took(lines), ...took(live)];
  return {
    connected: took(lines).length,
    retries: retries(lines),
    'retries, and live': retries([...lines, ...live]),
    'connected, and live': all.length,
    'seconds to connect, and live': sum(all) / 1000,
    ...fieldsOf(CONNECT_BOUNDS, (bound) => [
      `connected up to ${bound}, and live`,
      countUpTo(all, Math.round(1000 * bound)),
    ]),
  };
}

function backendFields(lines) {
  const served = lines.filter((line) => line.connect_ms !== null);
  return {
    connected: served.length,
    received: sumOf(lines, 'received'),
    sent: sumOf(lines, 'sent'),
  };
}
