// Numbers and times as people read them. What is not known is a dash; nothing here throws.

export const DASH = '–';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
// Of the four-digit years that a date has.
const isTime = (value) => isNumber(value) && value >= 0 && value < Date.UTC(9999, 0);

// 0, 0.3, 12, 1,234, 12.3k, 4.5M: never more than five characters or so.
export function formatCount(value) {
  if (!isNumber(value)) return DASH;
  if (value < 0) return `-${formatCount(-value)}`;
  if (value < 9999.5) return groupThousands(Math.round(value));
  return withPrefix(value, 1000, ['k', 'M', 'G', 'T', 'P'], '');
}

// Per second: slow ones with a decimal, so that one in five seconds is not nothing.
export function formatRate(value) {
  if (!isNumber(value)) return DASH;
  if (value <= 0) return '0';
  if (value < 0.05) return '<0.1';
  if (value < 9.95) return value.toFixed(1);
  return formatCount(value);
}

export function formatBytes(value) {
  if (!isNumber(value)) return DASH;
  if (value < 1023.5) return `${Math.round(value)} B`;
  return withPrefix(value, 1024, ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'], ' ') + 'B';
}

export function formatByteRate(value) {
  return isNumber(value) ? `${formatBytes(value)}/s` : DASH;
}

// Of what is measured in whole milliseconds and known by the bounds of a histogram: 35 ms, ≤1 ms,
// >5 s.
export function formatConnectTime(ms, bounds = []) {
  if (!isNumber(ms)) return DASH;
  if (ms <= bounds[0]) return `≤${formatDuration(bounds[0])}`;
  const last = bounds.at(-1);
  if (ms > last) return `>${formatDuration(last)}`;
  return ms < 1 ? '<1 ms' : formatDuration(ms);
}

// 0.4 ms, 12 ms, 1.2 s, 2 min 5 s, 3 h 12 min, 4 d 2 h.
export function formatDuration(ms) {
  if (!isNumber(ms)) return DASH;
  if (ms < 0) return formatDuration(0);
  if (ms < 9.95 && !Number.isInteger(ms)) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(1)} s`;
  return wholeSeconds(Math.round(ms / 1000));
}

// What is left of a wait: whole seconds, rounded up, so that it ends when it says so.
export function formatCountdown(ms) {
  if (!isNumber(ms)) return DASH;
  return ms <= 0 ? 'due now' : `in ${wholeSeconds(Math.ceil(ms / 1000))}`;
}

export function formatAgo(ms) {
  if (!isNumber(ms)) return DASH;
  if (ms < 1000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} d ago`;
}

// UTC, as the log and the API have it, to find it there again: 14:03:21.042.
export function formatClock(wallMs) {
  return isTime(wallMs) ? new Date(wallMs).toISOString().slice(11, 23) : DASH;
}

export function formatDay(wallMs) {
  return isTime(wallMs) ? new Date(wallMs).toISOString().slice(0, 10) : DASH;
}

// With its day, unless that is today.
export function formatMoment(wallMs, now) {
  if (!isTime(wallMs)) return DASH;
  const day = formatDay(wallMs);
  return `${day === formatDay(now) ? '' : `${day} `}${formatClock(wallMs)}`;
}

export function formatPercent(value) {
  if (!isNumber(value)) return DASH;
  return `${value < 9.95 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} %`;
}

// 1 session, 2 sessions.
export function count(number, noun) {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function wholeSeconds(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return twoUnits(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoUnits(hours, 'h', minutes % 60, 'min');
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const twoUnits = (large, largeUnit, small, smallUnit) =>
  `${large} ${largeUnit}${small > 0 ? ` ${small} ${smallUnit}` : ''}`;

function withPrefix(value, base, prefixes, gap) {
  let power = 0;
  let scaled = value / base;
  while (scaled >= base - 0.5 && power < prefixes.length - 1) {
    scaled /= base;
    power += 1;
  }
  return `${scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${gap}${prefixes[power]}`;
}

const groupThousands = (whole) => String(whole).replace(/\B(?=(\d{3})+$)/g, ',');
