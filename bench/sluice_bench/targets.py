"""What is measured: no proxy, Sluice, and its peers with equal settings.

Equal: the same number of threads or workers, no access log, TCP_NODELAY (everybody's default), a backlog of 4096,
accepting in batches, no limit below the descriptor limit, 1 h idle time. Everything else is the
program's default; Sluice's probes and breaker therefore run, the peers have no active checks.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

BACKLOG = 4096
# Twice that, and HAProxy's pipes, must fit into a descriptor limit of 20,000.
SESSIONS_MAX = 9200
HAPROXY_PIPES_MAX = 256
_NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@dataclass
class Place:
    """Where a proxy finds its files and its ports."""

    directory: Path
    port: int
    backend_port: int
    sluice: Path
    workers: int = 1


def admin_socket(directory: Path) -> Path:
    return directory / "admin"


def sluice_settings(place: Place) -> dict:
    """One listener, one backend, and everything else as it is by default."""
    return {
        "workers": place.workers,
        "log": {"level": "warning"},
        "listeners": [{"name": "l", "address": f"127.0.0.1:{place.port}", "cluster": "c"}],
        "clusters": [{"name": "c", "backends": [f"127.0.0.1:{place.backend_port}"]}],
    }


def start_sluice(place: Place, settings: dict) -> list[str]:
    conf = place.directory / "sluice.json"
    conf.write_text(json.dumps(settings))
    return [str(place.sluice), "run", "-c", str(conf)]


@dataclass(frozen=True)
class Target:
    name: str
    # Writes the configuration and says how to start the program; nothing to start for `direct`.
    prepare: Callable[[Place], list[str]] | None
    missing: Callable[[], str]  # why it cannot be measured here; empty when it can
    # A process for each worker, beside the first one.
    forks: bool = False
    # A number of workers of its own, whatever the others have.
    workers: int | None = None
    # /metrics is asked for every second, at the socket admin_socket() of its place.
    is_scraped: bool = False
    # Its backends have other addresses than 127.0.0.1.
    backend_everywhere: bool = False

    def processes(self, workers: int) -> int:
        return 1 + workers if self.forks else 1


def _sluice(place: Place) -> list[str]:
    return start_sluice(place, sluice_settings(place))


def _haproxy(*options: str, pipes_max: int = 0) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        lines = ["global", f"  maxconn {SESSIONS_MAX}", f"  nbthread {place.workers}"]
        lines += [f"  maxpipes {pipes_max}"] if pipes_max else []
        lines += ["defaults", "  mode tcp", "  timeout connect 2s"]
        lines += ["  timeout client 1h", "  timeout server 1h"]
        lines += [f"  {option}" for option in options]
        lines += ["listen l", f"  bind 127.0.0.1:{place.port} backlog {BACKLOG}"]
        lines += [f"  server s 127.0.0.1:{place.backend_port}", ""]
        conf = place.directory / "haproxy.cfg"
        conf.write_text("\n".join(lines))
        return ["haproxy", "-db", "-q", "-f", str(conf)]

    return prepare


def _nginx(*settings: str) -> Callable[[Place], list[str]]:
    def prepare(place: Place) -> list[str]:
        conf = place.directory / "nginx.conf"
        extra = "".join(f"    {setting};\n" for setting in settings)
        conf.write_text(
            f"load_module {_NGINX_STREAM};\n"
            f"daemon off;\nworker_processes {place.workers};\nerror_log stderr crit;\n"
            f"pid {place.directory}/nginx.pid;\n"
            f"events {{\n  worker_connections {2 * SESSIONS_MAX + 100};\n  multi_accept on;\n}}\n"
            "stream {\n  access_log off;\n  server {\n"
            f"    listen 127.0.0.1:{place.port} backlog={BACKLOG};\n"
            f"    proxy_pass 127.0.0.1:{place.backend_port};\n"
            "    proxy_connect_timeout 2s;\n    proxy_timeout 1h;\n"
            f"{extra}  }}\n}}\n"
        )
        return ["nginx", "-e", "stderr", "-p", str(place.directory), "-c", str(conf)]

    return prepare


def _needs(program: str, *files: Path) -> Callable[[], str]:
    def missing() -> str:
        if shutil.which(program) is None:
            return f"{program} is not installed"
        return next((f"{file} is not there" for file in files if not file.exists()), "")

    return missing


def nothing_missing() -> str:
    return ""


_SPLICE = ("option splice-auto", "option splice-request", "option splice-response")

TARGETS = [
    Target("direct", None, nothing_missing),
    Target("sluice", _sluice, nothing_missing),
    Target("haproxy", _haproxy(), _needs("haproxy")),
    Target(
        "haproxy-splice", _haproxy(*_SPLICE, pipes_max=HAPROXY_PIPES_MAX), _needs("haproxy")
    ),
    Target("nginx", _nginx(), _needs("nginx", _NGINX_STREAM), forks=True),
    Target(
        "nginx-64k",
        _nginx("proxy_buffer_size 64k"),
        _needs("nginx", _NGINX_STREAM),
        forks=True,
    ),
]

PEERS = [target.name for target in TARGETS if target.name not in ("direct", "sluice")]
