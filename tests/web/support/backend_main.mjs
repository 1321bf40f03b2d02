// Backends in a process of their own: backend_main.mjs COUNT [PORT]. Says the ports in one line of
// JSON; each greets with a line, then echoes.

import { createServer } from 'node:net';

const count = Number(process.argv[2]);
const port = Number(process.argv[3] ?? 0);

function listen() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('hello\n');
    socket.pipe(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server.address().port));
  });
}

const ports = [];
for (let i = 0; i < count; i += 1) ports.push(await listen());
console.log(JSON.stringify(ports));
