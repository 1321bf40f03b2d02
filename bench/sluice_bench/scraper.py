"""Prometheus in small: asks for /metrics every second, as long as it is entered."""

import socket
import threading
from pathlib import Path

from sluice_bench.programs import Failure

_INTERVAL_SECONDS = 1.0
_ANSWER_SECONDS_MAX = 5.0
_REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Scraper:
    def __init__(self, admin: Path) -> None:
        """`admin` is the socket of the admin side."""
        self._admin = admin
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._problem = ""

    def __enter__(self) -> "Scraper":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        if self._problem and kind is None:
            raise Failure(f"/metrics: {self._problem}")

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                answer = self._scrape()
            except OSError as error:
                answer = str(error).encode()
            if b"sluice_bytes_total" not in answer:
                self._problem = answer[:100].decode(errors="replace")
            self._is_over.wait(_INTERVAL_SECONDS)

    def _scrape(self) -> bytes:
        answer = bytearray()
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(_ANSWER_SECONDS_MAX)
            admin.connect(str(self._admin))
            admin.sendall(_REQUEST)
            while piece := admin.recv(1 << 16):
                answer += piece
        return bytes(answer)
