// How long connects took in the last minute, out of the counts that Sluice keeps since its start:
// what lies between two answers is their difference. Times are measured in whole milliseconds and
// counted in buckets, so nothing finer is ever said.

export const WINDOW_MS = 60_000;
// Of a minute so many counts are kept: more would tell nothing more.
const SPACING_MS = 5000;

// The counts of one bucket each, between two cumulative ones; null when they cannot be compared.
function between(older, newer) {
  const grown = newer.map((count, i) => count - older[i]);
  const counts = grown.map((count, i) => count - (i > 0 ? grown[i - 1] : 0));
  return counts.every((count) => count >= 0) ? counts : null;
}

// The time that this part of them (0 to 1) did not exceed, in whole milliseconds: evenly spread
// within a bucket and rounded up, the bound of the first, and one more than the last bound for
// what is above it. NaN when there is none.
export function quantile(bounds, counts, part) {
  const rank = part * counts.reduce((sum, count) => sum + count, 0);
  if (!(rank > 0)) return NaN;
  let below = 0;
  for (let i = 0; i < bounds.length; i += 1) {
    if (below + counts[i] >= rank && counts[i] > 0) {
      if (i === 0) return bounds[0];
      const share = (rank - below) / counts[i];
      return Math.ceil(bounds[i - 1] + (bounds[i] - bounds[i - 1]) * share);
    }
    below += counts[i];
  }
  return bounds.at(-1) + 1;
}

// The window of one backend.
export class ConnectTimes {
  #samples = []; // {tick, cumulative}, the oldest first; it is what the newest is compared with
  #bounds = [];
  #cumulative = [];

  // Of what was connected in the last minute, or since it is watched: {p50, p99, bounds, spanMs}.
  recent = { p50: NaN, p99: NaN, bounds: [], spanMs: 0 };

  // `connectMs` as the API has it.
  update(connectMs, tick) {
    const { bounds = [], cumulative = [] } = connectMs ?? {};
    const isOther = String(bounds) !== String(this.#bounds);
    if (isOther || cumulative.some((count, i) => count < this.#cumulative[i])) this.forget();
    this.#bounds = bounds;
    this.#cumulative = cumulative;
    const last = this.#samples.at(-1)?.tick ?? -Infinity;
    if (tick - last >= SPACING_MS) this.#samples.push({ tick, cumulative });
    while (this.#samples.length > 1 && tick - this.#samples[1].tick >= WINDOW_MS) {
      this.#samples.shift();
    }
    const [oldest] = this.#samples;
    this.recent = { ...this.#tell(oldest.cumulative), spanMs: tick - oldest.tick };
  }

  // What comes next cannot be compared with what was.
  forget() {
    this.#samples = [];
    this.recent = { p50: NaN, p99: NaN, bounds: this.#bounds, spanMs: 0 };
  }

  get sinceStart() {
    return this.#tell(this.#cumulative.map(() => 0));
  }

  #tell(older) {
    const counts = between(older, this.#cumulative) ?? [];
    const at = (part) => quantile(this.#bounds, counts, part);
    return { p50: at(0.5), p99: at(0.99), bounds: this.#bounds };
  }
}
