// What table cells are made of.

import { h, icon, setAttribute, setIcon, setText } from '../dom.js';
import { formatClock, formatDay } from '../format.js';
import { stateWord } from '../words.js';
import { lookOf } from '../tones.js';

// A cell; its label is shown in it where the table has become cards.
export function cell(label, { isNumber = false } = {}, ...children) {
  return h(
    'td',
    { role: 'cell', class: isNumber ? 'number' : undefined, 'data-label': label || undefined },
    ...children,
  );
}

export function row(...cells) {
  return h('tr', { role: 'row' }, ...cells);
}

// One of the three causes: shape and word.
export class StateMark {
  #kind;
  #word = h('span');
  #icon = icon('none');

  constructor(kind) {
    this.#kind = kind;
    this.element = h('span', { class: 'state' }, this.#icon, this.#word);
  }

  update(state) {
    const { icon: shape, tone } = lookOf(this.#kind, state);
    setIcon(this.#icon, shape);
    setText(this.#word, stateWord(state));
    setAttribute(this.element, 'data-tone', tone);
  }
}

// When an event was, with its day above unless that is `today`.
export function moment(event, today) {
  const day = formatDay(event.at);
  return h(
    'time',
    { datetime: event.time },
    day === today ? null : h('span', { class: 'day', text: day }),
    ` ${formatClock(event.at)}`,
  );
}

// A rate that is bad when it is above zero.
export function showFailures(element, rate, text) {
  setText(element, text);
  element.classList.toggle('alert', rate > 0);
  element.classList.toggle('zero', !(rate > 0));
}
