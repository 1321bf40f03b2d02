// What the dashboard shows, as a view. Each text must be wholly understood: what is not is an
// error, so that no number on the page is overlooked.

import {
  match,
  NONE,
  readByteRate,
  readBytes,
  readConnectTime,
  readCount,
  readDuration,
  readRate,
  Rounded,
} from './rounded.mjs';
import { fieldsOf, OUTCOMES, passedOverText, REJECTIONS } from './words.mjs';

const SLACK_MS = 30_000;
// What the page's latest connect times are of: it was opened before the first, less than a minute
// ago.
const WINDOW = /last \d+ s/;

const POLICIES = {
  'its turn in round robin': 'round_robin',
  'first in the list': 'first',
};

const OBSTACLES = {
  'already tried': 'tried',
  'draining or in maintenance': 'administrative',
  unhealthy: 'health',
  'at the limit': 'limit',
  'breaker open': 'breaker',
};

// `texts` are those of page_text.mjs.
export function fromPage(texts) {
  const isWaiting = ({ cells }) => cells.Backend.text.endsWith(' (pending)');
  const byClient = (rows, fields) => byKey(rows, ({ cells }) => cells.Client.text, fields);
  return {
    process: { '': processFields(texts) },
    listener: byKey(texts.listeners, ({ name }) => name, listenerFields),
    cluster: byKey(texts.clusters, ({ name }) => name, clusterFields),
    backend: byKey(texts.backends, nameOf, (row) => ({
      ...rowFields(row),
      ...sheetFields(find(texts.sheets, row)),
      ...timelineFields(texts.timeline, find(texts.sheets, row)),
      ...verdictFields(texts.verdict, row, find(texts.sheets, row)),
    })),
    session: byClient(
      texts.sessions.filter((row) => !isWaiting(row)),
      sessionFields,
    ),
    waiting: byClient(texts.sessions.filter(isWaiting), waitingFields),
  };
}

const nameOf = ({ cluster, name }) => `${cluster}/${name}`;

function byKey(rows, key, fields) {
  const found = {};
  for (const row of rows) {
    if (key(row) in found) throw new Error(`${key(row)} comes twice`);
    found[key(row)] = fields(row);
  }
  return found;
}

function find(list, row) {
  const found = list.filter((one) => nameOf(one) === nameOf(row));
  if (found.length !== 1) throw new Error(`${found.length} of ${nameOf(row)}`);
  return found[0];
}

const moving = (value) =>
  value === NONE ? NONE : new Rounded(value.least - SLACK_MS, value.most + SLACK_MS);

// "in 1 h 59 min" behind other words, or nothing.
function readCountdown(text, before) {
  return text === '' ? NONE : moving(readDuration(match(text, new RegExp(`${before} in (.+)`))[0]));
}

// --- the whole ---------------------------------------------------------------------------------

function processFields({ title, version, serving, verdict, tiles, counts, timeline, ...rest }) {
  const [available, all] = match(title, /(\d+)\/(\d+) · Sluice/);
  const [, state, uptime, workers, pid] = match(
    serving,
    /(.+) · (\w+) · up (.+) · (\d+) workers? · process (\d+)/,
  );
  const out = /(\d+) of (\d+) backends left out \((\d+) of them on purpose\)/;
  const full = /(\d+) of (\d+) backends at the limit/;
  const numbers = match(verdict.title, new RegExp(`${out.source} · ${full.source}`)).map(Number);
  return {
    version,
    state,
    uptime: moving(readDuration(uptime)),
    workers: Number(workers),
    pid: Number(pid),
    'title available': Number(available),
    'title backends': Number(all),
    'verdict out': numbers[0],
    'verdict out of': numbers[1],
    'verdict on purpose': numbers[2],
    'verdict at the limit': numbers[3],
    'verdict at the limit of': numbers[4],
    'verdict show all': Number(match(verdict.more, /Show all (\d+)/)[0]),
    'backends count': readCount(counts.backends),
    'left out count': readCount(counts.out),
    'sessions count': readCount(counts.sessions),
    'rows of clusters': rest.clusters.length,
    'rows of listeners': rest.listeners.length,
    'rows of backends': rest.backends.length,
    'rows of sessions': rest.sessions.length,
    timeline: timeline.length,
    ...tileFields(tiles),
  };
}

