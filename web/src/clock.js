// The server's time. Countdowns and ages go by it, never by this machine's own clock, which may be
// hours off: only its steady ticking (performance.now) is used.
//
// Each answer that says the time bounds it: it was said between the asking and the arrival. The
// narrower that was, the better, so the best of the last samples counts, until one contradicts it.

const SAMPLES_MAX = 30;
const TOLERANCE_MS = 50; // of a server that answers from a cache, say

export class ServerClock {
  #samples = [];

  // `sentAt` and `receivedAt` tick steadily, in milliseconds; `serverMs` is since 1970.
  add(sentAt, receivedAt, serverMs) {
    if (!Number.isFinite(serverMs) || receivedAt < sentAt) return;
    const sample = {
      offset: serverMs - (sentAt + receivedAt) / 2,
      uncertainty: (receivedAt - sentAt) / 2,
    };
    const best = this.#best();
    const difference = best ? Math.abs(best.offset - sample.offset) : 0;
    // One of the clocks was set, or this machine has slept: what was known is worth nothing now.
    if (best && difference > best.uncertainty + sample.uncertainty + TOLERANCE_MS) {
      this.#samples = [];
    }
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  get isKnown() {
    return this.#samples.length > 0;
  }

  // Milliseconds since 1970 at the server; NaN before the first sample.
  at(tick) {
    const best = this.#best();
    return best ? tick + best.offset : NaN;
  }

  #best() {
    let best = null;
    for (const sample of this.#samples) {
      if (!best || sample.uncertainty <= best.uncertainty) best = sample;
    }
    return best;
  }
}
