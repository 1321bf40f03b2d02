"""One end of a transfer both ways at once: `exchange_main.py FILE BEGIN connect HOST PORT` (or
`listen` in place of `connect`, which tells its port first). Sends FILE from BEGIN on and then
its beginning, takes what comes at the same time, and prints one JSON object: count and sha256 of
what came."""
import hashlib
import json
import os
import socket
import sys
import threading

READ_BYTES = 1 << 20


def send_file(sock, path, begin):
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        sock.sendfile(file, offset=begin, count=size - begin)
        if begin:
            sock.sendfile(file, offset=0, count=begin)
    sock.shutdown(socket.SHUT_WR)


def main():
    path, begin, role = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if role == "listen":
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        sock, _ = listener.accept()
    else:
        sock = socket.create_connection((sys.argv[4], int(sys.argv[5])))
    sender = threading.Thread(target=send_file, args=(sock, path, begin))
    sender.start()
    digest, count = hashlib.sha256(), 0
    buffer = memoryview(bytearray(READ_BYTES))
    while length := sock.recv_into(buffer):
        digest.update(buffer[:length])
        count += length
    sender.join()
    print(json.dumps({"count": count, "sha256": digest.hexdigest()}))


if __name__ == "__main__":
    main()
