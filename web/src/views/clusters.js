// Clusters: how many of each one's backends take clients, and what goes through it.

import { h, KeyedList, setAttribute, setHidden, setText } from '../dom.js';
import { formatCount, formatPercent, formatRate } from '../format.js';
import { addKnown } from '../model.js';
import { cell, row, showFailures } from './cells.js';

export class ClustersView {
  #list;

  // `show(name)` shows the backends of that cluster.
  constructor({ show }) {
    this.#list = new KeyedList(
      document.getElementById('clusters'),
      (cluster) => new ClusterRow(cluster.name, show),
    );
  }

  update(model) {
    const rows = this.#list.update(model.clusters.map((cluster) => [cluster.name, cluster]));
    rows.forEach((one, i) => one.update(model.clusters[i]));
  }
}

class ClusterRow {
  #about = h('span', { class: 'sub' });
  #available = h('span');
  #fill = h('span');
  #meter = h('span', { class: 'meter', 'aria-hidden': 'true' }, this.#fill);
  #sessions = cell('Sessions', { isNumber: true });
  #waiting = cell('Waiting', { isNumber: true });
  #connects = cell('Connects/s', { isNumber: true });
  #failures = cell('Failures/s', { isNumber: true });

  constructor(name, show) {
    const button = h('button', {
      type: 'button',
      class: 'name',
      text: name,
      on: { click: () => show(name) },
    });
    this.element = row(
      cell('', {}, button, this.#about),
      cell('Available', {}, this.#available, this.#meter),
      this.#sessions,
      this.#waiting,
      this.#connects,
      this.#failures,
    );
  }

  update({ api, backends }) {
    setText(this.#about, describe(api));
    const total = backends.length;
    setText(this.#available, `${api.available_backends} of ${total}`);
    const share = total > 0 ? api.available_backends / total : 0;
    this.#fill.style.width = `${Math.round(100 * share)}%`;
    setAttribute(this.#meter, 'data-tone', share === 1 ? 'good' : share >= 0.5 ? 'warn' : 'bad');
    setHidden(this.#meter, total === 0);
    setText(this.#sessions, formatCount(api.active_connections ?? api.connections_active));
    const waiting = api.pending?.waiting;
    setText(this.#waiting, formatCount(waiting));
    this.#waiting.classList.toggle('zero', waiting === 0);
    setText(this.#connects, formatRate(addKnown(backends.map((one) => one.rates.connects))));
    const failures = addKnown(backends.map((one) => one.rates.failures));
    showFailures(this.#failures, failures, formatRate(failures));
  }
}

function describe(api) {
  const parts = [api.policy];
  if (api.priorities?.length > 1) {
    const shares = api.priorities.map(
      (one) => `${one.priority}: ${formatPercent(one.share_percent)}`,
    );
    parts.push(`priority ${shares.join(', ')}`);
  }
  if (api.priorities?.some((one) => one.in_panic)) parts.push('in panic');
  if (api.ejected_backends > 0) parts.push(`${api.ejected_backends} ejected`);
  if (api.limits?.max_connections)
    parts.push(`at most ${formatCount(api.limits.max_connections)} sessions`);
  return parts.join(' · ');
}
