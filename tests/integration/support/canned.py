"""A server that answers every client with the same bytes, whatever it asks."""
import socket
import threading


class Canned:
    """On loopback, or on a unix socket at `path`. `pieces` are sent one after another once a
    request has come; then it closes, or stays silent until it is left when it `hangs`.
    `.requests` are those that came."""

    def __init__(self, *pieces, hangs=False, path=None):
        self.pieces, self.hangs, self.requests = pieces, hangs, []
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
            self.address = f"unix:{path}"
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock):
        with sock:
            try:
                self.requests.append(sock.recv(65536).decode())
                for piece in self.pieces:
                    sock.sendall(piece)
            except OSError:
                return
            if self.hangs:
                self._over.wait()


def json_answer(body, status="200 OK"):
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()
