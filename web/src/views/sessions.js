// Live sessions: who, where, and why there. Asked for only while the table is in sight.

import { h, KeyedList, setHidden, setText } from '../dom.js';
import { DASH, formatBytes, formatConnectTime, formatDuration } from '../format.js';
import { describeCount, describeNone, select } from '../session_list.js';
import { explainChoice, stateWord } from '../words.js';
import { cell, row } from './cells.js';

const INTERVAL_MS = 2000;
export const SESSIONS_MAX = 100;

export class SessionsView {
  #panel = document.getElementById('sessions-panel');
  #filter = document.getElementById('sessions-filter');
  #count = document.getElementById('sessions-count');
  #empty = document.getElementById('sessions-empty');
  #rows = document.getElementById('sessions');
  #onlyButton = document.getElementById('sessions-only');
  #only = null; // {cluster, backend} whose sessions are shown; null for all
  #list;
  #ask;
  #answer = null;
  #isInSight = false;
  #askedAt = -Infinity;
  #isAsking = false;

  // `ask({limit, only})` resolves to the API's answer; `close(session)` asks whether to end it.
  constructor({ ask, close }) {
    this.#ask = ask;
    this.#list = new KeyedList(this.#rows, (session) => new SessionRow(session, close));
    this.#filter.addEventListener('input', () => this.#show());
    this.#onlyButton.addEventListener('click', () => {
      this.#choose(null);
      this.#filter.focus({ preventScroll: true });
    });
    new IntersectionObserver((entries) => {
      this.#isInSight = entries.at(-1).isIntersecting;
    }).observe(this.#panel);
  }

  // Shows those of one backend, and goes there.
  goTo({ cluster, name }) {
    this.#filter.value = '';
    this.#choose({ cluster, backend: name });
    this.#panel.scrollIntoView({ block: 'start' });
    this.#filter.focus({ preventScroll: true });
  }

  refresh() {
    this.#askedAt = -Infinity;
  }

  // Each second or so.
  async tick(tick) {
    if (!this.#isInSight || this.#isAsking || isCovered()) return;
    if (tick - this.#askedAt < INTERVAL_MS) return;
    this.#askedAt = tick;
    this.#isAsking = true;
    try {
      const only = this.#only;
      const answer = await this.#ask({ limit: SESSIONS_MAX, only });
      if (only === this.#only) this.#answer = answer; // or something else is wanted by now
      if (!isCovered()) this.#show();
    } catch {
      // The snapshots' failure is told; these just stay as they are.
    }
    this.#isAsking = false;
  }

  // What is shown of others is not an answer to this.
  #choose(only) {
    this.#only = only;
    this.#answer = null;
    this.#list.update([]);
    this.refresh();
    setHidden(this.#onlyButton, only === null);
    if (only) {
      setText(this.#onlyButton, `Of ${only.backend} in ${only.cluster} ✕`);
      const label = `Of ${only.backend} in ${only.cluster}: show the sessions of all`;
      this.#onlyButton.setAttribute('aria-label', label);
    }
    setText(this.#count, '');
    setText(this.#empty, 'Not known yet.');
    setHidden(this.#empty, false);
  }

  #focusedRow() {
    const rows = [...this.#rows.children];
    return rows.findIndex((one) => one.contains(document.activeElement));
  }

  // The focused one is gone, as one is that was just closed: the next takes the focus.
  #focusNear(place, rows) {
    const next = rows[Math.min(place, rows.length - 1)];
    if (next) next.focus();
    else this.#filter.focus({ preventScroll: true });
  }

  #show() {
    if (!this.#answer) return;
    const wanted = { only: this.#only, text: this.#filter.value };
    const shown = select(this.#answer.sessions, wanted);
    const place = this.#focusedRow();
    const rows = this.#list.update(shown.map((session) => [session.id, session]));
    rows.forEach((one, i) => one.update(shown[i]));
    if (place >= 0 && this.#focusedRow() < 0) this.#focusNear(place, rows);
    setText(this.#count, describeCount(this.#answer, wanted));
    setHidden(this.#empty, shown.length > 0);
    setText(this.#empty, describeNone(this.#answer, wanted));
  }
}

// By a dialog, which will give the focus back to the row that it was opened from: until then that
// row stays, even if its session has ended.
function isCovered() {
  return document.querySelector('dialog[open]') !== null;
}

class SessionRow {
  #backend = cell('Backend');
  #why = cell('Why this backend');
  #connect = cell('Connect', { isNumber: true });
  #received = cell('Received', { isNumber: true });
  #sent = cell('Sent', { isNumber: true });
  #age = cell('Age', { isNumber: true });
  #button;
  #session;

  constructor(session, close) {
    this.#session = session;
    this.#button = h('button', {
      type: 'button',
      class: 'quiet',
      text: 'Close',
      'aria-label': `Close the session of ${session.client}`,
      'aria-haspopup': 'dialog',
      on: { click: () => close(this.#session) },
    });
    this.element = row(
      cell('Client', {}, h('span', { class: 'clip', text: session.client })),
      cell('Listener', {}, h('span', { class: 'clip', text: session.listener })),
      this.#backend,
      this.#why,
      this.#connect,
      this.#received,
      this.#sent,
      this.#age,
      cell('', { isNumber: true }, this.#button),
    );
    for (const one of [this.#backend, this.#why]) one.classList.add('clip');
  }

  focus() {
    this.#button.focus({ preventScroll: true });
  }

  update(session) {
    this.#session = session;
    const isRelaying = session.state === 'relaying';
    const where = session.backend ?? DASH;
    setText(this.#backend, isRelaying ? where : `${where} (${stateWord(session.state)})`);
    setText(this.#why, explainChoice(session));
    setText(this.#connect, formatConnectTime(session.connect_ms));
    setText(this.#received, formatBytes(session.received));
    setText(this.#sent, formatBytes(session.sent));
    setText(this.#age, formatDuration(session.duration_ms));
  }
}
