// The scripted run that agreement.test.mjs is about: who takes part, and what is done, each with
// what it adds to the account.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Account, closedAgain, opened, UNHEALTHY } from '../support/account.mjs';
import { CountedBackend, CountedClient } from '../support/counted.mjs';
import { keep } from '../support/live.mjs';
import { Sluice } from '../support/sluice.mjs';
import { eventually } from '../support/waiting.mjs';

const OPEN_FOR_MS = 2 * 3600 * 1000;

// --- who takes part ----------------------------------------------------------------------------

const SERVED = ['anna', 'bert', 'cleo', 'up', 'ella', 'finn', 'gina', 'hans', 'ivan', 'jane'];

async function startServers() {
  const start = (name, options) => CountedBackend.start(name, options);
  const list = await Promise.all([
    ...SERVED.map((name) => start(name)),
    start('dora', { host: '127.0.0.2' }),
  ]);
  const silent = { greeting: '' };
  const probed = await Promise.all([
    ...['anna', 'bert', 'cleo', 'up'].map((name) => start(name, silent)),
    start('down', { ...silent, host: '127.0.0.2' }),
  ]);
  const byName = (servers) => new Map(servers.map((server) => [server.name, server]));
  return { traffic: byName(list), probes: byName(probed) };
}

function configuration({ traffic, probes }, accessLog) {
  // Where nobody listens, and nobody else can: the port is taken, at another address.
  const refusing = (name, host) => ({ name, address: `${host}:${traffic.get('up').port}` });
  const at = (name) => ({ name, address: traffic.get(name).address });
  const probed = (backend) => ({
    ...backend,
    health_check_port: probes.get(backend.name)?.port ?? traffic.get('up').port,
  });
  const breaker = (threshold) => ({
    failure_threshold: threshold,
    recovery_timeout: '2h',
    max_recovery_timeout: '2h',
    jitter: 0,
    early_trial: false,
  });
  // Which none fails but by a refusal, however busy the machine is.
  const once = { interval: '1h', unhealthy_interval: '1h', timeout: '1h' };
  const cluster = (name, balance, backends, settings) => ({
    name,
    balance,
    health_check: 'off',
    circuit_breaker: breaker(5),
    backends,
    ...settings,
  });
  const listener = (name, settings) => ({
    name,
    address: '127.0.0.1:0',
    cluster: name,
    ...settings,
  });
  return {
    workers: 2,
    max_connections: 500,
    drain_timeout: '200ms',
    admin: { address: '127.0.0.1:0' },
    access_log: { file: accessLog, format: 'json' },
    listeners: [
      listener('web', { max_connections: 40 }),
      listener('shop', { cluster: 'web' }),
      listener('store'),
      listener('gone'),
      listener('pair'),
      // Long enough for a client that is not idle yet to say something.
      listener('brief', { cluster: 'pair', idle_timeout: '2s' }),
      listener('narrow', { on_unavailable: 'close' }),
    ],
    clusters: [
      cluster('web', 'first', ['dora', 'anna', 'bert', 'cleo'].map(at).map(probed), {
        health_check: once,
      }),
      cluster('store', 'first', [refusing('down', '127.0.0.2'), at('up')].map(probed), {
        health_check: once,
        circuit_breaker: breaker(3),
      }),
      cluster('gone', 'first', [refusing('gone-a', '127.0.0.3'), refusing('gone-b', '127.0.0.4')], {
        connect_attempts: 2,
        circuit_breaker: breaker(2),
      }),
      cluster('pair', 'round_robin', ['ella', 'finn'].map(at)),
      cluster('narrow', 'first', ['gina', 'hans', 'ivan', 'jane'].map(at), {
        circuit_breaker: 'off',
        limits: { max_connections_per_backend: 1, max_pending: 1, queue_timeout: '1h' },
      }),
    ],
  };
}

export class Run {
  static async start() {
    const one = new Run();
    const directory = mkdtempSync(join(tmpdir(), 'sluice-agreement-'));
    keep(one, () => rmSync(directory, { recursive: true }));
    one.accessLog = join(directory, 'access.log');
    one.servers = await startServers();
    one.conf = configuration(one.servers, one.accessLog);
    one.account = new Account(one.conf);
    one.sluice = await Sluice.start(one.conf);
    const { listeners } = await one.sluice.get('/api/listeners');
    one.ports = Object.fromEntries(
      listeners.map(({ name, addresses: [address] }) => [name, Number(address.split(':').at(-1))]),
    );
    await eventually(async () => {
      const backends = await one.sluice.backends();
      return backends.every(({ health }) => !health.probes || health.state !== 'unknown');
    }, 'each has been probed');
    one.account.fact('web/dora', UNHEALTHY);
    return one;
  }

  // A client that is served by `backend`, exchanges that many bytes, and stays.
  async hold(listener, backend, { bytes = 0, ...more } = {}) {
    const client = new CountedClient(this.ports[listener]);
    const served = await client.greeted();
    assert.ok(backend === undefined || backend === served, `${served}, not ${backend}`);
    await client.exchange(bytes);
    return this.account.note({ listener, backend: served, client, ...more });
  }

  // One that ends that way.
  async serve(listener, backend, reason, more) {
    const session = await this.hold(listener, backend, more);
    await ENDINGS[reason](session.client, this.sluice);
    await session.client.ended();
    session.reason = reason.replace(' half', '');
  }

  // One that gets nobody.
  async turnAway(listener, reason, more) {
    const client = new CountedClient(this.ports[listener]);
    await client.ended();
    this.account.note({ listener, client, reason, ...more });
  }
}

