"""Clients in a process of their own: --clients at a time, --rate sessions per second in all.

Each session connects, sends --bytes of its own, reads them back and closes. Runs until
--sessions are done or, without that, until stdin ends, then prints one JSON object: sessions,
seconds, errors [{begun, at, phase, error}], slowest_ms, gave_up. With --patience a client that
has no answer by then goes away with a reset.
"""
import argparse
import asyncio
import json
import os
import socket
import struct
import sys
import time

GIVE_UP_SECONDS = 20
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Load:
    def __init__(self, options):
        host, port = options.connect.rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        self.family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self.options = options
        self.begun = time.monotonic()
        self.started, self.sessions, self.gave_up = 0, 0, 0
        self.errors, self.slowest = [], 0.0
        self.stopping = False

    async def run(self):
        loop = asyncio.get_running_loop()
        if self.options.sessions == 0:
            loop.add_reader(sys.stdin.fileno(), self.stop)
        await asyncio.gather(*(self.client(number) for number in range(self.options.clients)))
        return {
            "sessions": self.sessions,
            "seconds": time.monotonic() - self.begun,
            "errors": self.errors,
            "slowest_ms": self.slowest * 1000,
            "gave_up": self.gave_up,
        }

    def stop(self):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self.stopping = True

    def wanted(self):
        return not self.stopping and (
            self.options.sessions == 0 or self.started < self.options.sessions
        )

    async def client(self, number):
        period = self.options.clients / self.options.rate if self.options.rate else 0
        due = self.begun + period * number / self.options.clients
        while self.wanted():
            if period:
                await asyncio.sleep(max(0, due - time.monotonic()))
                due = max(due + period, time.monotonic())
                if not self.wanted():
                    return
            self.started += 1
            await self.session()

    async def session(self):
        begun = time.monotonic()
        progress = {"phase": "connect"}
        sock = socket.socket(self.family)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(self.options.patience or GIVE_UP_SECONDS):
                await self.exchange(sock, progress)
        except TimeoutError as error:
            if self.options.patience:
                self.gave_up += 1
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            else:
                self.failed(begun, progress, error)
        except (OSError, EOFError, ValueError) as error:
            self.failed(begun, progress, error)
        finally:
            sock.close()
        self.sessions += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)

    async def exchange(self, sock, progress):
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, self.address)
        progress["phase"] = "exchange"
        request = os.urandom(self.options.bytes)
        await loop.sock_sendall(sock, request)
        reply = bytearray()
        while len(reply) < len(request):
            data = await loop.sock_recv(sock, 65536)
            if not data:
                raise EOFError(f"end after {len(reply)} bytes")
            reply += data
        if reply != request:
            raise ValueError("other bytes came back")

    def failed(self, begun, progress, error):
        self.errors.append(
            {
                "begun": begun,
                "at": time.monotonic(),
                "phase": progress["phase"],
                "error": type(error).__name__,
            }
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect", required=True)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--bytes", type=int, default=64)
    parser.add_argument("--patience", type=float, default=0)
    print(json.dumps(asyncio.run(Load(parser.parse_args()).run())))


if __name__ == "__main__":
    main()
