// Backends and clients that keep an account of every byte, so that a test knows what it has done.
// A backend greets with its name in a line and echoes, until it is asked to end in one way or
// another.

import { connect, createServer } from 'node:net';

import { forget, keep } from './live.mjs';
import { eventually } from './waiting.mjs';

const END = '!';
const RESET = '~';
const FIRST_PORT = 20_000;

export class CountedBackend {
  accepted = 0;
  open = 0;
  received = 0;
  sent = 0;
  #server;
  #sockets = new Set();
  #greeting;

  // One that has no greeting says nothing at all, as where only probes come.
  static async start(name, { host = '127.0.0.1', greeting = `${name}\n` } = {}) {
    const one = new CountedBackend();
    one.name = name;
    one.#greeting = greeting;
    one.#server = createServer({ allowHalfOpen: true }, (socket) => one.#serve(socket));
    await new Promise((resolve, reject) => {
      one.#server.once('error', reject);
      one.#server.listen(0, host, resolve);
    });
    one.port = one.#server.address().port;
    one.address = `${host}:${one.port}`;
    return keep(one, () => one.stop());
  }

  #serve(socket) {
    this.accepted += 1;
    this.open += 1;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.open -= 1;
      this.#sockets.delete(socket);
    });
    socket.on('end', () => socket.end());
    socket.on('data', (data) => this.#answer(socket, data));
    if (this.#greeting) this.#say(socket, this.#greeting);
  }

  #answer(socket, data) {
    this.received += data.length;
    const last = String.fromCharCode(data.at(-1));
    if (last === END) socket.end();
    else if (last === RESET) socket.resetAndDestroy();
    else this.#say(socket, data);
  }

  #say(socket, data) {
    this.sent += data.length;
    socket.write(data);
  }

  async stop() {
    forget(this);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class CountedClient {
  static #count = 0;
  sent = 0;
  received = 0;
  hasEnded = false;
  greeting = '';
  #socket;

  // At an address of its own, so that it is known by it everywhere and for good.
  constructor(port) {
    CountedClient.#count += 1;
    const localAddress = `127.0.1.${CountedClient.#count}`;
    const localPort = FIRST_PORT + CountedClient.#count;
    this.address = `${localAddress}:${localPort}`;
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, localPort });
    keep(this, () => this.#socket.destroy());
    this.#socket.on('error', () => {}); // a reset, which some are to get
    this.#socket.on('close', () => {
      this.hasEnded = true;
      forget(this);
    });
    this.#socket.on('data', (data) => this.#take(data));
  }

  #take(data) {
    this.received += data.length;
    if (!this.greeting.endsWith('\n')) this.greeting += data;
  }

  // Resolves to the name of the backend that serves it.
  async greeted() {
    await eventually(() => this.greeting.endsWith('\n'), `${this.address} is greeted`);
    return this.greeting.trimEnd();
  }

  // Sends that many and gets them back.
  async exchange(bytes) {
    const wanted = this.received + bytes;
    this.#send('x'.repeat(bytes));
    await eventually(() => this.received === wanted, `${this.address} has its ${bytes} bytes back`);
  }

  #send(text) {
    this.sent += text.length;
    this.#socket.write(text);
  }

  end() {
    this.#socket.end();
  }

  // Sends, and its end of stream right behind it.
  sendAndEnd(bytes) {
    this.#send('x'.repeat(bytes));
    this.#socket.end();
  }

  reset() {
    this.#socket.resetAndDestroy();
  }

  askToEnd() {
    this.#send(END);
  }

  askToReset() {
    this.#send(RESET);
  }

  ended() {
    return eventually(() => this.hasEnded, `${this.address} has ended`);
  }
}
