// How a state looks: its shape, and the colour that helps. Words come with it wherever it is shown.

import { SEVERITY } from './backend.js';

const LOOKS = {
  administrative: {
    ready: { icon: 'ok', tone: 'quiet' },
    draining: { icon: 'draining', tone: 'cool' },
    maintenance: { icon: 'maintenance', tone: 'cool' },
  },
  health: {
    healthy: { icon: 'ok', tone: 'good' },
    unhealthy: { icon: 'sick', tone: 'bad' },
    unknown: { icon: 'unknown', tone: 'quiet' },
  },
  breaker: {
    closed: { icon: 'ok', tone: 'good' },
    open: { icon: 'open', tone: 'bad' },
    half_open: { icon: 'half', tone: 'warn' },
  },
  panic: {
    panic: { icon: 'panic', tone: 'bad' },
    normal: { icon: 'ok', tone: 'good' },
  },
};

const PLAIN = { icon: 'none', tone: 'quiet' };

export function lookOf(kind, state) {
  if (kind === 'weight') return { icon: 'weight', tone: 'cool' };
  return LOOKS[kind]?.[state] ?? PLAIN;
}

const STANDINGS = {
  [SEVERITY.breakerOpen]: { icon: 'open', tone: 'bad' },
  [SEVERITY.halfOpen]: { icon: 'half', tone: 'warn' },
  [SEVERITY.unhealthy]: { icon: 'sick', tone: 'bad' },
  [SEVERITY.unknown]: { icon: 'unknown', tone: 'warn' },
  [SEVERITY.limit]: { icon: 'limit', tone: 'warn' },
  [SEVERITY.maintenance]: { icon: 'maintenance', tone: 'cool' },
  [SEVERITY.draining]: { icon: 'draining', tone: 'cool' },
  [SEVERITY.weight]: { icon: 'weight', tone: 'cool' },
  [SEVERITY.fine]: { icon: 'ok', tone: 'good' },
};

// In a word, for those who do not see the shape.
export function standingWord(backend) {
  if (backend.isOut) return 'left out';
  return backend.isFull ? 'at its limit' : 'available';
}

export function standingOf(backend) {
  return STANDINGS[backend.severity] ?? PLAIN;
}
