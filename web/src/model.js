// What the page shows, made of two sources: snapshots are the state, events are the history. An
// event is never applied to the state; it is the reason to ask for a new snapshot at once. So what
// is shown has always been true at one moment.

import { Backend, backendKey } from './backend.js';
import { epochOf } from './events.js';
import { History, Meter } from './history.js';

export const EVENTS_MAX = 1000;
const SAMPLES_MAX = 120;
// Snapshots come early when something happens; rates over a blink would be noise.
const MEASURE_MS_MIN = 900;
// Backends come and go with host names; of those that went, so many are remembered.
const REMEMBERED_MAX = 5000;

const TOTALS = ['sessions', 'connects', 'failures', 'latency', 'received', 'sent'];

export class Model {
  status = null;
  clusters = []; // {name, api, backends: [Backend]}
  listeners = []; // {name, api, rate, series}
  backends = []; // all, in the order of the API
  events = []; // the newest first, each with its number
  eventsLost = 0; // that can never be shown
  isHistoryTold = false; // the event stream was open once: no event means that there is none
  history = new History(SAMPLES_MAX);
  totals = Object.fromEntries(
    TOTALS.map((name) => [name, { value: NaN, series: this.history.makeSeries() }]),
  );

  #byKey = new Map();
  #byListener = new Map();
  #lastEvents = new Map(); // of backends, also of those that no snapshot has shown yet
  #measuredAt = -Infinity;
  #eventCount = 0;

  find(cluster, backend) {
    return this.#byKey.get(backendKey(cluster, backend));
  }

  get outCount() {
    return this.backends.reduce((sum, backend) => sum + (backend.isOut ? 1 : 0), 0);
  }

  get fullCount() {
    return this.backends.reduce((sum, backend) => sum + (backend.isFull ? 1 : 0), 0);
  }

  // The three answers, asked for at the same time; `tick` is steady milliseconds.
  takeSnapshot({ status, clusters, listeners }, tick) {
    if (this.status !== null && processOf(status) !== processOf(this.status)) this.forgetRates();
    this.status = status;
    this.#takeClusters(clusters.clusters);
    this.#takeListeners(listeners.listeners);
    if (tick - this.#measuredAt >= MEASURE_MS_MIN) this.#measure(tick);
  }

  takeEvent(event) {
    this.#eventCount += 1;
    const numbered = { ...event, number: this.#eventCount, at: Date.parse(event.time) };
    this.events.unshift(numbered);
    if (this.events.length > EVENTS_MAX) this.events.pop();
    const key = backendKey(event.cluster, event.backend);
    const ofBackend = this.#lastEvents.get(key) ?? {};
    ofBackend[event.kind] = numbered;
    this.#lastEvents.delete(key); // and to the end, as the youngest
    this.#lastEvents.set(key, ofBackend);
    if (this.#lastEvents.size > REMEMBERED_MAX) {
      this.#lastEvents.delete(this.#lastEvents.keys().next().value);
    }
    const backend = this.#byKey.get(key);
    if (backend) backend.lastEvents = ofBackend;
    return numbered;
  }

  // What comes next cannot be compared with what was: there was a time in between, or a restart.
  forgetRates() {
    for (const backend of this.backends) backend.forgetRates();
    for (const listener of this.listeners) {
      listener.meter.forget();
      listener.rate = NaN;
    }
    for (const total of Object.values(this.totals)) total.value = NaN;
    this.#measuredAt = -Infinity;
  }

  #takeClusters(list) {
    const known = this.#byKey;
    this.#byKey = new Map();
    this.backends = [];
    this.clusters = list.map((api) => ({
      name: api.name,
      api,
      backends: api.backends.map((one) => this.#takeBackend(known, api.name, one)),
    }));
  }

  #takeBackend(known, cluster, api) {
    const key = backendKey(cluster, api.name);
    const backend = known.get(key) ?? new Backend(cluster, api.name, this.history);
    backend.lastEvents = this.#lastEvents.get(key) ?? backend.lastEvents;
    backend.take(api);
    this.#byKey.set(key, backend);
    this.backends.push(backend);
    return backend;
  }

  #takeListeners(list) {
    const known = this.#byListener;
    this.#byListener = new Map();
    this.listeners = list.map((api) => {
      const listener = known.get(api.name) ?? {
        name: api.name,
        meter: new Meter(),
        rate: NaN,
        series: this.history.makeSeries(),
      };
      listener.api = api;
      this.#byListener.set(api.name, listener);
      return listener;
    });
  }

  #measure(tick) {
    this.#measuredAt = tick;
    this.history.advance(tick);
    for (const backend of this.backends) backend.measure(tick);
    for (const listener of this.listeners) {
      listener.rate = listener.meter.update(listener.api.connections_total ?? NaN, tick);
      listener.series.set(listener.rate);
    }
    const sum = (name) => addKnown(this.backends.map((backend) => backend.rates[name]));
    this.#setTotal('sessions', this.status.connections?.active);
    for (const name of ['connects', 'failures', 'received', 'sent'])
      this.#setTotal(name, sum(name));
    this.#setTotal('latency', greatestKnown(this.backends.map((backend) => backend.latency.p99)));
    this.totals.latency.bounds = this.backends[0]?.latency.bounds;
    const spans = this.backends.map((backend) => backend.latency.spanMs);
    this.totals.latency.spanMs = greatestKnown(spans);
  }

  #setTotal(name, value) {
    const total = this.totals[name];
    total.value = value ?? NaN;
    total.series.set(total.value);
  }
}

// Two processes may have the same number, but never began to count events at the same time.
function processOf({ pid, last_event_id: id }) {
  return `${pid} ${epochOf(id ?? '')}`;
}

// NaN when none is known.
export function addKnown(values) {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? NaN : known.reduce((sum, value) => sum + value, 0);
}

export function greatestKnown(values) {
  return values.reduce(
    (most, value) => (Number.isFinite(value) && !(value <= most) ? value : most),
    NaN,
  );
}
