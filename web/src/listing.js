// Which backends are shown and in what order.

// b2 before b10. One for all: a collator is much dearer to make than to ask.
const byText = new Intl.Collator('en', { numeric: true }).compare;

const byName = (a, b) => byText(a.name, b.name) || byText(a.cluster, b.cluster);

// What is not known is last, whichever way.
const known = (value, direction) => (Number.isFinite(value) ? value : Infinity * direction);

const number = (read) => (a, b, direction) => {
  const one = known(read(a), direction);
  const other = known(read(b), direction);
  return one === other ? 0 : one - other;
};

const rank = (states, read) => number((backend) => states.indexOf(read(backend)));

// Each with the direction that is meant when it is first asked for.
export const SORTS = {
  standing: { label: 'What needs a look', direction: 1, compare: number((b) => b.severity) },
  name: { label: 'Backend', direction: 1, compare: byName },
  administrative: {
    label: 'Administrative',
    direction: 1,
    compare: rank(['maintenance', 'draining', 'ready'], (b) => b.api.administrative.state),
  },
  health: {
    label: 'Health',
    direction: 1,
    compare: rank(['unhealthy', 'unknown', 'healthy'], (b) => b.api.health.state),
  },
  breaker: {
    label: 'Breaker',
    direction: 1,
    compare: rank(['open', 'half_open', 'closed'], (b) => b.api.breaker.state),
  },
  sessions: { label: 'Sessions', direction: -1, compare: number((b) => b.sessions) },
  connects: { label: 'Connects/s', direction: -1, compare: number((b) => b.rates.connects) },
  failures: { label: 'Failures/s', direction: -1, compare: number((b) => b.rates.failures) },
  latency: {
    label: 'Connect p99, last minute',
    direction: -1,
    compare: number((b) => b.latency.p99),
  },
  bytes: {
    label: 'In / out per s',
    direction: -1,
    compare: number((b) => b.rates.received + b.rates.sent),
  },
  weight: { label: 'Weight', direction: -1, compare: number((b) => b.api.weight) },
};

// `filter` is {text, cluster, standing}: every word of the text must be in its name, address or
// cluster; an empty cluster means all.
export function matches(backend, { text, cluster, standing }) {
  if (cluster !== '' && backend.cluster !== cluster) return false;
  if (standing === 'out' && !backend.isOut) return false;
  if (standing === 'available' && backend.isOut) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => backend.searchText.includes(word));
}

// A new list. Equals stay in the order of their names, whichever way.
export function arrange(backends, filter, { by, direction }) {
  const { compare } = SORTS[by];
  return backends
    .filter((backend) => matches(backend, filter))
    .sort((a, b) => direction * compare(a, b, direction) || byName(a, b));
}

// As `arranged`, but who was shown stays where it was: for while somebody points at a row.
export function hold(shownKeys, arranged) {
  const place = new Map(shownKeys.map((key, i) => [key, i]));
  const old = arranged.filter(({ key }) => place.has(key));
  old.sort((a, b) => place.get(a.key) - place.get(b.key));
  return [...old, ...arranged.filter(({ key }) => !place.has(key))];
}
