// Backends that can be killed, and clients to keep them busy.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { forget, keep } from './live.mjs';

const MAIN = fileURLToPath(new URL('backend_main.mjs', import.meta.url));

async function spawnBackends(count, port = 0) {
  const child = spawn(process.execPath, [MAIN, String(count), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  keep(child, () => end(child));
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (status) => reject(new Error(`a backend exited with ${status}`)));
  });
  return { child, ports: JSON.parse(line) };
}

async function end(child) {
  forget(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

// A process of its own.
export class TestBackend {
  #child;

  static async start(name, port = 0) {
    const one = new TestBackend();
    one.name = name;
    await one.#begin(port);
    return one;
  }

  async #begin(port) {
    const { child, ports } = await spawnBackends(1, port);
    this.#child = child;
    this.port = ports[0];
    this.address = `127.0.0.1:${this.port}`;
  }

  // When it returns its port refuses.
  kill() {
    return end(this.#child);
  }

  comeBack() {
    return this.#begin(this.port);
  }
}

export async function startBackends(...names) {
  return Promise.all(names.map((name) => TestBackend.start(name)));
}

// Many in one process: `name(i)` at its own port each.
export async function startMany(count, name) {
  const { child, ports } = await spawnBackends(count);
  return {
    backends: ports.map((port, i) => ({ name: name(i), address: `127.0.0.1:${port}` })),
    stop: () => end(child),
  };
}

// Clients that come again and again, `parallel` at a time, until stopped. Each sends a little,
// reads it back and hangs up.
export class Traffic {
  #port;
  #isStopped = false;
  #loops;
  sessions = 0;
  refused = 0;

  constructor(port, { parallel = 4, pauseMs = 20, bytes = 2000 } = {}) {
    this.#port = port;
    keep(this, () => this.stop());
    this.#loops = Array.from({ length: parallel }, () =>
      this.#loop(pauseMs, Buffer.alloc(bytes, 'x')),
    );
  }

  async #loop(pauseMs, message) {
    while (!this.#isStopped) {
      if (await this.#talk(message)) this.sessions += 1;
      else this.refused += 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #talk(message) {
    return new Promise((resolve) => {
      let read = 0;
      const socket = connect(this.#port, '127.0.0.1');
      socket.on('connect', () => socket.write(message));
      socket.on('data', (data) => {
        read += data.length;
        if (read >= message.length) socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(read >= message.length));
    });
  }

  async stop() {
    forget(this);
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }
}

// A client that stays; resolves when it has been greeted, so that it has a backend. Rejects when it
// is turned away.
export function holdSession(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    keep(socket, () => socket.destroy());
    socket.once('data', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('a client was not greeted')));
  });
}
