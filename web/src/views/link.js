// Whether what is shown is live, and how old it is when it is not; and what is read aloud.

import { setAttribute, setHidden, setText } from '../dom.js';
import { count, formatAgo, formatDuration, formatMoment } from '../format.js';
import { describeEvent } from '../words.js';

// More events at a time are counted, not told one by one.
const SPOKEN_MAX = 3;
const SPEAK_MS = 700;

export class LinkView {
  #link = document.getElementById('link');
  #text = document.getElementById('link-text');
  #lost = document.getElementById('lost');
  #lostText = document.getElementById('lost-text');
  #why = '';
  #retryAt = NaN;
  #lostAt = NaN;
  #asOf = NaN;

  constructor({ onRetry }) {
    document.getElementById('lost-retry').addEventListener('click', onRetry);
  }

  get isLost() {
    return this.#link.dataset.state === 'lost';
  }

  showLive() {
    setAttribute(this.#link, 'data-state', 'live');
    setText(this.#text, 'Live');
    setHidden(this.#lost, true);
    this.#lostAt = NaN;
  }

  // `asOf` is the server's time of what is shown; NaN when nothing is yet.
  showLost({ why, retryAt, asOf, tick }) {
    if (Number.isNaN(this.#lostAt)) {
      this.#lostAt = tick;
      this.#asOf = asOf;
    }
    this.#why = why;
    this.#retryAt = retryAt;
    setAttribute(this.#link, 'data-state', 'lost');
    this.tick(tick);
    setHidden(this.#lost, false);
  }

  tick(tick) {
    if (!this.isLost) return;
    const hadOne = !Number.isNaN(this.#asOf);
    setText(this.#text, hadOne ? `Lost ${formatAgo(tick - this.#lostAt)}` : 'Not connected');
    const waits = this.#retryAt - tick;
    const next = waits > 0 ? `trying again in ${Math.ceil(waits / 1000)} s` : 'trying again';
    const then = formatMoment(this.#asOf, this.#asOf + tick - this.#lostAt);
    const old = hadOne ? ` What you see is as it was at ${then} UTC.` : '';
    const what = hadOne ? 'Connection lost' : 'Not connected';
    setText(this.#lostText, `${what} (${this.#why}); ${next}.${old}`);
  }
}

export class ServingView {
  #version = document.getElementById('version');
  #serving = document.getElementById('serving');

  update({ status }) {
    setText(this.#version, status.version);
    const workers = status.workers?.length ?? 0;
    const parts = [
      location.host,
      status.state,
      `up ${formatDuration(status.uptime_ms)}`,
      count(workers, 'worker'),
      `process ${status.pid}`,
    ];
    setText(this.#serving, parts.join(' · '));
    document.title = `${status.backends.available}/${status.backends.total} · Sluice`;
  }
}

// Tells screen readers what changed, politely and in one breath. All that is not in the topmost
// dialog is inert, and what is inert is not heard: each dialog has a region of its own.
export class Announcer {
  #regions = [...document.querySelectorAll('.announcer')];
  #lines = [];
  #events = [];
  #timer = null;

  say(line) {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.#speak(), SPEAK_MS);
  }

  event(event) {
    this.#events.push(event);
    this.#timer ??= setTimeout(() => this.#speak(), SPEAK_MS);
  }

  #speak() {
    this.#timer = null;
    const lines = this.#lines.splice(0);
    const events = this.#events.splice(0);
    const untold = events.length - SPOKEN_MAX;
    if (untold > 0) lines.push(count(untold, 'more change'));
    lines.push(...events.slice(-SPOKEN_MAX).map(describeEvent));
    const heard = this.#heard();
    for (const region of this.#regions) setText(region, region === heard ? lines.join('. ') : '');
  }

  // The dialogs stand in the document in the order in which they can lie on each other.
  #heard() {
    const open = [...document.querySelectorAll('dialog[open] .announcer')];
    return open.at(-1) ?? this.#regions[0];
  }
}