function tileFields(tiles) {
  const { Sessions: sessions, 'Connect time, p99': latency } = tiles;
  const measured = {
    'Connects per second': readRate,
    'Failures per second': readRate,
    'Received from clients': readByteRate,
    'Sent to clients': readByteRate,
  };
  const known = new Set([...Object.keys(measured), 'Sessions', 'Connect time, p99']);
  const unknown = Object.keys(tiles).filter((title) => !known.has(title));
  if (unknown.length > 0) throw new Error(`unknown tiles: ${unknown}`);
  const fields = {
    'tile Sessions': readCount(sessions.value),
    'tile Sessions at most': readCount(match(sessions.note, /of at most (.+)/)[0]),
    'tile Connect time': readConnectTime(latency.value),
  };
  match(latency.note, new RegExp(`slowest, ${WINDOW.source}`));
  for (const [title, read] of Object.entries(measured)) {
    fields[`tile ${title}`] = read(tiles[title].value);
    fields[`tile ${title}, most`] = read(match(tiles[title].note, /most (.+)/)[0]);
  }
  return fields;
}

// --- listeners and clusters --------------------------------------------------------------------

const REJECTED = {
  'no backend was available': 'no_backend',
  'no connect succeeded': 'connect_failed',
  'at a limit': 'limit',
  'not allowed': 'denied',
  'not what the protocol wants': 'protocol_error',
  'out of memory or descriptors': 'resource',
};

function listenerFields({ addresses, reasons, cells }) {
  const [sessions, most] = match(cells.Sessions.text, /(.+?)(?: of (.+))?/);
  const told = reasons === '' ? [] : match(reasons, /Rejected: (.+)/)[0].split(', ');
  const rejected = Object.fromEntries(
    told.map((text) => match(text, /(.+) (\S+)/)).map(([why, n]) => [REJECTED[why], readCount(n)]),
  );
  return {
    addresses,
    Cluster: cells.Cluster.text,
    Sessions: readCount(sessions),
    'Sessions at most': most ? readCount(most) : NONE,
    'Accepted/s': readRate(cells['Accepted/s'].text),
    Accepted: readCount(cells.Accepted.text),
    Rejected: readCount(cells.Rejected.text),
    ...fieldsOf(REJECTIONS, (word) => [`Rejected ${word}`, rejected[word] ?? 0]),
  };
}

function clusterFields({ about, available, cells }) {
  const [taking, all] = match(available, /(\d+) of (\d+)/);
  return {
    policy: match(about, /(\w+)/)[0],
    Available: Number(taking),
    'Available of': Number(all),
    Sessions: readCount(cells.Sessions.text),
    Waiting: readCount(cells.Waiting.text),
    'Connects/s': readRate(cells['Connects/s'].text),
    'Failures/s': readRate(cells['Failures/s'].text),
  };
}

// --- backends ----------------------------------------------------------------------------------

const toWord = (text) => text.replaceAll(' ', '_');

function rowFields({ cluster, about, standing, countdown, breaker, cells }) {
  const [address] = match(about, new RegExp(`${cluster} · (\\S+)`));
  const [p50, p99] = match(cells['p50 / p99, 1 min'].text, /–|(.+) \/ (.+)/);
  const [received, sent] = match(cells['In / out per s'].text, /(.+) \/ (.+)/);
  const [weight, configured] = match(cells.Weight.text, /(\d+)(?: \((\d+)\))?/);
  return {
    address,
    standing,
    Administrative: cells.Administrative.text,
    Health: cells.Health.text,
    Breaker: toWord(breaker),
    'trial in': readCountdown(countdown, 'next trial'),
    Sessions: readCount(cells.Sessions.text),
    'Connects/s': readRate(cells['Connects/s'].text),
    'Failures/s': readRate(cells['Failures/s'].text),
    p50: readConnectTime(p50 ?? NONE),
    p99: readConnectTime(p99 ?? NONE),
    'In/s': readByteRate(received),
    'Out/s': readByteRate(sent),
    Weight: Number(weight),
    'Weight configured': Number(configured ?? weight),
  };
}

