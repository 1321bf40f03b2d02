"""Counts taken from outside a process: its descriptors, memory, CPU time and sockets as the kernel
tells them."""
import os
import socket
import struct
from collections import Counter
from typing import NamedTuple

STATES = {
    1: "ESTABLISHED",
    2: "SYN_SENT",
    3: "SYN_RECV",
    4: "FIN_WAIT1",
    5: "FIN_WAIT2",
    6: "TIME_WAIT",
    7: "CLOSE",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    10: "LISTEN",
    11: "CLOSING",
}


class TcpSocket(NamedTuple):
    local: tuple
    remote: tuple
    state: str
    queued_bytes: int  # sent and not acknowledged, received and not read
    inode: int


def fd_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def socket_inodes(pid):
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(int(target[8:-1]))
    return inodes


def tcp_sockets():
    found = []
    for family, path in ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6")):
        with open(path) as table:
            next(table)
            for line in table:
                field = line.split()
                found.append(
                    TcpSocket(
                        _endpoint(family, field[1]),
                        _endpoint(family, field[2]),
                        STATES.get(int(field[3], 16), field[3]),
                        sum(int(queue, 16) for queue in field[4].split(":")),
                        int(field[9]),
                    )
                )
    return found


def tcp_states(pid):
    """How many TCP sockets in which state the process has."""
    inodes = socket_inodes(pid)
    return Counter(entry.state for entry in tcp_sockets() if entry.inode in inodes)


def listening_sockets(port):
    return [entry for entry in tcp_sockets() if entry.state == "LISTEN" and entry.local[1] == port]


def tasks(pid):
    return [int(task) for task in os.listdir(f"/proc/{pid}/task")]


def tracer(task):
    """Who traces this thread; 0 when nobody does."""
    return int(_status(task)["TracerPid"])


def voluntary_switches(pid):
    """How often its threads went to sleep, all together."""
    return sum(int(_status(task)["voluntary_ctxt_switches"]) for task in tasks(pid))


def _status(task):
    with open(f"/proc/{task}/status") as status:
        return dict(line.rstrip().split(":", 1) for line in status)


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        field = stat.read().rsplit(")", 1)[1].split()
    return (int(field[11]) + int(field[12])) / os.sysconf("SC_CLK_TCK")


def thread_cpu_seconds(task):
    """Of one thread; that of the control loop has the number of its process."""
    with open(f"/proc/{task}/task/{task}/stat") as stat:
        field = stat.read().rsplit(")", 1)[1].split()
    return (int(field[11]) + int(field[12])) / os.sysconf("SC_CLK_TCK")


def thread_names(pid):
    return [_status(task)["Name"].strip() for task in tasks(pid)]


def thread_count(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def queued_kib():
    """What waits in the queues of all TCP sockets of this namespace."""
    return sum(entry.queued_bytes for entry in tcp_sockets() if entry.state != "LISTEN") // 1024


def _endpoint(family, text):
    address, port = text.split(":")
    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)
