// A network between the page and Sluice that can be cut: a plain TCP relay on a port of its own.

import { connect, createServer } from 'node:net';

import { forget, keep } from './live.mjs';

export class Gate {
  #server;
  #sockets = new Set();
  #to;

  // To a host and port, which may be changed while it is closed.
  static async open(to) {
    const one = new Gate();
    one.#to = to;
    await one.#listen(0);
    one.port = one.#server.address().port;
    keep(one, () => one.close());
    one.url = `http://127.0.0.1:${one.port}/`;
    return one;
  }

  #listen(port) {
    this.#server = createServer((client) => this.#relay(client));
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  #relay(client) {
    const [host, port] = this.#to.split(':');
    const server = connect(Number(port), host);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  // Everything is reset, and nobody listens any more.
  async close() {
    forget(this);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  reopen(to = this.#to) {
    this.#to = to;
    keep(this, () => this.close());
    return this.#listen(this.port);
  }
}
