"""Slow readers: `start N BYTES` lets N clients read that much and stop, `read_on COUNT LENGTH` lets
the next COUNT of them read their stream of LENGTH bytes to its end, every byte compared with the
pattern. Answers how many got all."""
import selectors
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support import pattern  # noqa: E402
from support.helper import serve  # noqa: E402

READ_BYTES = 256 * 1024
SECONDS = 30
AT_A_TIME = 16


class Reader:
    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=SECONDS)
        self.position = 0
        self.good = True

    def read(self, buffer):
        """How many bytes; checks them. 0 at the end, whichever end that is."""
        try:
            count = self.sock.recv_into(buffer)
        except OSError:
            self.good = False
            return 0
        self.good = self.good and pattern.matches(self.position, buffer[:count])
        self.position += count
        return count


class Readers:
    def __init__(self, host, port):
        self.address = (host, int(port))
        self.stopped = []
        self.buffer = memoryview(bytearray(READ_BYTES))

    def start(self, count, first_bytes):
        for _ in range(count):
            reader = Reader(self.address)
            while reader.position < first_bytes:
                if reader.read(self.buffer) == 0:
                    break
            self.stopped.append(reader)
        return sum(reader.position >= first_bytes and reader.good for reader in self.stopped)

    def read_on(self, count, length):
        waiting, self.stopped = self.stopped[:count], self.stopped[count:]
        complete = 0
        with selectors.DefaultSelector() as selector:
            active = 0
            while waiting or active:
                while waiting and active < AT_A_TIME:
                    reader = waiting.pop()
                    selector.register(reader.sock, selectors.EVENT_READ, reader)
                    active += 1
                ready = selector.select(SECONDS)
                if not ready:
                    break
                for key, _ in ready:
                    if key.data.read(self.buffer) == 0:
                        selector.unregister(key.data.sock)
                        key.data.sock.close()
                        active -= 1
                        complete += key.data.good and key.data.position == length
        return complete


def main():
    readers = Readers(*sys.argv[1:3])
    serve({"start": readers.start, "read_on": readers.read_on})


if __name__ == "__main__":
    main()
