"""Marks that skip a test where the machine lacks what it needs. Imported by test files, after
conftest has run."""
import shutil
import socket

import pytest

from support.network import own_network, real_root


def program(name):
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def _knows_localhost():
    try:
        return bool(socket.getaddrinfo("localhost", 1))
    except OSError:
        return False


localhost = pytest.mark.skipif(not _knows_localhost(), reason="localhost cannot be resolved here")
own_namespace = pytest.mark.skipif(not own_network(), reason="needs a network namespace of its own")
firewall = pytest.mark.skipif(
    not own_network() or shutil.which("nft") is None,
    reason="needs nft and a network namespace of its own",
)
root = pytest.mark.skipif(
    not real_root() or shutil.which("setpriv") is None,
    reason="needs root, to become nobody with setpriv",
)
