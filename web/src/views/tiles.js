// Six numbers with their last two minutes.

import { h, setText } from '../dom.js';
import { DASH, formatByteRate, formatConnectTime, formatCount, formatRate } from '../format.js';
import { Sparkline } from '../charts.js';
import { describeWindow } from '../words.js';

const WIDTH = 240;
const HEIGHT = 38;

const peak = (format) => (total) => {
  const { max } = total.series;
  return Number.isNaN(max) ? '' : `most ${format(max)}`;
};

const TILES = [
  {
    name: 'sessions',
    title: 'Sessions',
    format: formatCount,
    tone: 'accent',
    note: (_, { status }) => `of at most ${formatCount(status.connections?.max)}`,
  },
  { name: 'connects', title: 'Connects per second', format: formatRate, tone: 'accent' },
  { name: 'failures', title: 'Failures per second', format: formatRate, tone: 'bad' },
  {
    name: 'latency',
    title: 'Connect time, p99',
    format: (value, { bounds }) => formatConnectTime(value, bounds),
    tone: 'cool',
    note: ({ spanMs }) => `slowest, ${describeWindow(spanMs)}`,
  },
  { name: 'received', title: 'Received from clients', format: formatByteRate, tone: 'good' },
  { name: 'sent', title: 'Sent to clients', format: formatByteRate, tone: 'good' },
];

export class Tile {
  #value = h('p', { class: 'value', text: DASH });
  #note = h('p', { class: 'note' });
  #spark;
  #spec;

  constructor(spec, heading = 'h3') {
    this.#spec = spec;
    this.#spark = new Sparkline({ width: WIDTH, height: HEIGHT, tone: spec.tone });
    const chart = h('div', { class: 'chart' }, this.#spark.element);
    const title = h(heading, { text: spec.title, title: spec.title });
    this.element = h('div', { class: 'tile' }, title, this.#value, this.#note, chart);
  }

  // `total` is {value, series}, and what its format wants to know besides.
  update(total, tick, note) {
    setText(this.#value, this.#spec.format(total.value, total));
    setText(this.#note, note);
    this.element.classList.toggle('alert', this.#spec.name === 'failures' && total.value > 0);
    this.#spark.update(total.series.points(), tick);
  }
}

export class TilesView {
  #tiles = TILES.map((spec) => ({ spec, tile: new Tile(spec) }));

  constructor() {
    document.getElementById('tiles').append(...this.#tiles.map(({ tile }) => tile.element));
  }

  update(model, tick) {
    for (const { spec, tile } of this.#tiles) {
      const total = model.totals[spec.name];
      const note = (spec.note ?? peak(spec.format))(total, model);
      tile.update(total, tick, note);
    }
  }
}
