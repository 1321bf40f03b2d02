// What has happened, the newest first.

import { h, icon, setHidden, setText } from '../dom.js';
import { count, formatDay, formatDuration } from '../format.js';
import { stateWord } from '../words.js';
import { lookOf } from '../tones.js';
import { moment } from './cells.js';

const PAGE = 60;

export class TimelineView {
  #list = document.getElementById('timeline');
  #empty = document.getElementById('timeline-empty');
  #more = document.getElementById('timeline-more');
  #kind = document.getElementById('timeline-kind');
  #shownMax = PAGE;
  #newest = 0; // the number of the newest event that is shown
  #lost = 0;
  #today = ''; // at the server: what is of another day shows that
  #model = null;
  #isComplete = false; // the first catching up is done: what comes now is new

  constructor() {
    this.#kind.addEventListener('change', () => this.#rebuild());
    this.#more.addEventListener('click', () => {
      this.#shownMax += PAGE;
      this.#rebuild();
    });
  }

  // Only what is new is added: nothing that is there changes, but for the day.
  update(model, serverNow) {
    this.#model = model;
    const today = formatDay(serverNow);
    if (model.eventsLost !== this.#lost || today !== this.#today) {
      this.#today = today;
      this.#rebuild();
      return;
    }
    const fresh = [];
    for (const event of model.events) {
      if (event.number <= this.#newest) break;
      if (this.#isWanted(event)) fresh.push(event);
    }
    if (fresh.length > 0) {
      this.#list.prepend(...fresh.slice(0, this.#shownMax).map((event) => this.#render(event)));
    }
    while (this.#list.children.length > this.#shownMax) this.#list.lastElementChild.remove();
    this.#finish();
    this.#isComplete = true;
  }

  #isWanted(event) {
    return this.#kind.value === '' || event.kind === this.#kind.value;
  }

  #rebuild() {
    if (!this.#model) return;
    this.#isComplete = false;
    this.#lost = this.#model.eventsLost;
    const wanted = this.#model.events.filter((event) => this.#isWanted(event));
    const items = wanted.slice(0, this.#shownMax).map((event) => this.#render(event));
    if (this.#lost > 0 && wanted.length <= this.#shownMax) {
      items.push(
        h('li', {
          class: 'note',
          text: `${count(this.#lost, 'older event')} can no longer be told`,
        }),
      );
    }
    this.#list.replaceChildren(...items);
    this.#finish();
    this.#isComplete = true;
  }

  #finish() {
    const { events } = this.#model;
    this.#newest = events[0]?.number ?? 0;
    const wanted = events.filter((event) => this.#isWanted(event)).length;
    setHidden(this.#more, wanted <= this.#shownMax);
    setHidden(this.#empty, wanted > 0);
    setText(this.#empty, whyEmpty(this.#model));
  }

  #render(event) {
    const { icon: shape, tone } = lookOf(event.kind, event.to);
    const what = h(
      'div',
      { class: 'what' },
      h('b', { text: event.backend }),
      ` of ${event.cluster}: ${event.kind} ${stateWord(event.from)} → `,
      h('b', { text: stateWord(event.to) }),
      h('span', { class: 'why', text: explain(event) }),
    );
    return h(
      'li',
      { 'data-tone': tone, class: this.#isComplete ? 'fresh' : undefined },
      moment(event, this.#today),
      h('span', { class: 'mark-icon' }, icon(shape)),
      what,
    );
  }
}

function whyEmpty({ events, isHistoryTold }) {
  if (events.length > 0) return 'Nothing of that kind has happened.';
  return isHistoryTold ? 'Nothing has happened yet.' : 'Not known yet.';
}

function explain(event) {
  const wait = event.retry_at ? Date.parse(event.retry_at) - event.at : NaN;
  return Number.isNaN(wait) ? event.why : `${event.why}; next trial after ${formatDuration(wait)}`;
}
