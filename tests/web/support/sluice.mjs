// The real binary with a configuration of the test's, and its admin API as the oracle.

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { forget, keep } from './live.mjs';
import { eventually } from './waiting.mjs';

const EXECUTABLE = process.env.SLUICE ?? 'build/src/sluice';

// One listener and one cluster called "web", quick in everything but patient with probes: a backend
// that is dead refuses them, and one that is alive is not to be taken for dead on a busy machine.
export function confOf(backends, { cluster = {}, listener = {}, ...settings } = {}) {
  return {
    drain_timeout: '200ms',
    admin: { address: '127.0.0.1:0' },
    listeners: [{ name: 'front', address: '127.0.0.1:0', cluster: 'web', ...listener }],
    clusters: [
      {
        name: 'web',
        backends: backends.map(({ name, address }) => ({ name, address })),
        health_check: { interval: '250ms', unhealthy_interval: '250ms', timeout: '1m' },
        circuit_breaker: {
          failure_threshold: 3,
          recovery_timeout: '30s',
          early_trial: false,
          jitter: 0,
        },
        ...cluster,
      },
    ],
    ...settings,
  };
}

export class Sluice {
  #process;
  #directory = mkdtempSync(join(tmpdir(), 'sluice-web-'));
  #events = [];
  #stderr = '';

  static async start(conf, { token } = {}) {
    const one = new Sluice();
    if (token) {
      const path = join(one.#directory, 'token');
      writeFileSync(path, `${token}\n`, { mode: 0o600 });
      conf = { ...conf, admin: { ...conf.admin, token_file: path } };
    }
    one.token = token;
    keep(one, () => one.stop('SIGKILL'));
    one.#spawn({ log: { format: 'json' }, ...conf });
    try {
      await eventually(() => one.#said('ready') ?? one.#failIfGone(), 'sluice is ready', 20_000);
    } catch (error) {
      await one.stop();
      throw new Error(`${error.message}\n${one.#stderr}`);
    }
    return one;
  }

  #spawn(conf) {
    const path = join(this.#directory, 'conf.json');
    writeFileSync(path, JSON.stringify(conf));
    this.#process = spawn(EXECUTABLE, ['run', '-c', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.gone = new Promise((resolve) => this.#process.once('close', resolve));
    createInterface({ input: this.#process.stderr }).on('line', (line) => {
      this.#stderr += `${line}\n`;
      try {
        this.#events.push(JSON.parse(line));
      } catch {
        // a problem with the configuration, say: shown when it does not start
      }
    });
  }

  #said(event) {
    return this.#events.find((entry) => entry.event === event);
  }

  #failIfGone() {
    if (this.#process.exitCode !== null) throw new Error(`exit status ${this.#process.exitCode}`);
    return null;
  }

  get pid() {
    return this.#process.pid;
  }

  // Of the admin side: host and port.
  get admin() {
    return this.#said('admin_listening').address;
  }

  get url() {
    return `http://${this.admin}/`;
  }

  get port() {
    return Number(this.#said('listening').address.split(':').at(-1));
  }

  async get(path) {
    const response = await fetch(new URL(path, this.url), { headers: this.#headers() });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async act(action, backend, cluster = 'web') {
    const names = [cluster, backend].map(encodeURIComponent);
    const path = `/api/clusters/${names[0]}/backends/${names[1]}/${action}`;
    const response = await fetch(new URL(path, this.url), {
      method: 'POST',
      headers: this.#headers(),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  // What `sluice ctl` prints.
  async ctl(...words) {
    const all = ['ctl', '--admin', this.admin, ...words];
    const { stdout } = await promisify(execFile)(EXECUTABLE, all);
    return stdout;
  }

  async backends() {
    const { clusters } = await this.get('/api/clusters');
    return clusters.flatMap(({ name, backends }) =>
      backends.map((one) => ({ cluster: name, ...one })),
    );
  }

  async backend(name) {
    return (await this.backends()).find((one) => one.name === name);
  }

  // Resolves once each backend that is probed has been found healthy.
  allHealthy(withinMs) {
    const isHealthy = ({ health }) => !health.probes || health.state === 'healthy';
    return eventually(
      async () => (await this.backends()).every(isHealthy),
      'all are healthy',
      withinMs,
    );
  }

  #headers() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  async stop(signal = 'SIGTERM') {
    forget(this);
    this.#process.kill(signal);
    await this.gone;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
