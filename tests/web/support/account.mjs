// What a script has done to a Sluice, counted by the script's own clients, as a view to hold the
// others against: {kind: {subject: {field: value}}}.

import { NONE, Rounded } from './rounded.mjs';
import {
  BYTES_BOUNDS,
  fieldsOf,
  OUTCOMES,
  passedOverText,
  PROBE_RESULTS,
  REASONS,
  REJECTIONS,
  sum,
} from './words.mjs';

const SLACK_MS = 60_000; // by which a time that is left may be less when it is looked at

// One client's session; `reason` is null while it goes on. `tried` are the backends that refused
// it.
const SESSION = { backend: null, tried: [], passedOver: {}, reason: null, state: 'relaying' };

// What is known of a backend that nothing has happened to.
const FACTS = {
  administrative: 'ready',
  breaker: 'closed',
  causes: [],
  'failures in a row': 0,
  'failures that opened it': NONE,
  opened: 0,
  closed: 0,
  'open for': NONE,
  'trial in': NONE,
  'administrative changes': 0,
  'weight changes': 0,
};

export class Account {
  sessions = [];
  seconds = NaN; // the time that the page takes it all to have happened in
  #conf;
  #facts = {};

  constructor(conf) {
    this.#conf = conf;
    for (const cluster of conf.clusters) {
      for (const backend of cluster.backends) {
        this.#facts[`${cluster.name}/${backend.name}`] = factsAtStart(cluster, backend);
      }
    }
  }

  // A session has begun; whoever ends it writes `reason` into what is returned.
  note(session) {
    const listener = this.#conf.listeners.find(({ name }) => name === session.listener);
    const noted = { ...SESSION, ...session, cluster: listener.cluster };
    this.sessions.push(noted);
    return noted;
  }

