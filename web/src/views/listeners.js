// Listeners: where clients connect, how many come, how many are turned away.

import { h, KeyedList, setAttribute, setText } from '../dom.js';
import { DASH, formatCount, formatRate } from '../format.js';
import { Sparkline } from '../charts.js';
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

  constructor(name) {
    this.element = row(
      cell('', {}, h('strong', { text: name }), this.#addresses),
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
    showReasons(this.#rejected, api.rejected);
  }
}

function showReasons(element, reasons) {
  const entries = Object.entries(reasons ?? {}).filter(([, number]) => number > 0);
  const sum = entries.reduce((total, [, number]) => total + number, 0);
  setText(element, reasons ? formatCount(sum) : DASH);
  element.classList.toggle('alert', sum > 0);
  element.classList.toggle('zero', sum === 0);
  const list = entries.map(([reason, number]) => `${reason} ${formatCount(number)}`).join(', ');
  setAttribute(element, 'title', list || null);
}
