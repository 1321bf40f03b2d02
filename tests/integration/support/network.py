"""A network namespace of the test's own, and packets counted or dropped in it.

Each test file runs in a fresh namespace in which only loopback exists: its ports are nobody
else's, and firewall rules hurt nobody. Where the kernel does not allow one (no root, no user
namespaces) tests that need it are skipped.
"""
import ctypes
import fcntl
import itertools
import json
import os
import socket
import struct
import subprocess
from contextlib import contextmanager

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
TABLE = "inet sluice_test"

_serial = itertools.count(1)
_own_network = False
# Before a user namespace made us its root.
_began_as_root = os.geteuid() == 0


def enter_own_network():
    """Must run before the process has a second thread."""
    global _own_network
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(content)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    _own_network = True


def own_network():
    return _own_network


def real_root():
    return _began_as_root


def limit_socket_buffers(bytes_max):
    """What TCP may queue in a socket, each way. All namespaces share the memory that the kernel
    has for TCP (net.ipv4.tcp_mem): once it is used up, segments are dropped everywhere."""
    if not _own_network:
        return
    for name in ("tcp_rmem", "tcp_wmem"):
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(f"4096 131072 {bytes_max}")


def nft(command):
    """One command; nft parses the words itself."""
    return subprocess.run(
        ["nft", "-j", "--", command], check=True, capture_output=True, text=True
    ).stdout


def _base_chain(name, priority):
    nft(f"add table {TABLE}")
    nft(
        f"add chain {TABLE} {name} {{ type filter hook input priority {priority}; policy accept; }}"
    )


class ConnectCounter:
    """Counts connects (SYNs, a repeated one again) to an address from now on, whether anybody
    answers or not."""

    def __init__(self, port, address="127.0.0.1"):
        self._name = f"connects{next(_serial)}"
        _base_chain("counting", -10)
        nft(f"add counter {TABLE} {self._name}")
        nft(
            f"add rule {TABLE} counting ip daddr {address} tcp dport {port} "
            f"tcp flags & (syn|ack) == syn counter name {self._name}"
        )

    @property
    def count(self):
        answer = json.loads(nft(f"list counter {TABLE} {self._name}"))
        return next(item["counter"]["packets"] for item in answer["nftables"] if "counter" in item)


@contextmanager
def dropped(*matches):
    """While it is entered, packets that match one of these are lost: `black_hole(port)`,
    `gone(port)`."""
    chain = f"dropping{next(_serial)}"
    _base_chain(chain, 0)
    for match in matches:
        nft(f"add rule {TABLE} {chain} {match} drop")
    try:
        yield
    finally:
        nft(f"delete chain {TABLE} {chain}")


def black_hole(port, address="127.0.0.1"):
    return dropped(f"ip daddr {address} tcp dport {port}")


def gone(port):
    """Whoever has that port is cut off: nothing reaches it and nothing from it arrives."""
    return dropped(f"tcp dport {port}", f"tcp sport {port}")


@contextmanager
def local_ports(first, last):
    path = "/proc/sys/net/ipv4/ip_local_port_range"
    with open(path) as file:
        before = file.read()
    with open(path, "w") as file:
        file.write(f"{first} {last}")
    try:
        yield
    finally:
        with open(path, "w") as file:
            file.write(before)
