"""Sluice in other settings, to be compared with itself. They appear only in rows of their own."""

import os

from sluice_bench.targets import (
    Place,
    Target,
    admin_socket,
    nothing_missing,
    sluice_settings,
    start_sluice,
)

_BACKENDS = 1000
_LISTENERS = 100


def _bare(place: Place) -> list[str]:
    settings = sluice_settings(place)
    settings["clusters"][0] |= {"health_check": "off", "circuit_breaker": "off"}
    return start_sluice(place, settings)


def _full(place: Place) -> list[str]:
    settings = sluice_settings(place)
    settings["access_log"] = {"file": str(place.directory / "access.log"), "format": "json"}
    settings["admin"] = {"address": f"unix:{admin_socket(place.directory)}"}
    settings["clusters"][0] |= {"health_check": {"interval": "1s"}}
    return start_sluice(place, settings)


def _busy(place: Place) -> list[str]:
    return start_sluice(
        place, sluice_settings(place) | {"busy_poll": {"for": "50us", "max_cpu": 100}}
    )


def _many_backends(place: Place) -> list[str]:
    """All of them one program, under a thousand addresses."""
    settings = sluice_settings(place)
    addresses = [f"127.1.{i // 250}.{i % 250 + 1}" for i in range(_BACKENDS)]
    settings["clusters"][0]["backends"] = [f"{a}:{place.backend_port}" for a in addresses]
    return start_sluice(place, settings)


def _many_listeners(place: Place) -> list[str]:
    """The load comes to the first one."""
    settings = sluice_settings(place)
    settings["listeners"] = [
        {"name": f"l{i}", "address": f"127.0.0.1:{place.port + i}", "cluster": "c"}
        for i in range(_LISTENERS)
    ]
    return start_sluice(place, settings)


def _sluice(place: Place) -> list[str]:
    return start_sluice(place, sluice_settings(place))


def _needs_own_namespace() -> str:
    return "" if os.geteuid() == 0 else "it needs many addresses or ports: only as root"


VARIANTS = [
    Target("sluice-bare", _bare, nothing_missing),
    Target("sluice-full", _full, nothing_missing, is_scraped=True),
    Target("sluice-busy", _busy, nothing_missing),
    Target("sluice-backends-1000", _many_backends, _needs_own_namespace, backend_everywhere=True),
    Target("sluice-listeners-100", _many_listeners, _needs_own_namespace),
    Target("sluice-2-workers", _sluice, nothing_missing, workers=2),
    Target("sluice-4-workers", _sluice, nothing_missing, workers=4),
]
