// The table of backends: filter, sort, and a row each. Built for a thousand of them: rows are made
// a few at a time and stand in groups; the browser lays out the groups in sight and no other
// (content-visibility), and only their rows are brought up to date with every number.

import { h, setAttribute, setChildren, setHidden, setText } from '../dom.js';
import { formatCount } from '../format.js';
import { arrange, hold, SORTS } from '../listing.js';
import { BackendRow } from './backend_row.js';

// Rows made in one go: the reader's next click must not wait.
const ROWS_A_FRAME = 60;
const ROWS_A_GROUP = 25;
const AHEAD = '400px';

const COLUMNS = [
  ['name', 'Backend'],
  ['administrative', 'Administrative'],
  ['health', 'Health'],
  ['breaker', 'Breaker'],
  ['sessions', 'Sessions'],
  ['connects', 'Connects/s'],
  ['failures', 'Failures/s'],
  ['latency', 'p50 / p99, 1 min'],
  ['bytes', 'In / out per s'],
  ['weight', 'Weight'],
];
const LEFT_ALIGNED = 4;

export class BackendsView {
  #section = document.getElementById('backends');
  #table = document.getElementById('backends-table');
  #groups = []; // as many as there are rows for
  #count = document.getElementById('backends-count');
  #outCount = document.getElementById('out-count');
  #empty = document.getElementById('backends-empty');
  #filterField = document.getElementById('backends-filter');
  #clusterField = document.getElementById('backends-cluster');
  #sortField = document.getElementById('backends-sort');
  #directionButton = document.getElementById('backends-direction');
  #heads = new Map();
  #filter = { text: '', cluster: '', standing: 'all' };
  #sort = { by: 'standing', direction: 1 };
  #rows = new Map();
  #shown = []; // keys, in order
  #focusKey = null; // of the row that Tab goes to
  #open;
  #model = null;
  #time = { serverNow: NaN, tick: 0 };
  #isFrameAsked = false;
  #mustArrange = false;
  #inSight = new IntersectionObserver((entries) => this.#see(entries), {
    rootMargin: `${AHEAD} 0px`,
  });

  constructor({ openBackend }) {
    this.#open = openBackend;
    this.#makeHead();
    this.#filterField.addEventListener('input', () => this.#refilter());
    this.#clusterField.addEventListener('change', () => this.#refilter());
    this.#sortField.addEventListener('change', () => this.#sortBy(this.#sortField.value));
    this.#directionButton.addEventListener('click', () => this.#sortBy(this.#sort.by));
    for (const radio of this.#standings()) radio.addEventListener('change', () => this.#refilter());
    this.#table.addEventListener('keydown', (event) => this.#walk(event));
    this.#table.addEventListener('focusin', (event) => this.#focused(event.target));
  }

  update(model, serverNow, tick) {
    this.#model = model;
    this.#time = { serverNow, tick };
    this.#listClusters();
    setText(this.#outCount, formatCount(model.outCount));
    this.#show();
  }

  tick(serverNow) {
    this.#time.serverNow = serverNow;
    for (const key of this.#shown) {
      const row = this.#rows.get(key);
      if (row?.isInSight) row.tick(serverNow);
    }
  }

  // Shows those that `filter` names, and goes there.
  goTo({ cluster = '', standing = 'all', text = '' }) {
    this.#filterField.value = text;
    this.#clusterField.value = cluster;
    for (const radio of this.#standings()) radio.checked = radio.value === standing;
    this.#refilter();
    this.#section.scrollIntoView({ block: 'start' });
    this.#section.focus({ preventScroll: true });
  }

  #standings() {
    return this.#section.querySelectorAll('input[name="standing"]');
  }

  // --- order -----------------------------------------------------------------------------------

  #refilter() {
    const standing = [...this.#standings()].find((radio) => radio.checked)?.value ?? 'all';
    this.#filter = { text: this.#filterField.value, cluster: this.#clusterField.value, standing };
    this.#rearrange();
  }

  // What it is sorted by already: the other way round.
  #sortBy(by) {
    const isSame = this.#sort.by === by;
    const direction = isSame ? -this.#sort.direction : SORTS[by].direction;
    this.#sort = { by, direction };
    this.#showSort();
    this.#rearrange();
  }

  // The reader has asked for it, so nothing is held in its place.
  #rearrange() {
    this.#mustArrange = true;
    this.#askFrame();
  }

  #askFrame() {
    if (this.#isFrameAsked) return;
    this.#isFrameAsked = true;
    requestAnimationFrame(() => {
      this.#isFrameAsked = false;
      if (this.#model) this.#show();
    });
  }

  #show() {
    let backends = arrange(this.#model.backends, this.#filter, this.#sort);
    if (!this.#mustArrange && this.#isPointedAt()) backends = hold(this.#shown, backends);
    this.#mustArrange = false;
    this.#shown = backends.map(({ key }) => key);
    this.#makeRows(backends);
    this.#forgetGone();
    this.#place(this.#shown.map((key) => this.#rows.get(key)).filter(Boolean));
    this.#updateRows(backends);
    this.#moveTabStop();
    this.#showCount(backends.length);
  }

  #isPointedAt() {
    return this.#groups.some(
      ({ element }) => element.matches(':hover') || element.contains(document.activeElement),
    );
  }

  #place(rows) {
    const count = Math.ceil(rows.length / ROWS_A_GROUP);
    while (this.#groups.length < count) this.#groups.push(this.#makeGroup());
    for (const { element } of this.#groups.splice(count)) {
      this.#inSight.unobserve(element);
      element.remove();
    }
    this.#groups.forEach((group, i) => {
      const its = rows.slice(i * ROWS_A_GROUP, (i + 1) * ROWS_A_GROUP);
      for (const row of its) row.isInSight = group.isInSight;
      fill(
        group.element,
        its.map(({ element }) => element),
      );
      group.element.style.setProperty('--rows', its.length);
    });
  }

  #makeGroup() {
    const element = h('tbody', { role: 'rowgroup' });
    // Taken for seen until the observer says otherwise, which is before it is drawn.
    const group = { element, isInSight: true };
    this.#table.append(element);
    this.#inSight.observe(element);
    return group;
  }

  #makeRows(backends) {
    let made = 0;
    for (const backend of backends) {
      if (this.#rows.has(backend.key)) continue;
      if (made === ROWS_A_FRAME) {
        this.#askFrame();
        return;
      }
      made += 1;
      this.#rows.set(backend.key, new BackendRow(backend, (one) => this.#open(one)));
    }
  }

  #forgetGone() {
    if (this.#rows.size <= this.#model.backends.length) return;
    const there = new Set(this.#model.backends.map(({ key }) => key));
    for (const key of this.#rows.keys()) if (!there.has(key)) this.#rows.delete(key);
  }

  #updateRows(backends) {
    for (const backend of backends) this.#rows.get(backend.key)?.update(backend, this.#time);
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const group = this.#groups.find(({ element }) => element === target);
      if (!group) continue;
      group.isInSight = isIntersecting;
      for (const child of target.children) {
        const row = BackendRow.of(child);
        row.isInSight = isIntersecting;
        if (isIntersecting) row.update(row.backend, this.#time);
      }
    }
  }

  #showCount(number) {
    const total = this.#model.backends.length;
    setText(
      this.#count,
      number === total ? formatCount(total) : `${formatCount(number)} of ${formatCount(total)}`,
    );
    setHidden(this.#empty, number > 0);
    const isFiltered = number === 0 && total > 0;
    setText(this.#empty, isFiltered ? 'No backend matches.' : 'There is no backend.');
  }

  // --- the keyboard: one tab stop, arrows between the rows -------------------------------------

  #moveTabStop() {
    if (!this.#shown.includes(this.#focusKey)) this.#focusKey = this.#shown[0] ?? null;
    for (const key of this.#shown) this.#rows.get(key)?.setTabStop(key === this.#focusKey);
  }

  #focused(target) {
    const row = BackendRow.of(target.closest('tr'));
    if (!row) return;
    this.#rows.get(this.#focusKey)?.setTabStop(false);
    this.#focusKey = row.backend.key;
    row.setTabStop(true);
  }

  #walk(event) {
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 10,
      PageUp: -10,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!BackendRow.of(event.target.closest('tr'))) return; // in the head
    event.preventDefault();
    const last = this.#shown.length - 1;
    const at = this.#shown.indexOf(this.#focusKey);
    const to = Math.min(Math.max(at + step, 0), last);
    this.#rows.get(this.#shown[to])?.focus();
  }

  // --- the head --------------------------------------------------------------------------------

  #makeHead() {
    COLUMNS.forEach(([by, title], i) => {
      const button = h('button', {
        type: 'button',
        text: title,
        on: { click: () => this.#sortBy(by) },
      });
      const head = h(
        'th',
        { role: 'columnheader', scope: 'col', class: i < LEFT_ALIGNED ? undefined : 'number' },
        button,
      );
      this.#heads.set(by, head);
      document.getElementById('backends-head').append(head);
    });
    const options = Object.entries(SORTS).map(([by, { label }]) =>
      h('option', { value: by, text: `Sort: ${label}` }),
    );
    this.#sortField.append(...options);
    this.#showSort();
  }

  #showSort() {
    const { by, direction } = this.#sort;
    const word = direction > 0 ? 'ascending' : 'descending';
    setText(this.#directionButton, direction > 0 ? '↑' : '↓');
    setAttribute(this.#directionButton, 'aria-label', `Order: ${word}; turn it round`);
    for (const [one, head] of this.#heads) {
      setAttribute(head, 'aria-sort', one === by ? word : null);
    }
    this.#sortField.value = by;
  }

  #listClusters() {
    const names = this.#model.clusters.map(({ name }) => name);
    const options = [...this.#clusterField.options].slice(1);
    const isSame =
      options.length === names.length && options.every((option, i) => option.value === names[i]);
    if (isSame) return;
    const chosen = this.#clusterField.value;
    const made = names.map((name) => h('option', { value: name, text: name }));
    setChildren(this.#clusterField, [this.#clusterField.options[0], ...made]);
    this.#clusterField.value = names.includes(chosen) ? chosen : '';
    if (this.#clusterField.value !== chosen) this.#refilter();
  }
}

// At once, which is quick, unless the focus is in there, which would be lost by it.
function fill(group, children) {
  const isSame =
    group.children.length === children.length &&
    children.every((child, i) => child === group.children[i]);
  if (isSame) return;
  if (group.contains(document.activeElement)) setChildren(group, children);
  else group.replaceChildren(...children);
}
