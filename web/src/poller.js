// Asks for snapshots: every second, at once when something has happened, seldom while nobody looks,
// less often when they are large, and more and more slowly while there is no answer. One at a time.

const INTERVAL_MS = 1000;
const HIDDEN_INTERVAL_MS = 15_000;
const POKE_MS = 60; // for all that happens within one moment
const SPACING_MS_MIN = 250;
const FAILURE_MS_MAX = 8000;
// Of the time, at most so much goes into taking snapshots: the rest is the reader's.
const SHARE_MAX = 0.1;

// When the next one is due after one that took `workMs` of this machine's time and `waitMs` in all.
export function intervalAfter({ isHidden, workMs, failures }) {
  if (failures > 0) return Math.min(INTERVAL_MS * 2 ** (failures - 1), FAILURE_MS_MAX);
  if (isHidden) return HIDDEN_INTERVAL_MS;
  return Math.max(INTERVAL_MS, workMs / SHARE_MAX);
}

// How soon after the last one it may be when something has happened.
export function spacingAfter({ isHidden, workMs }) {
  if (isHidden) return HIDDEN_INTERVAL_MS; // where nobody looks nothing is urgent
  return Math.max(SPACING_MS_MIN, (workMs / SHARE_MAX) * 0.5);
}

export class Poller {
  #take;
  #isHidden;
  #now;
  #timers;
  #timer = null;
  #dueAt = Infinity;
  #isAsking = false;
  #isWanted = false;
  #endedAt = -Infinity;
  #workMs = 0;
  #failures = 0;

  // `take()` asks and shows; it resolves to the milliseconds of work, and throws on failure.
  // `timers` has set(callback, ms) and clear(handle).
  constructor({ take, isHidden, now, timers }) {
    this.#timers = timers;
    this.#take = take;
    this.#isHidden = isHidden;
    this.#now = now;
  }

  // Soon: something has changed.
  poke() {
    this.#isWanted = true;
    if (this.#isAsking) return;
    const spacing = spacingAfter({ isHidden: this.#isHidden(), workMs: this.#workMs });
    const earliest = this.#endedAt + spacing;
    this.#schedule(Math.max(earliest - this.#now(), POKE_MS));
  }

  // At once, whatever was planned: the page is looked at again, or the network is back.
  now() {
    this.#failures = 0;
    if (!this.#isAsking) this.#schedule(0);
  }

  #schedule(ms) {
    const dueAt = this.#now() + ms;
    if (this.#timer !== null && this.#dueAt <= dueAt) return;
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = this.#timers.set(() => this.#run(), ms);
  }

  async #run() {
    this.#timer = null;
    this.#dueAt = Infinity;
    this.#isAsking = true;
    this.#isWanted = false;
    try {
      this.#workMs = await this.#take();
      this.#failures = 0;
    } catch {
      this.#failures += 1; // said by whoever took it
    }
    this.#isAsking = false;
    this.#endedAt = this.#now();
    this.#schedule(
      intervalAfter({
        isHidden: this.#isHidden(),
        workMs: this.#workMs,
        failures: this.#failures,
      }),
    );
    if (this.#isWanted && this.#failures === 0) this.poke();
  }
}
