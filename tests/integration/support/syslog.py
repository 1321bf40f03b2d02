"""A syslog daemon in the test's own hands: datagrams on a unix socket or over UDP."""
import socket
import threading


class Daemon:
    """Reads from construction on. `messages()` are what came, whole."""

    def __init__(self, address):
        """`address` is a path, or (host, port)."""
        self._socket = socket.socket(
            socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX, socket.SOCK_DGRAM
        )
        self._socket.bind(address if isinstance(address, tuple) else str(address))
        self._messages = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def port(self):
        return self._socket.getsockname()[1]

    def messages(self):
        return [message.decode() for message in list(self._messages)]

    def bodies(self):
        """What comes after the head that syslog(3) writes."""
        return [message.split("]: ", 1)[1] for message in self.messages()]

    def stop(self):
        """Takes no more, reads what it has taken, and is gone."""
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # UDP, not connected: wakes the reader all the same
        self._thread.join(5)
        self._socket.close()

    def _read(self):
        while True:
            message = self._socket.recv(1 << 16)
            if not message:
                return
            self._messages.append(message)
