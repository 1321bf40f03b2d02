// Listeners: where clients connect, how many come, how many are turned away.

import { h, KeyedList, setHidden, setText } from '../dom.js';
import { DASH, formatCount, formatRate } from '../format.js';
import { Sparkline } from '../charts.js';
import { explainRejection } from '../words.js';
import { cell, row } from './cells.js';

export class ListenersView {
  #list = new KeyedList(document.getElementById('listeners'), (one) => new ListenerRow(one.name));

  update(model, tick) {
    const rows = this.#list.update(model.listeners.map((listener) => [listener.name, listener]));
    rows.forEach((one, i) => one.update(model.listeners[i], tick));
  }
}

class ListenerRow {
  #addresses = h('span', { class: 'sub' });
  #cluster = cell('Cluster');
  #sessions = cell('Sessions', { isNumber: true });
  #rate = h('span', { class: 'figure' });
  #spark = new Sparkline({ width: 72, height: 22 });
  #total = cell('Accepted', { isNumber: true });
  #rejected = cell('Rejected', { isNumber: true });
  #reasons = h('span', { class: 'sub reasons' });

  constructor(name) {
    this.element = row(
      cell('', {}, h('strong', { text: name }), this.#addresses, this.#reasons),
      this.#cluster,
      this.#sessions,
      cell(
        'Accepted/s',
        { isNumber: true },
        h('span', { class: 'with-spark' }, this.#spark.element, this.#rate),
      ),
      this.#total,
      this.#rejected,
    );
    this.#cluster.classList.add('clip');
  }

  update({ api, rate, series }, tick) {
    setText(this.#addresses, api.addresses.join(', '));
    setText(this.#cluster, api.cluster ?? DASH);
    const active = api.active_connections ?? api.connections_active;
    const most = api.max_connections ? ` of ${formatCount(api.max_connections)}` : '';
    setText(this.#sessions, formatCount(active) + most);
    setText(this.#rate, formatRate(rate));
    this.#spark.update(series.points(), tick);
    setText(this.#total, formatCount(api.connections_total));
    this.#showRejected(api.rejected);
  }

  // `rejected` is numbers by reason; undefined when this server does not tell.
  #showRejected(rejected) {
    const told = Object.entries(rejected ?? {}).filter(([, number]) => number > 0);
    const sum = told.reduce((total, [, number]) => total + number, 0);
    setText(this.#rejected, rejected ? formatCount(sum) : DASH);
    this.#rejected.classList.toggle('alert', sum > 0);
    this.#rejected.classList.toggle('zero', sum === 0);
    setHidden(this.#reasons, sum === 0);
    const list = told.map(([why, number]) => `${explainRejection(why)} ${formatCount(number)}`);
    setText(this.#reasons, `Rejected: ${list.join(', ')}`);
  }
}
