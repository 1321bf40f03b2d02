// Follows the event stream for ever: comes back after a loss with the id of the last event it has
// seen, waits a little longer after each failure, and takes a silence for a loss, since the server
// says something every 15 s.
//
// EventSource would do most of that, but sends no token.

import { SseParser } from './sse.js';

const SILENCE_MS_MAX = 40_000;
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 8_000;
// An id that no server has given out: all events that are still there come.
const FROM_THE_BEGINNING = 'page-0';

// How long to wait before the next try, after so many failures in a row: doubling, and spread, so
// that a room full of dashboards does not come back in one moment.
export function pauseAfter(failures, random) {
  const longest = Math.min(PAUSE_MS_MIN * 2 ** (failures - 1), PAUSE_MS_MAX);
  return longest / 2 + (longest / 2) * random;
}

// Which process an event's id is of; the ids of another one begin anew.
export function epochOf(id) {
  return id.slice(0, Math.max(id.lastIndexOf('-'), 0));
}

// The events of an epoch are numbered from 1 on.
function numberOf(id) {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

export class EventFollower {
  #open;
  #report;
  #timers;
  #random;
  #lastId = FROM_THE_BEGINNING;
  #epoch = null;
  #historyEnd = 0; // the number of the last event that was there before this reader
  #failures = 0;
  #cancel = null;
  #silence = null;
  #pause = null;
  #isStopped = false;

  // `open(headers, signal)` resolves to an async iterable of texts. `report` has
  //   onHello({isRestart, isReturn})  the stream has begun (again)
  //   onEvent(data, {isNews})  a transition; no news is what happened before the first hello
  //   onMissed(count)    events that are gone for good
  //   onLost({error, retryInMs})
  // `timers` has set(callback, ms) and clear(handle).
  constructor({ open, report, timers, random = Math.random }) {
    this.#open = open;
    this.#report = report;
    this.#timers = timers;
    this.#random = random;
  }

  get lastId() {
    return this.#lastId;
  }

  // Resolves when it is stopped.
  async run() {
    while (!this.#isStopped) {
      const error = await this.#follow().then(
        () => new Error('the event stream has ended'),
        (reason) => reason,
      );
      this.#listen(false);
      if (this.#isStopped) return;
      this.#failures += 1;
      const retryInMs = pauseAfter(this.#failures, this.#random());
      this.#report.onLost({ error, retryInMs });
      await this.#wait(retryInMs);
    }
  }

  // Now would be a good moment to try again: the network is back, or a token was typed in.
  retryNow() {
    if (this.#pause) this.#pause();
    else this.#cancel?.abort();
  }

  stop() {
    this.#isStopped = true;
    this.retryNow();
  }

  async #follow() {
    this.#cancel = new AbortController();
    const parser = new SseParser();
    this.#listen(true);
    const texts = await this.#open({ 'Last-Event-ID': this.#lastId }, this.#cancel.signal);
    for await (const text of texts) {
      this.#listen(true);
      for (const event of parser.push(text)) this.#take(event);
    }
  }

  #take({ event, data, id }) {
    const body = parse(data);
    if (event === 'hello') {
      const epoch = epochOf(id ?? '');
      const isReturn = this.#epoch !== null;
      const isRestart = isReturn && epoch !== this.#epoch;
      this.#epoch = epoch;
      this.#historyEnd = isReturn ? 0 : numberOf(body?.newest ?? '');
      this.#failures = 0;
      this.#report.onHello({ isReturn, isRestart });
    } else if (event === 'missed') {
      this.#report.onMissed(Number(body?.missed) || 0);
    } else if (event === 'transition' && body) {
      this.#report.onEvent(body, { isNews: numberOf(id ?? '') > this.#historyEnd });
    }
    // Only now: one that could not be taken would be sent again.
    if (id) this.#lastId = id;
  }

  // Sets the alarm anew, or takes it away.
  #listen(isAwaiting) {
    if (this.#silence !== null) this.#timers.clear(this.#silence);
    this.#silence = isAwaiting
      ? this.#timers.set(() => this.#cancel.abort(), SILENCE_MS_MAX)
      : null;
  }

  #wait(ms) {
    return new Promise((resolve) => {
      const handle = this.#timers.set(done, ms);
      const timers = this.#timers;
      this.#pause = () => {
        timers.clear(handle);
        done();
      };
      const self = this;
      function done() {
        self.#pause = null;
        resolve();
      }
    });
  }
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

// The texts of an answer's body, for as long as it lasts.
export async function* textsOf(response) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