function sheetFields(sheet) {
  const { administrative, health, breaker } = sheet.causes;
  const [address, priority] = match(
    sheet.about,
    new RegExp(`${sheet.cluster} · (\\S+) · priority (\\d+)`),
  );
  const times = /–|p50 ([^,]+), p99 ([^,]+)/.source;
  const [p50, p99, p50SinceStart, p99SinceStart] = match(
    sheet.latency,
    new RegExp(`Connect time, ${WINDOW.source}: (?:${times}); since the start: (?:${times})\\.`),
  );
  const { texts: _, ...ruling } = readRuling(sheet.ruling);
  const rates = {
    'Connects per second': readRate,
    'Failures per second': readRate,
    'Received from clients': readByteRate,
    'Sent to clients': readByteRate,
  };
  return {
    ...ruling,
    'sheet address': address,
    'sheet priority': Number(priority),
    'sheet administrative': administrative.state,
    'sheet configured': readConfigured(administrative),
    'sheet health': health.state,
    ...readHealthNote(health.note),
    'sheet breaker': toWord(breaker.state),
    ...readBreakerNote(breaker.note),
    'sheet p50': readConnectTime(p50 ?? NONE),
    'sheet p99': readConnectTime(p99 ?? NONE),
    'sheet p50 since the start': readConnectTime(p50SinceStart ?? NONE),
    'sheet p99 since the start': readConnectTime(p99SinceStart ?? NONE),
    ...Object.fromEntries(
      Object.entries(rates).map(([title, read]) => [
        `sheet ${title}`,
        read(sheet.tiles[title].value),
      ]),
    ),
    ...fieldsOf(OUTCOMES, (outcome) => [
      `sheet ${outcome}`,
      readCount(sheet.outcomes[outcome.replaceAll('_', ' ')]),
    ]),
  };
}

function readConfigured({ state, note }) {
  const [other] = match(note, /As configured\.|Set at run time; the configuration says (\w+)\./);
  return other ?? state;
}

function readHealthNote(note) {
  const none = /This cluster has no probes \(health_check is off\)\./;
  const some = /The last (\d+) probes? (passed|failed)\./;
  const [count, verdict] = match(note, new RegExp(`${none.source}|${some.source}`));
  return {
    'sheet passed in a row': verdict === 'passed' ? Number(count) : 0,
    'sheet failed in a row': verdict === 'failed' ? Number(count) : 0,
  };
}

// One that has no breaker has neither failed nor opened.
function readBreakerNote(note) {
  const none = /This cluster has no breaker \(circuit_breaker is off\)\./;
  const some = /(\d+) connect failures? in a row, opened (\d+) times? so far\./;
  const [failures, opened] = match(note, new RegExp(`${none.source}|${some.source}`));
  return {
    'sheet failures in a row': Number(failures ?? 0),
    'sheet opened': Number(opened ?? 0),
  };
}

const FAILURES = /(?:by an operator|(?<failures>\d+) connect failures? in a row, last: \w+)/;
const CAUSES = [
  ['administrative', /draining by an operator: keeps (?<active>\d+) sessions?/],
  ['health', /unhealthy: first probe failed: \w+/],
  ['breaker', new RegExp(`breaker open: ${FAILURES.source}; tried again in (?<trial>.+)`)],
  ['administrative', /in maintenance by an operator/],
  ['weight', /its weight is 0/],
  ['limit', /at its limit with (?<active>\d+) sessions?/],
];

// The sentence on top of a sheet: why it is left out, with the numbers in it.
function readRuling(text) {
  const [active, why] = match(
    text,
    /Takes connections: (\d+) sessions? now\.|(?:Left out|Takes no more): (.+)\./,
  );
  const texts = why ? why.split('. Also ') : [];
  const found = texts.map(readCause);
  const numberOf = (name) => found.map(({ numbers }) => numbers[name]).find(Boolean);
  const told = active ?? numberOf('active');
  const failures = numberOf('failures');
  return {
    texts,
    'sheet causes': found.map(({ cause }) => cause).join(' ') || NONE,
    'sheet sessions': told === undefined ? NONE : Number(told),
    'sheet failures that opened it': failures === undefined ? NONE : Number(failures),
    'sheet trial in': moving(readDuration(numberOf('trial') ?? NONE)),
  };
}

function readCause(text) {
  for (const [cause, pattern] of CAUSES) {
    const found = new RegExp(`^${pattern.source}$`).exec(text);
    if (found) return { cause, numbers: found.groups ?? {} };
  }
  throw new Error(`not understood: ${text}`);
}

