// Numbers as people read them, back as numbers: each is what it was rounded from, from `least` to
// `most`. What is written in full is a plain number, and what is not known is NONE.

export const NONE = '-';

const EPSILON = 1e-9;

export class Rounded {
  constructor(least, most) {
    this.least = least;
    this.most = most;
  }

  // A number that moves while it is read, or that was rounded to the nearest of its last digit.
  static around(value, slack) {
    return new Rounded(value - slack, value + slack);
  }

  toString() {
    return `${this.least} to ${this.most}`;
  }
}

const bounds = (value) =>
  value instanceof Rounded ? [value.least, value.most] : [Number(value), Number(value)];

const isNumeric = (value) => typeof value === 'number' || value instanceof Rounded;

export const isMissing = (value) => value === undefined || value === null || Number.isNaN(value);

// Whether both may have been rounded from the same. What is missing agrees with nothing.
export function agree(one, other) {
  if (isMissing(one) || isMissing(other)) return false;
  if (!isNumeric(one) || !isNumeric(other)) return one === other;
  const [oneLeast, oneMost] = bounds(one);
  const [otherLeast, otherMost] = bounds(other);
  return oneLeast <= otherMost + EPSILON && otherLeast <= oneMost + EPSILON;
}

// The groups of `pattern` in the whole of `text`: a text that is not wholly understood might hide a
// number.
export function match(text, pattern) {
  const found = new RegExp(`^(?:${pattern.source})$`, 'u').exec(text);
  if (!found) throw new Error(`not understood: ${JSON.stringify(text)}`);
  return found.slice(1);
}

const isDash = (text) => text === '–' || text === '-';

const whole = (text) => Number(text.replaceAll(',', ''));

// Half of what its last digit stands for.
const half = (text) => (text.includes('.') ? 0.05 : 0.5);

// 7, 1,234, 12.3k
export function readCount(text) {
  if (isDash(text)) return NONE;
  const [digits, prefix] = match(text, /([\d,]+|\d+(?:\.\d)?(?=[kMGTP]))([kMGTP]?)/);
  if (prefix === '') return whole(digits);
  const scale = 1000 ** ('kMGTP'.indexOf(prefix) + 1);
  return Rounded.around(Number(digits) * scale, half(digits) * scale);
}

// A number per second: 0, <0.1, 0.3, 12
export function readRate(text) {
  if (isDash(text)) return NONE;
  if (text === '0') return 0;
  if (text === '<0.1') return new Rounded(1e-6, 0.05);
  if (!text.includes('.')) {
    const count = readCount(text);
    return count instanceof Rounded ? count : Rounded.around(count, 0.5);
  }
  const [digits, prefix] = match(text, /(\d+\.\d)([kMGTP]?)/);
  return prefix === '' ? Rounded.around(Number(digits), 0.05) : readCount(text);
}

// 512 B, 2.9 KiB, 2.9KiB
export function readBytes(text) {
  if (isDash(text)) return NONE;
  const [digits, prefix] = match(text, /(\d+(?:\.\d)?) ?([KMGTP]?)i?B/);
  if (prefix === '') return Number(digits);
  const scale = 1024 ** ('KMGTP'.indexOf(prefix) + 1);
  return Rounded.around(Number(digits) * scale, half(digits) * scale);
}

export function readByteRate(text) {
  const bytes = readBytes(text.replace(/\/s$/, ''));
  return typeof bytes === 'number' ? Rounded.around(bytes, 0.5) : bytes;
}

// What is measured in whole milliseconds and told by the bounds of a histogram, rounded up: ≤1 ms,
// <1 ms, 35 ms, 1.2 s, >5 s.
export function readConnectTime(text) {
  if (isDash(text)) return NONE;
  const [sign, time] = match(text, /([≤<>]?)(.+)/);
  const value = readDuration(time);
  if (sign === '') return new Rounded(value.least - 0.5, value.most);
  const bound = (value.least + value.most) / 2;
  return sign === '>' ? new Rounded(bound, Infinity) : new Rounded(0, bound);
}

const MS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

// 0.4 ms, 1.2 s, 2 min 5 s, 3 h 12 min; 4ms, 1.2s, 2m05s, 3h12m. Milliseconds.
export function readDuration(text) {
  if (isDash(text)) return NONE;
  const units = '(ms|s|min|m|h|d)';
  const pattern = new RegExp(`(\\d+(?:\\.\\d)?) ?${units}(?: ?(\\d+) ?${units})?`);
  const [large, largeUnit, small, smallUnit] = match(text, pattern);
  if (!small && (largeUnit === 'ms' || largeUnit === 's')) {
    return Rounded.around(Number(large) * MS[largeUnit], half(large) * MS[largeUnit]);
  }
  // A smaller unit that would be nothing is left out.
  const smallest = smallUnit ?? { min: 's', m: 's', h: 'min', d: 'h' }[largeUnit];
  const value = Number(large) * MS[largeUnit] + (small ? Number(small) * MS[smallUnit] : 0);
  return new Rounded(value - MS[smallest], value + MS[smallest]);
}
