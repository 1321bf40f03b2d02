// What the API's short words mean, said to somebody who is in a hurry.

import { count, formatCountdown } from './format.js';
import { WINDOW_MS } from './latency.js';

// Each cause that keeps a backend out, by itself: recovering from one does not undo another.
// `text` stands as it is; `retryAt` asks for a countdown behind it.
export function explainCauses(backend) {
  return backend.leftOutBy.map((cause) => ({ cause, ...explainCause(cause, backend) }));
}

function explainCause(cause, backend) {
  switch (cause) {
    case 'administrative':
      return { text: explainAdministrative(backend.api.administrative, backend.sessions) };
    case 'health':
      return { text: explainHealth(backend) };
    case 'breaker':
      return { text: explainBreaker(backend), retryAt: backend.retryAt };
    case 'limit':
      return { text: `at its limit with ${count(backend.sessions, 'session')}` };
    case 'weight':
      return { text: 'its weight is 0' };
    default:
      return { text: cause };
  }
}

function explainAdministrative({ state, configured }, sessions) {
  const whose = state === configured ? 'as configured' : 'by an operator';
  if (state === 'draining') return `draining ${whose}: keeps ${count(sessions, 'session')}`;
  return `in maintenance ${whose}`;
}

function explainHealth({ api, lastEvents }) {
  if (api.health.state === 'unknown') return 'waits for its first probe';
  return withWhy('unhealthy', lastEvents.health, 'unhealthy');
}

function explainBreaker({ api, lastEvents }) {
  if (api.breaker.state === 'half_open')
    return 'breaker half open: one connection will be the trial';
  return withWhy('breaker open', lastEvents.breaker, 'open');
}

// The event's reason, if it tells of the state that still lasts.
function withWhy(text, event, state) {
  return event?.to === state && event.why ? `${text}: ${event.why}` : text;
}

export const STATE_WORDS = { half_open: 'half open' };

export function stateWord(state) {
  return STATE_WORDS[state] ?? state;
}

export function breakerCountdown(backend, serverNow) {
  return `next trial ${formatCountdown(backend.retryAt - serverNow)}`;
}

const REJECTIONS = {
  no_backend: 'no backend was available',
  connect_failed: 'no connect succeeded',
  limit: 'at a limit',
  denied: 'not allowed',
  protocol_error: 'not what the protocol wants',
  resource: 'out of memory or descriptors',
};

// Why clients of a listener never got a backend.
export function explainRejection(reason) {
  return REJECTIONS[reason] ?? reason.replaceAll('_', ' ');
}

// Of what time it is: a page that was opened just now has watched no minute yet.
export function describeWindow(spanMs) {
  if (!(spanMs > 0)) return 'from now on';
  // Snapshots come when they come.
  return spanMs > WINDOW_MS - 2000 ? 'last minute' : `last ${Math.ceil(spanMs / 1000)} s`;
}

const POLICIES = {
  round_robin: 'its turn in round robin',
  least_connections: 'fewest connections',
  random: 'drawn at random',
  source_hash: "by the client's address",
  maglev: "by the client's address (Maglev)",
  first: 'first in the list',
};

const OBSTACLES = {
  tried: 'already tried',
  administrative: 'draining or in maintenance',
  health: 'unhealthy',
  limit: 'at the limit',
  slow_start: 'warming up',
  breaker: 'breaker open',
};

const OBSTACLE_COUNT_MAX = 255; // that many or more

// Why this backend, of a live session.
export function explainChoice({ backend, attempts, why }) {
  if (!backend) return 'none chosen yet';
  const parts = [POLICIES[why.policy] ?? why.policy];
  if (why.trial) parts.push("the breaker's trial");
  if (attempts > 1) parts.push(`after ${count(attempts - 1, 'failed attempt')}`);
  const passed = Object.entries(why.passed_over ?? {}).map(([reason, number]) => {
    const least = number >= OBSTACLE_COUNT_MAX ? ' or more' : '';
    return `${number}${least} ${OBSTACLES[reason] ?? reason}`;
  });
  if (passed.length > 0) parts.push(`passed over: ${passed.join(', ')}`);
  return parts.join(' · ');
}

// "breaker of bert: closed → open", the short form for the timeline and for being read aloud.
export function describeEvent(event) {
  const subject = event.kind === 'panic' ? `${event.cluster} ${event.backend}` : event.backend;
  const kind = event.kind === 'administrative' ? 'state' : event.kind;
  return `${kind} of ${subject}: ${stateWord(event.from)} to ${stateWord(event.to)}`;
}

// What each action does, before it is done.
export const ACTIONS = {
  ready: {
    label: 'Ready',
    title: (name) => `Make ${name} ready?`,
    text: () => 'It gets new sessions again, unless its health or its breaker keeps it out.',
    done: (name) => `${name} is ready`,
  },
  drain: {
    label: 'Drain',
    title: (name) => `Drain ${name}?`,
    text: (sessions) => `It keeps its ${count(sessions, 'session')} and gets no new one.`,
    done: (name) => `${name} is draining`,
  },
  maintenance: {
    label: 'Maintenance',
    title: (name) => `Put ${name} into maintenance?`,
    text: (sessions) =>
      `No new session until somebody makes it ready; its ${count(sessions, 'session')} go on.`,
    done: (name) => `${name} is in maintenance`,
  },
  trip: {
    label: 'Trip',
    title: (name) => `Trip the breaker of ${name}?`,
    text: () => 'It opens at once: nobody is sent there until the next trial succeeds.',
    done: (name) => `the breaker of ${name} is open`,
  },
  reset: {
    label: 'Reset',
    title: (name) => `Reset the breaker of ${name}?`,
    text: () => 'It closes at once and forgets its failures: clients are sent there again.',
    done: (name) => `the breaker of ${name} is closed`,
  },
};