// What the verdict says of those that it lists is what their own sheets say.
function verdictFields({ items }, { cluster, name }, sheet) {
  const item = items.find((one) => one.name === name && one.where.startsWith(`${cluster} · `));
  if (!item) return {};
  const said = item.countdown === '' ? item.causes : `${item.causes}; ${item.countdown}`;
  const { texts } = readRuling(sheet.ruling);
  if (texts.join('; ') !== said) throw new Error(`${said}, but its sheet: ${texts.join('; ')}`);
  return {};
}

// --- what happened -----------------------------------------------------------------------------

const EVENT = /(.+) of (.+): (administrative|health|breaker|weight) (.+) → (.+)/;
const PROBED = /first probe (?:passed|failed: \w+)/;
const FAILED = /(\d+) connect failures? in a row, last: \w+/;
const WHY = new RegExp(
  `(?:by an operator|${PROBED.source}|${FAILED.source})(?:; next trial after (.+))?`,
);

function timelineFields(timeline, sheet) {
  const its = timeline
    .map((event) => ({ ...event, fields: match(event.what, EVENT) }))
    .filter(({ fields: [name, cluster] }) => nameOf({ cluster, name }) === nameOf(sheet));
  compareWithSheet(its, sheet);
  const count = (kind, to) =>
    its.filter(({ fields }) => fields[2] === kind && (to === undefined || fields[4] === to)).length;
  const whys = its.map(({ why }) => match(why, WHY));
  const failures = whys.map(([number]) => number).find(Boolean);
  const trial = whys.map(([, wait]) => wait).find(Boolean);
  return {
    'timeline opened': count('breaker', 'open'),
    'timeline closed': count('breaker', 'closed'),
    'timeline half_open': count('breaker', 'half open'),
    'timeline administrative': count('administrative'),
    'timeline health': count('health'),
    'timeline weight': count('weight'),
    timeline: its.length,
    'timeline failures that opened it': failures === undefined ? NONE : Number(failures),
    'timeline trial after': trial === undefined ? NONE : readDuration(trial),
  };
}

// The sheet's own list of events has the same ones.
function compareWithSheet(its, { happened }) {
  const told = its.map(({ time, to, why, fields: [, , kind] }) => ({
    time,
    text: `${kind} ${to}: ${why.replace(/; next trial after .*$/, '')}`,
  }));
  if (JSON.stringify(told) !== JSON.stringify(happened)) {
    throw new Error(`${JSON.stringify(happened)}, but the timeline: ${JSON.stringify(told)}`);
  }
}

// --- live sessions -----------------------------------------------------------------------------

function sessionFields({ cells }) {
  const [backend, state] = match(cells.Backend.text, /(\S+)(?: \((.+)\))?/);
  return {
    ...placeFields(cells),
    backend,
    state: state ?? 'relaying',
    ...readChoice(cells['Why this backend'].text),
  };
}

function waitingFields({ cells }) {
  match(cells['Why this backend'].text, /none chosen yet/);
  const [backend, state] = match(cells.Backend.text, /(\S+) \((.+)\)/);
  return { ...placeFields(cells), backend: backend === '–' ? NONE : backend, state };
}

function placeFields(cells) {
  return {
    Listener: cells.Listener.text,
    Connect: readConnectTime(cells.Connect.text),
    Received: readBytes(cells.Received.text),
    Sent: readBytes(cells.Sent.text),
    Age: moving(readDuration(cells.Age.text)),
  };
}

// its turn in round robin · after 1 failed attempt · passed over: 1 unhealthy, 2 breaker open
function readChoice(text) {
  const attempts = /(?: · after (\d+) failed attempts?)?/;
  const [policy, trial, failed, passed] = match(
    text,
    new RegExp(`([^·]+?)( · the breaker's trial)?${attempts.source}(?: · passed over: (.+))?`),
  );
  const counts = (passed?.split(', ') ?? []).map((one) => match(one, /(\d+) (.+)/));
  return {
    policy: POLICIES[policy],
    trial: trial ? 'yes' : 'no',
    attempts: Number(failed ?? 0) + 1,
    'passed over': passedOverText(
      Object.fromEntries(counts.map(([number, why]) => [OBSTACLES[why], Number(number)])),
    ),
  };
}
