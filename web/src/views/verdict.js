// The answer at the top: who is out, why, and when it is tried again.

import { h, icon, KeyedList, setAttribute, setHidden, setIcon, setText } from '../dom.js';
import { count, formatCountdown } from '../format.js';
import { explainCauses } from '../words.js';
import { standingOf } from '../tones.js';
import { arrange } from '../listing.js';

const SHOWN_MAX = 5;
const ALL = { text: '', cluster: '', standing: 'out' };

export class VerdictView {
  #root = document.getElementById('verdict');
  #title = document.getElementById('verdict-title');
  #more = document.getElementById('verdict-more');
  #icon = icon('unknown');
  #text = h('span');
  #list;
  #items = [];

  constructor({ openBackend, showOut }) {
    this.#title.replaceChildren(this.#icon, this.#text);
    setText(this.#text, 'Waiting for the first answer');
    this.#more.addEventListener('click', showOut);
    this.#list = new KeyedList(
      document.getElementById('verdict-list'),
      (backend) => new Item(backend, openBackend),
    );
  }

  update(model, serverNow) {
    const out = arrange(model.backends, ALL, { by: 'standing', direction: 1 });
    const panicking = model.clusters.filter(({ api }) => api.priorities?.some((p) => p.in_panic));
    const numbers = {
      total: model.backends.length,
      out: out.length,
      troubled: out.filter((backend) => backend.isInTrouble).length,
      full: model.fullCount,
    };
    const tone = toneOf({ ...numbers, isPanic: panicking.length > 0 });
    setAttribute(this.#root, 'data-state', tone);
    setIcon(this.#icon, tone === 'good' ? 'ok' : tone === 'warn' ? 'draining' : 'sick');
    setText(this.#text, sentence({ ...numbers, panicking }));
    const shown = out.slice(0, SHOWN_MAX);
    this.#items = this.#list.update(shown.map((backend) => [backend.key, backend]));
    this.#items.forEach((item, i) => item.update(shown[i], serverNow));
    const hidden = out.length - shown.length;
    setHidden(this.#more, hidden <= 0);
    setText(this.#more, `Show all ${out.length}`);
  }

  tick(serverNow) {
    for (const item of this.#items) item.tick(serverNow);
  }
}

function toneOf({ troubled, out, full, total, isPanic }) {
  if (troubled > 0 || isPanic) return 'bad';
  return out + full > 0 || total === 0 ? 'warn' : 'good';
}

function sentence({ troubled, out, full, total, panicking }) {
  const parts = [];
  if (total === 0) parts.push('There is no backend');
  else if (out + full === 0 && total === 1) parts.push('The only backend takes connections');
  else if (out + full === 0) parts.push(`All ${count(total, 'backend')} take connections`);
  if (out > 0) {
    const meant = out > troubled ? ` (${out - troubled} of them on purpose)` : '';
    parts.push(`${out} of ${count(total, 'backend')} left out${meant}`);
  }
  if (full > 0) parts.push(`${full} of ${count(total, 'backend')} at the limit`);
  if (total > 0 && out + full === total) parts.push('nobody takes clients');
  for (const cluster of panicking) parts.push(`${cluster.name} is in panic: probes are ignored`);
  return parts.join(' · ');
}

class Item {
  #backend;
  #icon = icon('none');
  #name;
  #where = h('span', { class: 'where' });
  #causes = h('span', { class: 'causes' });
  #countdown = h('span', { class: 'countdown' });

  constructor(backend, openBackend) {
    this.#backend = backend;
    this.#name = h('button', {
      type: 'button',
      class: 'name',
      text: backend.name,
      'aria-haspopup': 'dialog',
      on: { click: () => openBackend(this.#backend) },
    });
    const who = h('span', { class: 'who' }, this.#icon, this.#name);
    this.element = h('li', {}, who, this.#where, this.#causes, this.#countdown);
  }

  update(backend, serverNow) {
    this.#backend = backend;
    const { icon: shape, tone } = standingOf(backend);
    setIcon(this.#icon, shape);
    setAttribute(this.element, 'data-tone', tone);
    setText(this.#where, `${backend.cluster} · ${backend.api.address}`);
    const causes = explainCauses(backend);
    setText(this.#causes, causes.map(({ text }) => text).join('; '));
    this.tick(serverNow);
  }

  tick(serverNow) {
    const { retryAt } = this.#backend;
    const isKnown = Number.isFinite(retryAt);
    setHidden(this.#countdown, !isKnown);
    if (isKnown) setText(this.#countdown, `tried again ${formatCountdown(retryAt - serverNow)}`);
  }
}
