// One backend, everything about it, and what can be done with it.

import { canBeUsed, h, setAttribute, setHidden, setText, setUsable } from '../dom.js';
import {
  count,
  DASH,
  formatByteRate,
  formatConnectTime,
  formatCount,
  formatCountdown,
  formatDay,
  formatRate,
} from '../format.js';
import { ACTIONS, describeWindow, explainCauses, stateWord } from '../words.js';
import { standingOf } from '../tones.js';
import { moment, StateMark } from './cells.js';
import { Tile } from './tiles.js';

const EVENTS_SHOWN = 8;

const CHARTS = [
  { name: 'connects', title: 'Connects per second', format: formatRate, tone: 'accent' },
  { name: 'failures', title: 'Failures per second', format: formatRate, tone: 'bad' },
  { name: 'received', title: 'Received from clients', format: formatByteRate, tone: 'good' },
  { name: 'sent', title: 'Sent to clients', format: formatByteRate, tone: 'good' },
];

export class BackendSheet {
  #dialog = document.getElementById('sheet');
  #content = document.getElementById('sheet-content');
  #backend = null;
  #parts = null;
  #act;
  #showSessions;
  #time = { serverNow: NaN, tick: 0 };
  #lastEvent = null;

  // `act(backend, action)` asks for a confirmation; `showSessions(backend)`.
  constructor({ act, showSessions }) {
    this.#act = act;
    this.#showSessions = showSessions;
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // on what is behind it
    });
    this.#dialog.addEventListener('close', () => {
      this.#backend = null;
    });
  }

  open(backend, model) {
    this.#backend = backend;
    this.#parts = this.#build(backend);
    this.#content.replaceChildren(this.#parts.head, this.#parts.body);
    this.#lastEvent = null;
    this.#update(model);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
  }

  update(model, serverNow, tick) {
    this.#time = { serverNow, tick };
    if (this.#backend) this.#update(model);
  }

  tick(serverNow) {
    this.#time.serverNow = serverNow;
    if (this.#backend) this.#showRuling();
  }

  #update(model) {
    const now = model.find(this.#backend.cluster, this.#backend.name);
    if (!now) {
      setText(this.#parts.ruling, 'This backend is no longer there.');
      setAttribute(this.#parts.ruling, 'data-tone', 'warn');
      for (const button of Object.values(this.#parts.buttons)) setUsable(button, false);
      return;
    }
    this.#backend = now;
    setText(
      this.#parts.about,
      `${now.cluster} · ${now.api.address} · priority ${now.api.priority}`,
    );
    this.#showRuling();
    this.#showCauses();
    this.#showNumbers();
    this.#showEvents(model);
  }

  #showRuling() {
    const { ruling } = this.#parts;
    const causes = explainCauses(this.#backend);
    setAttribute(ruling, 'data-tone', standingOf(this.#backend).tone);
    if (causes.length === 0) {
      setText(ruling, `Takes connections: ${count(this.#backend.sessions, 'session')} now.`);
      return;
    }
    const texts = causes.map(({ text, retryAt }) =>
      Number.isFinite(retryAt)
        ? `${text}; tried again ${formatCountdown(retryAt - this.#time.serverNow)}`
        : text,
    );
    const standing = this.#backend.isFull ? 'Takes no more' : 'Left out';
    setText(ruling, `${standing}: ${texts.join('. Also ')}.`);
  }

  #showCauses() {
    const { marks, notes, buttons } = this.#parts;
    const { administrative, health, breaker } = this.#backend.api;
    marks.administrative.update(administrative.state);
    const isChanged = administrative.state !== administrative.configured;
    setText(
      notes.administrative,
      isChanged
        ? `Set at run time; the configuration says ${administrative.configured}.`
        : 'As configured.',
    );
    marks.health.update(health.probes === false ? 'unprobed' : health.state);
    setText(notes.health, describeHealth(health));
    marks.breaker.update(breaker.enabled ? breaker.state : 'off');
    setText(notes.breaker, describeBreaker(breaker));
    setUsable(buttons.ready, administrative.state !== 'ready');
    setUsable(buttons.drain, administrative.state !== 'draining');
    setUsable(buttons.maintenance, administrative.state !== 'maintenance');
    setUsable(buttons.trip, breaker.enabled && breaker.state === 'closed');
    setUsable(buttons.reset, breaker.enabled);
  }

  #showNumbers() {
    const { rates, series, api } = this.#backend;
    for (const { spec, tile } of this.#parts.tiles) {
      tile.update({ value: rates[spec.name], series: series[spec.name] }, this.#time.tick, '');
    }
    for (const [outcome, number] of Object.entries(api.connects ?? {})) {
      const value = (this.#parts.outcomes[outcome] ??= this.#addOutcome(outcome));
      setText(value, formatCount(number));
    }
    const { latency, latencySinceStart } = this.#backend;
    setText(
      this.#parts.latency,
      `Connect time, ${describeWindow(latency.spanMs)}: ${describeTimes(latency)}; ` +
        `since the start: ${describeTimes(latencySinceStart)}.`,
    );
  }

  #addOutcome(outcome) {
    const value = h('dd');
    this.#parts.outcomeList.append(
      h('div', {}, h('dt', { text: outcome.replaceAll('_', ' ') }), value),
    );
    return value;
  }

  #showEvents(model) {
    const { cluster, name } = this.#backend;
    const today = formatDay(this.#time.serverNow);
    const newest = `${model.events[0]?.number ?? 0} ${today}`;
    if (newest === this.#lastEvent) return;
    this.#lastEvent = newest;
    const its = model.events
      .filter((event) => event.cluster === cluster && event.backend === name)
      .slice(0, EVENTS_SHOWN);
    setHidden(this.#parts.happenedPanel, its.length === 0);
    this.#parts.happened.replaceChildren(
      ...its.map((event) =>
        h(
          'li',
          {},
          moment(event, today),
          h('span', { text: `${event.kind} ${stateWord(event.to)}: ${event.why}` }),
        ),
      ),
    );
  }

  #build(backend) {
    const parts = { buttons: {}, marks: {}, notes: {}, outcomes: {} };
    const close = h('button', {
      type: 'button',
      text: 'Close',
      on: { click: () => this.#dialog.close() },
    });
    parts.about = h('p');
    parts.head = h(
      'div',
      { class: 'sheet-head' },
      h('div', {}, h('h2', { id: 'sheet-title', text: backend.name }), parts.about),
      close,
    );
    parts.ruling = h('p', { class: 'ruling' });
    parts.tiles = CHARTS.map((spec) => ({ spec, tile: new Tile(spec) }));
    parts.outcomeList = h('dl', { class: 'outcomes' });
    parts.latency = h('p');
    parts.happened = h('ol', { class: 'happened' });
    const title = h('h3', { text: 'What happened to it (times in UTC)' });
    parts.happenedPanel = h('div', {}, title, parts.happened);
    parts.body = h(
      'div',
      { class: 'sheet-body' },
      parts.ruling,
      this.#buildCauses(parts),
      h('div', { class: 'sheet-charts' }, ...parts.tiles.map(({ tile }) => tile.element)),
      h('div', {}, h('h3', { text: 'Connects so far' }), parts.outcomeList, parts.latency),
      parts.happenedPanel,
      h('div', {}, this.#buildSessionsButton()),
    );
    return parts;
  }

  #buildSessionsButton() {
    const show = () => {
      const backend = this.#backend;
      this.#dialog.close();
      this.#showSessions(backend);
    };
    return h('button', { type: 'button', text: 'Show its live sessions', on: { click: show } });
  }

  #ask(action) {
    if (canBeUsed(this.#parts.buttons[action])) this.#act(this.#backend, action);
  }

  #buildCauses(parts) {
    const cause = (kind, title, actions) => {
      parts.marks[kind] = new StateMark(kind);
      parts.notes[kind] = h('p');
      const buttons = actions.map((action) => {
        parts.buttons[action] = h('button', {
          type: 'button',
          text: ACTIONS[action].label,
          'data-action': action,
          'aria-haspopup': 'dialog',
          on: { click: () => this.#ask(action) },
        });
        return parts.buttons[action];
      });
      return h(
        'section',
        { class: 'cause', 'data-kind': kind, 'aria-label': title },
        h('h3', { text: title }),
        parts.marks[kind].element,
        parts.notes[kind],
        buttons.length > 0 ? h('div', { class: 'buttons' }, ...buttons) : null,
      );
    };
    return h(
      'div',
      { class: 'causes-list' },
      cause('administrative', 'Administrative', ['ready', 'drain', 'maintenance']),
      cause('health', 'Health', []),
      cause('breaker', 'Breaker', ['trip', 'reset']),
    );
  }
}

function describeTimes({ p50, p99, bounds }) {
  if (Number.isNaN(p50)) return DASH;
  return `p50 ${formatConnectTime(p50, bounds)}, p99 ${formatConnectTime(p99, bounds)}`;
}

function describeHealth({ probes, state, passed_in_row: passed, failed_in_row: failed }) {
  if (probes === false) return 'This cluster has no probes (health_check is off).';
  if (state === 'unknown') return 'No probe has answered yet.';
  if (failed > 0) return `The last ${count(failed, 'probe')} failed.`;
  return `The last ${count(passed, 'probe')} passed.`;
}

function describeBreaker(breaker) {
  if (!breaker.enabled) return 'This cluster has no breaker (circuit_breaker is off).';
  const parts = [
    `${count(breaker.consecutive_failures, 'connect failure')} in a row`,
    `opened ${count(breaker.opens, 'time')} so far`,
  ];
  if (breaker.ejected_by) parts.push(`kept open by outlier detection (${breaker.ejected_by})`);
  return `${parts.join(', ')}.`;
}