const ENDINGS = {
  client_closed: (client) => client.end(),
  'client_closed half': (client) => client.sendAndEnd(1234),
  backend_closed: (client) => client.askToEnd(),
  client_reset: (client) => client.reset(),
  backend_reset: (client) => client.askToReset(),
  idle_timeout: () => {},
  shutdown: async ({ address }, sluice) => {
    const { sessions } = await sluice.get('/api/sessions');
    await sluice.ctl('close', sessions.find(({ client }) => client === address).id);
  },
};

// --- what is done ------------------------------------------------------------------------------

async function endInEachWay(run) {
  const more = { passedOver: { health: 1 } };
  for (const bytes of [0, 1, 64, 5000, 70_000]) {
    await run.serve('web', 'anna', 'client_closed', { ...more, bytes });
  }
  await run.serve('web', 'anna', 'client_closed half', { ...more, bytes: 300 });
  await run.serve('web', 'anna', 'backend_closed', { ...more, bytes: 257 });
  await run.serve('shop', 'anna', 'backend_closed', { ...more, bytes: 10 });
  await run.serve('shop', 'anna', 'client_reset', { ...more, bytes: 20 });
  await run.serve('web', 'anna', 'backend_reset', { ...more, bytes: 30 });
  await run.serve('shop', 'anna', 'shutdown', { ...more, bytes: 40 });
  await run.hold('web', 'anna', { ...more, bytes: 700 });
}

async function drainOne(run) {
  await run.sluice.ctl('drain', 'web/anna');
  run.account.fact('web/anna', {
    administrative: 'draining',
    causes: ['administrative'],
    'administrative changes': 1,
  });
  const more = { passedOver: { health: 1, administrative: 1 } };
  await run.serve('web', 'bert', 'client_closed', { ...more, bytes: 2000 });
  await run.serve('shop', 'bert', 'client_reset', { ...more, bytes: 11 });
  await run.hold('shop', 'bert', { ...more, bytes: 3000 });
}

async function tripOne(run) {
  await run.sluice.ctl('trip', 'web/bert');
  run.account.fact('web/bert', opened(OPEN_FOR_MS));
  const more = { passedOver: { health: 1, administrative: 1, breaker: 1 } };
  await run.serve('web', 'cleo', 'backend_closed', { ...more, bytes: 99 });
  await run.serve('shop', 'cleo', 'client_closed', { ...more, bytes: 1023 });
  await run.hold('web', 'cleo', { ...more, bytes: 64 });
}

async function tryAgainElsewhere(run) {
  const retried = { tried: ['down'], passedOver: { tried: 1 } };
  await run.serve('store', 'up', 'client_closed', { ...retried, bytes: 400 });
  await run.serve('store', 'up', 'backend_closed', { ...retried, bytes: 500 });
  await run.hold('store', 'up', { ...retried, bytes: 600 });
  run.account.fact('store/down', opened(OPEN_FOR_MS, 3));
  for (const bytes of [7, 8]) {
    await run.serve('store', 'up', 'client_closed', { passedOver: { breaker: 1 }, bytes });
  }
}

async function findNobody(run) {
  for (let i = 0; i < 2; i += 1) {
    await run.turnAway('gone', 'connect_failed', {
      backend: 'gone-b',
      tried: ['gone-a', 'gone-b'],
      passedOver: { tried: 1 },
    });
  }
  run.account.fact('gone/gone-a', opened(OPEN_FOR_MS, 2));
  run.account.fact('gone/gone-b', opened(OPEN_FOR_MS, 2));
  for (let i = 0; i < 3; i += 1) {
    await run.turnAway('gone', 'no_backend', { passedOver: { breaker: 2 } });
  }
}

// Who serves is up to the policy; it says who it is.
async function takeTurns(run) {
  await run.sluice.ctl('trip', 'pair/ella');
  await run.sluice.ctl('reset', 'pair/ella');
  run.account.fact('pair/ella', closedAgain(OPEN_FOR_MS));
  for (let bytes = 1; bytes <= 10; bytes += 1) {
    await run.serve('pair', undefined, 'client_closed', { bytes });
  }
  await run.serve('brief', undefined, 'idle_timeout', { bytes: 50 });
  await run.hold('pair', undefined, { bytes: 5 });
}

// Two of four have room for one each; the others are not to be used.
async function fillUp(run) {
  await run.sluice.ctl('maintenance', 'narrow/ivan');
  run.account.fact('narrow/ivan', {
    administrative: 'maintenance',
    causes: ['administrative'],
    'administrative changes': 1,
  });
  await run.sluice.ctl('weight', 'narrow/jane', '0');
  run.account.fact('narrow/jane', { weight: 0, causes: ['weight'], 'weight changes': 1 });
  await run.hold('narrow', 'gina', { bytes: 1 });
  await run.hold('narrow', 'hans', { bytes: 2, passedOver: { limit: 1 } });
  const client = new CountedClient(run.ports.narrow);
  run.account.note({
    listener: 'narrow',
    client,
    state: 'pending',
    passedOver: { limit: 2, administrative: 1 },
  });
  await eventually(async () => {
    const { clusters } = await run.sluice.get('/api/clusters');
    return clusters.find(({ name }) => name === 'narrow').pending.waiting === 1;
  }, 'it waits');
  for (let i = 0; i < 2; i += 1) {
    await run.turnAway('narrow', 'limit', { passedOver: { limit: 1 } });
  }
  for (const name of ['gina', 'hans']) run.account.fact(`narrow/${name}`, { causes: ['limit'] });
}

export const SCRIPT = [
  endInEachWay,
  drainOne,
  tripOne,
  tryAgainElsewhere,
  findNobody,
  takeTurns,
  fillUp,
];
