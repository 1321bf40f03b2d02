// One backend as the page knows it: the API's last word, rates out of its counters, and why it last
// changed. Reads what there is: a field that this server does not tell is undefined and shown as a
// dash.

import { Meter } from './history.js';
import { ConnectTimes } from './latency.js';

// Outcomes that are the backend's own doing (not ours, nor a client's impatience).
export const FAILURES = ['refused', 'timeout', 'unreachable', 'reset', 'self_connect'];
const RATES = ['connects', 'failures', 'received', 'sent'];

// From what needs a look first to what needs none.
export const SEVERITY = {
  breakerOpen: 0,
  halfOpen: 1,
  unhealthy: 2,
  unknown: 3,
  limit: 4,
  maintenance: 5,
  draining: 6,
  weight: 7,
  fine: 9,
};

export function backendKey(cluster, backend) {
  return `${cluster}\0${backend}`;
}

export class Backend {
  #times = new ConnectTimes();
  #meters = Object.fromEntries(RATES.map((name) => [name, new Meter()]));

  constructor(cluster, name, history) {
    this.cluster = cluster;
    this.name = name;
    this.key = backendKey(cluster, name);
    this.searchText = '';
    this.api = null;
    this.rates = Object.fromEntries(RATES.map((rate) => [rate, NaN]));
    this.series = Object.fromEntries(RATES.map((rate) => [rate, history.makeSeries()]));
    this.lastEvents = {}; // by kind
  }

  take(api) {
    this.api = api;
    this.searchText = `${this.name}\n${api.address}\n${this.cluster}`.toLowerCase();
  }

  // At a moment of the history.
  measure(tick) {
    for (const name of RATES) {
      this.rates[name] = this.#meters[name].update(this.#counter(name), tick);
      this.series[name].set(this.rates[name]);
    }
    this.#times.update(this.api.connect_ms, tick);
  }

  forgetRates() {
    for (const name of RATES) {
      this.#meters[name].forget();
      this.rates[name] = NaN;
    }
    this.#times.forget();
  }

  get sessions() {
    return this.api.active_connections ?? this.api.connections_active;
  }

  get failures() {
    return FAILURES.reduce((sum, outcome) => sum + (this.api.connects?.[outcome] ?? 0), 0);
  }

  // How long its connects took in the last minute: whole milliseconds, NaN when there was none.
  get latency() {
    return this.#times.recent;
  }

  get latencySinceStart() {
    return this.#times.sinceStart;
  }

  // It has as many connections as it may and nothing else is wrong with it: it is one of those that
  // the server counts as available, and takes the next client when another one has gone.
  get isFull() {
    return String(this.leftOutBy) === 'limit';
  }

  get isOut() {
    return !this.api.available && !this.isFull;
  }

  get leftOutBy() {
    return this.api.left_out_by ?? [];
  }

  // When the next trial is due, milliseconds since 1970 at the server; NaN when none is.
  get retryAt() {
    return this.api.breaker.retry_at ? Date.parse(this.api.breaker.retry_at) : NaN;
  }

  get severity() {
    const { api } = this;
    if (api.breaker.enabled && api.breaker.state === 'open') return SEVERITY.breakerOpen;
    if (api.breaker.enabled && api.breaker.state === 'half_open') return SEVERITY.halfOpen;
    if (api.health.state === 'unhealthy') return SEVERITY.unhealthy;
    if (this.leftOutBy.includes('health')) return SEVERITY.unknown;
    if (this.leftOutBy.includes('limit')) return SEVERITY.limit;
    if (api.administrative.state === 'maintenance') return SEVERITY.maintenance;
    if (api.administrative.state === 'draining') return SEVERITY.draining;
    if (this.leftOutBy.includes('weight')) return SEVERITY.weight;
    return SEVERITY.fine;
  }

  // Nobody has asked for it.
  get isInTrouble() {
    return this.severity < SEVERITY.maintenance;
  }

  #counter(name) {
    const { connects } = this.api;
    switch (name) {
      case 'connects':
        return connects ? Object.values(connects).reduce((sum, value) => sum + value, 0) : NaN;
      case 'failures':
        return connects ? this.failures : NaN;
      case 'received':
        return this.api.received_bytes ?? NaN;
      default:
        return this.api.sent_bytes ?? NaN;
    }
  }
}
