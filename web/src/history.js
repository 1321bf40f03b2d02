// Values over the last minutes: many series with one time line, so that a thousand of them cost no
// more than their numbers. A value that is not known is NaN and shows as a gap.

export class History {
  #cursor = -1;

  constructor(samplesMax) {
    this.samplesMax = samplesMax;
    this.times = new Float64Array(samplesMax).fill(NaN);
  }

  // A new moment; series that are not told of it have a gap there.
  advance(tick) {
    this.#cursor = (this.#cursor + 1) % this.samplesMax;
    this.times[this.#cursor] = tick;
  }

  makeSeries() {
    return new Series(this);
  }

  get cursor() {
    return this.#cursor;
  }
}

export class Series {
  #history;
  #values;
  #writtenAt = NaN; // the time of the cursor at which it was last written

  constructor(history) {
    this.#history = history;
    this.#values = new Float32Array(history.samplesMax).fill(NaN);
  }

  // The value at the history's newest moment.
  set(value) {
    this.#clearSkipped();
    this.#values[this.#history.cursor] = Number.isFinite(value) ? value : NaN;
    this.#writtenAt = this.#history.cursor;
  }

  // [{tick, value}] from the oldest to the newest.
  points() {
    const { cursor, samplesMax, times } = this.#history;
    this.#clearSkipped();
    const points = [];
    for (let i = 1; i <= samplesMax; i += 1) {
      const at = (cursor + i) % samplesMax;
      if (!Number.isNaN(times[at])) points.push({ tick: times[at], value: this.#values[at] });
    }
    return points;
  }

  get max() {
    let max = NaN;
    for (const { value } of this.points()) {
      if (!Number.isNaN(value) && !(value <= max)) max = value;
    }
    return max;
  }

  // Places that the cursor has passed since still hold what was there a round ago.
  #clearSkipped() {
    const { cursor, samplesMax } = this.#history;
    if (Number.isNaN(this.#writtenAt)) return;
    for (let at = this.#writtenAt; at !== cursor;) {
      at = (at + 1) % samplesMax;
      this.#values[at] = NaN;
    }
    this.#writtenAt = cursor;
  }
}

// The rate of a counter that only grows. A counter that has become less began anew.
export class Meter {
  #value = NaN;
  #tick = NaN;

  // Per second since the last time; NaN when there was none, or nothing to compare.
  update(value, tick) {
    const grown = value - this.#value;
    const seconds = (tick - this.#tick) / 1000;
    this.#value = Number.isFinite(value) ? value : NaN;
    this.#tick = tick;
    return grown >= 0 && seconds > 0 ? grown / seconds : NaN;
  }

  forget() {
    this.#value = NaN;
  }
}
