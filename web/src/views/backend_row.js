// One backend in the table. What it is left out by is always up to date; the numbers, which change
// with every snapshot, only while the row is in sight.

import { h, icon, setAttribute, setHidden, setIcon, setText } from '../dom.js';
import { DASH, formatBytes, formatConnectTime, formatCount, formatRate } from '../format.js';
import { Sparkline } from '../charts.js';
import { breakerCountdown } from '../words.js';
import { standingOf, standingWord } from '../tones.js';
import { cell, row, showFailures, StateMark } from './cells.js';

const rows = new WeakMap();

export class BackendRow {
  isInSight = false;
  #icon = icon('none');
  #standing = h('span', { class: 'visually-hidden' });
  #name;
  #about;
  #who;
  #marks = {
    administrative: new StateMark('administrative'),
    health: new StateMark('health'),
    breaker: new StateMark('breaker'),
  };
  #countdown = h('span', { class: 'countdown' });
  #sessions = cell('Sessions', { isNumber: true });
  #connects = h('span', { class: 'figure' });
  #spark = new Sparkline({ width: 72, height: 22 });
  #failures = cell('Failures/s', { isNumber: true });
  #latency = cell('p50 / p99, 1 min', { isNumber: true });
  #bytes = cell('In / out per s', { isNumber: true });
  #weight = cell('Weight', { isNumber: true });

  constructor(backend, open) {
    this.backend = backend;
    this.#name = h('button', {
      type: 'button',
      class: 'name',
      text: backend.name,
      title: backend.name,
      tabindex: '-1',
      'aria-haspopup': 'dialog',
      on: { click: () => open(this.backend) },
    });
    this.#about = h('span', { class: 'sub', text: describe(backend) });
    this.#who = h(
      'div',
      { class: 'who' },
      this.#icon,
      h('div', {}, this.#name, this.#standing, this.#about),
    );
    this.element = this.#layOut();
    this.element.dataset.cluster = backend.cluster;
    this.element.dataset.backend = backend.name;
    rows.set(this.element, this);
  }

  static of(element) {
    return rows.get(element);
  }

  update(backend, { serverNow, tick }) {
    this.backend = backend;
    const { api } = backend;
    const { icon: shape, tone } = standingOf(backend);
    setIcon(this.#icon, shape);
    setAttribute(this.#who, 'data-tone', tone);
    setText(this.#standing, standingWord(backend));
    this.#marks.administrative.update(api.administrative.state);
    this.#marks.health.update(api.health.probes === false ? 'unprobed' : api.health.state);
    this.#marks.breaker.update(api.breaker.enabled ? api.breaker.state : 'off');
    this.tick(serverNow);
    if (this.isInSight) this.#updateNumbers(tick);
  }

  tick(serverNow) {
    const isCounting = Number.isFinite(this.backend.retryAt);
    setHidden(this.#countdown, !isCounting);
    if (isCounting) setText(this.#countdown, breakerCountdown(this.backend, serverNow));
  }

  setTabStop(isStop) {
    setAttribute(this.#name, 'tabindex', isStop ? '0' : '-1');
  }

  focus() {
    this.#name.focus();
  }

  #updateNumbers(tick) {
    const { backend } = this;
    const { api, rates, latency } = backend;
    setText(this.#about, describe(backend));
    setText(this.#sessions, formatCount(backend.sessions));
    this.#sessions.classList.toggle('zero', backend.sessions === 0);
    setText(this.#connects, formatRate(rates.connects));
    this.#spark.update(backend.series.connects.points(), tick);
    showFailures(this.#failures, rates.failures, formatRate(rates.failures));
    const { p50, p99, bounds } = latency;
    const of = (ms) => formatConnectTime(ms, bounds);
    setText(this.#latency, Number.isFinite(p50) ? `${of(p50)} / ${of(p99)}` : DASH);
    setText(this.#bytes, `${formatBytes(rates.received)} / ${formatBytes(rates.sent)}`);
    const configured = api.configured_weight;
    const isChanged = configured !== undefined && configured !== api.weight;
    setText(this.#weight, isChanged ? `${api.weight} (${configured})` : formatCount(api.weight));
  }

  #layOut() {
    const breaker = h('div', { class: 'breaker' }, this.#marks.breaker.element, this.#countdown);
    const connects = h('span', { class: 'with-spark' }, this.#spark.element, this.#connects);
    return row(
      cell('', {}, this.#who),
      cell('Administrative', {}, this.#marks.administrative.element),
      cell('Health', {}, this.#marks.health.element),
      cell('Breaker', {}, breaker),
      this.#sessions,
      cell('Connects/s', { isNumber: true }, connects),
      this.#failures,
      this.#latency,
      this.#bytes,
      this.#weight,
    );
  }
}

function describe({ cluster, api }) {
  const priority = api.priority > 0 ? ` · priority ${api.priority}` : '';
  return `${cluster} · ${api.address}${priority}`;
}
