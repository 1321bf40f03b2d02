// Server-sent events out of a stream of text (HTML standard, 9.2.6), whatever the pieces are.

// What one event may have; more is dropped, so that a broken stream fills no memory.
const EVENT_CHARACTERS_MAX = 1 << 20;

export class SseParser {
  #rest = '';
  #isFirst = true;
  #data = null;
  #event = '';
  #size = 0;

  // The id to come back with, and the pause that was asked for; null until they are told.
  lastId = null;
  retryMs = null;

  // The events that end in this piece, as {event, data, id}.
  push(text) {
    const events = [];
    let buffer = this.#rest + text;
    if (this.#isFirst && buffer.length > 0) {
      if (buffer.startsWith('\uFEFF')) buffer = buffer.slice(1);
      this.#isFirst = false;
    }
    let begin = 0;
    for (;;) {
      const end = findLineEnd(buffer, begin);
      if (end === null) break;
      this.#takeLine(buffer.slice(begin, end.at), events);
      begin = end.next;
    }
    this.#rest = buffer.slice(begin);
    if (this.#rest.length > EVENT_CHARACTERS_MAX) this.#rest = '';
    return events;
  }

  #takeLine(line, events) {
    if (line === '') {
      if (this.#data !== null && this.#size <= EVENT_CHARACTERS_MAX) {
        events.push({
          event: this.#event || 'message',
          data: this.#data.join('\n'),
          id: this.lastId,
        });
      }
      this.#data = null;
      this.#event = '';
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') {
      this.#size += value.length;
      if (this.#size <= EVENT_CHARACTERS_MAX) (this.#data ??= []).push(value);
    } else if (field === 'event') {
      this.#event = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.lastId = value;
    } else if (field === 'retry' && /^\d+$/.test(value)) {
      this.retryMs = Number(value);
    }
  }
}

// A line ends with \n, \r\n or \r; a \r at the very end may be half of one.
function findLineEnd(text, begin) {
  for (let at = begin; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\n') return { at, next: at + 1 };
    if (character !== '\r') continue;
    if (at + 1 === text.length) return null;
    return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 };
  }
  return null;
}
