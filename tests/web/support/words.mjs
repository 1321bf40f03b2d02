// The words that are the same in the access log, in /metrics and in the API.

import { NONE } from './rounded.mjs';

export const REASONS = [
  'client_closed',
  'backend_closed',
  'client_reset',
  'backend_reset',
  'idle_timeout',
  'half_close_timeout',
  'max_duration',
  'no_backend',
  'connect_failed',
  'limit',
  'draining',
  'backend_unhealthy',
  'denied',
  'protocol_error',
  'resource',
  'shutdown',
];

// For which a client is turned away.
export const REJECTIONS = [
  'no_backend',
  'connect_failed',
  'limit',
  'denied',
  'protocol_error',
  'resource',
];

export const OUTCOMES = [
  'connected',
  'refused',
  'timeout',
  'unreachable',
  'reset',
  'self_connect',
  'local_error',
  'abandoned',
];

export const PROBE_RESULTS = [
  'passed',
  ...OUTCOMES.filter((outcome) => outcome !== 'connected'),
  'mismatch',
  'closed',
];

// Upper bounds of the histograms: bytes of a session, seconds of one, seconds to a backend.
export const BYTES_BOUNDS = [
  64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216, 268_435_456, 1_073_741_824,
  17_179_869_184,
];
export const DURATION_BOUNDS = [
  0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600, 21_600, 86_400,
];
export const CONNECT_BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

// {health: 1, breaker: 2} as "2 breaker, 1 health"; what there is none of may be there as 0.
export function passedOverText(counts) {
  const entries = Object.entries(counts).filter(([, number]) => number > 0);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([why, number]) => `${number} ${why}`).join(', ') || NONE;
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const fieldsOf = (names, value) => Object.fromEntries(names.map((name) => value(name)));