  fact(backend, changes) {
    Object.assign(this.#facts[backend], changes);
  }

  view() {
    const { listeners, clusters } = this.#conf;
    const backends = clusters.flatMap((cluster) =>
      cluster.backends.map((backend) => [`${cluster.name}/${backend.name}`, backend]),
    );
    const entries = (list, fields) =>
      Object.fromEntries(list.map((one) => [one.name, fields(one)]));
    return {
      process: { '': this.#process() },
      worker: fieldsOf([...Array(this.#conf.workers).keys()], (number) => [String(number), {}]),
      listener: entries(listeners, (one) => this.#listener(one)),
      cluster: entries(clusters, (one) => this.#cluster(one)),
      backend: Object.fromEntries(backends.map(([name, one]) => [name, this.#backend(name, one)])),
      ...this.#sessionsByKind(),
    };
  }

  #process() {
    const facts = Object.values(this.#facts);
    const out = facts.filter((one) => !isAvailable(one));
    return {
      state: 'accepting',
      workers: this.#conf.workers,
      'sessions at most': this.#conf.max_connections,
      listeners: this.#conf.listeners.length,
      clusters: this.#conf.clusters.length,
      backends: facts.length,
      available: facts.filter(isAvailable).length,
      'take clients': facts.filter(takesClients).length,
      'at the limit': facts.filter(isFull).length,
      'left out': out.length,
      'left out on purpose': out.filter(isOnPurpose).length,
      sessions: this.#live(this.sessions).length,
      ended: this.sessions.length - this.#live(this.sessions).length,
      events: sum(facts.map(eventsOf)),
      none: 0,
      yes: 'yes',
      ...this.#rates(this.sessions),
    };
  }

  #listener({ name, cluster, max_connections: most }) {
    const its = this.sessions.filter(({ listener }) => listener === name);
    const ended = its.filter(({ reason }) => reason !== null);
    // What the client has sent is what was received.
    const upTo = (direction, ofClient) => (bound) => [
      `${direction} up to ${bound}`,
      ended.filter(({ client }) => client[ofClient] <= bound).length,
    ];
    return {
      cluster,
      'at most': most ?? NONE,
      accepted: its.length,
      'accepted/s': its.length / this.seconds,
      active: its.length - ended.length,
      ended: ended.length,
      ...fieldsOf(REASONS, (reason) => [`ended ${reason}`, countOf(ended, reason)]),
      'turned away': sum(REJECTIONS.map((reason) => countOf(ended, reason))),
      'received by ended': sum(ended.map(({ client }) => client.sent)),
      'sent by ended': sum(ended.map(({ client }) => client.received)),
      ...fieldsOf(BYTES_BOUNDS, upTo('received', 'sent')),
      ...fieldsOf(BYTES_BOUNDS, upTo('sent', 'received')),
      none: 0,
    };
  }

  #cluster({ name, backends, balance, limits }) {
    const its = this.sessions.filter(({ cluster }) => cluster === name);
    const facts = backends.map((backend) => this.#facts[`${name}/${backend.name}`]);
    const served = its.filter(isServed);
    const rates = this.#rates(its);
    return {
      policy: balance,
      backends: backends.length,
      available: facts.filter(isAvailable).length,
      'take clients': facts.filter(takesClients).length,
      active: this.#live(served).length,
      waiting: this.#live(its).length - this.#live(served).length,
      'waiting at most': limits?.max_pending ?? 0,
      'each at most': limits?.max_connections_per_backend ?? NONE,
      connected: served.length,
      'connected of ended': served.length - this.#live(served).length,
      retries: sum(its.map(retriesOf)),
      'retries of ended': sum(its.filter(({ reason }) => reason !== null).map(retriesOf)),
      'opened by failures': facts.filter((facts) => facts['failures that opened it'] !== NONE)
        .length,
      none: 0,
      no: 'no',
      'connects/s': rates['connects/s'],
      'failures/s': rates['failures/s'],
    };
  }

  #backend(name, { address }) {
    const facts = this.#facts[name];
    const [cluster, own] = name.split('/');
    const ofCluster = this.sessions.filter((session) => session.cluster === cluster);
    const its = ofCluster.filter((session) => isServed(session) && session.backend === own);
    const ended = its.filter(({ reason }) => reason !== null);
    const refused = ofCluster.filter(({ tried }) => tried.includes(own)).length;
    const active = its.length - ended.length;
    const { causes, administrative } = facts;
    const tellsOfThem =
      causes.length === 0 || administrative === 'draining' || causes.includes('limit');
    return {
      ...facts,
      address,
      causes: causes.join(' ') || NONE,
      standing: standingOf(facts),
      'takes clients': takesClients(facts) ? 'yes' : 'no',
      active,
      'active as told': tellsOfThem ? active : NONE,
      events: eventsOf(facts),
      'connected of ended': ended.length,
      ...fieldsOf(OUTCOMES, (outcome) => [
        outcome,
        { connected: its.length, refused }[outcome] ?? 0,
      ]),
      received: sum(its.map(({ client }) => client.sent)),
      sent: sum(its.map(({ client }) => client.received)),
      'received by ended': sum(ended.map(({ client }) => client.sent)),
      'sent by ended': sum(ended.map(({ client }) => client.received)),
      none: 0,
      ...this.#rates(ofCluster, own),
    };
  }

  // Per second, of all backends or of one.
  #rates(sessions, backend = null) {
    const served = sessions.filter(
      (session) => isServed(session) && (backend === null || session.backend === backend),
    );
    const failures = sum(
      sessions.map(
        ({ tried }) => tried.filter((one) => backend === null || one === backend).length,
      ),
    );
    return {
      'connects/s': (served.length + failures) / this.seconds,
      'failures/s': failures / this.seconds,
      'received/s': sum(served.map(({ client }) => client.sent)) / this.seconds,
      'sent/s': sum(served.map(({ client }) => client.received)) / this.seconds,
    };
  }

  #sessionsByKind() {
    const kinds = { session: {}, waiting: {}, ended: {} };
    for (const session of this.sessions) {
      const kind = kindOf(session);
      kinds[kind][session.client.address] = this.#session(session);
    }
    return kinds;
  }

  #session(session) {
    const { balance } = this.#conf.clusters.find(({ name }) => name === session.cluster);
    const isLive = session.reason === null;
    return {
      listener: session.listener,
      cluster: session.cluster,
      backend: session.backend ?? NONE,
      attempts: attemptsOf(session),
      received: session.client.sent,
      sent: session.client.received,
      policy: balance,
      trial: 'no',
      'passed over': passedOverText(session.passedOver),
      ...(isLive
        ? { state: session.state }
        : { reason: session.reason, connected: isServed(session) ? 'yes' : 'no' }),
    };
  }

  #live(sessions) {
    return sessions.filter(({ reason }) => reason === null);
  }
}

function factsAtStart(cluster, backend) {
  const isProbed = cluster.health_check !== 'off';
  const health = !isProbed ? 'unprobed' : 'healthy';
  return {
    ...FACTS,
    health,
    'last known health': isProbed ? health : 'unknown',
    'passed in a row': isProbed ? 1 : 0,
    'failed in a row': 0,
    ...fieldsOf(PROBE_RESULTS, (result) => [
      `probes ${result}`,
      !isProbed ? NONE : result === 'passed' ? 1 : 0,
    ]),
    'is probed': isProbed ? 'yes' : 'no',
    'health changes': isProbed ? 1 : 0,
    'has a breaker': cluster.circuit_breaker === 'off' ? 'no' : 'yes',
    breaker: cluster.circuit_breaker === 'off' ? 'off' : 'closed',
    'breaker or closed': 'closed',
    weight: backend.weight ?? 1,
    'configured weight': backend.weight ?? 1,
    configured: 'ready',
  };
}

// Its only probe was refused.
export const UNHEALTHY = {
  health: 'unhealthy',
  'last known health': 'unhealthy',
  causes: ['health'],
  'passed in a row': 0,
  'failed in a row': 1,
  'probes passed': 0,
  'probes refused': 1,
};

// A breaker has opened: by that many failures, or by hand.
export function opened(ms, failures = NONE) {
  return {
    breaker: 'open',
    'breaker or closed': 'open',
    causes: ['breaker'],
    opened: 1,
    'open for': ms,
    'trial in': new Rounded(ms - SLACK_MS, ms),
    'failures in a row': failures === NONE ? 0 : failures,
    'failures that opened it': failures,
  };
}

// And was closed again by hand.
export function closedAgain(ms) {
  return { opened: 1, closed: 1, 'open for': ms };
}

const isServed = ({ backend, reason, state }) =>
  backend !== null && state === 'relaying' && !REJECTIONS.includes(reason);

const isOnPurpose = ({ causes }) =>
  causes.every((cause) => cause === 'administrative' || cause === 'weight');

const takesClients = ({ causes }) => causes.length === 0;

const isFull = ({ causes }) => String(causes) === 'limit';

// But for its limit, of which it may be one below in the next moment.
const isAvailable = (facts) => takesClients(facts) || isFull(facts);

function standingOf(facts) {
  if (isFull(facts)) return 'at its limit';
  return isAvailable(facts) ? 'available' : 'left out';
}

const attemptsOf = (session) => session.tried.length + (isServed(session) ? 1 : 0);

const retriesOf = (session) => Math.max(attemptsOf(session) - 1, 0);

const countOf = (sessions, reason) => sessions.filter((one) => one.reason === reason).length;

const eventsOf = (facts) =>
  facts.opened +
  facts.closed +
  facts['administrative changes'] +
  facts['weight changes'] +
  facts['health changes'];

function kindOf({ reason, state }) {
  if (reason !== null) return 'ended';
  return state === 'pending' ? 'waiting' : 'session';
}
