"""Services and proxies that are wrong: the check of the workload lin-kv finds each."""
import os
import random

import pytest

from world.client import finish
from world.lin_kv import LinKv
from world.network import Faults, Network
from world.registers import PATIENCE, Registers, start

FAULTY = os.path.join(os.path.dirname(__file__), "world", "faulty_proxy.py")
NOT_LINEARIZABLE = "operations have an order"


class Stale(LinKv):
    """Now and then reads what was there before the last change."""

    def __init__(self):
        super().__init__()
        self._random = random.Random(5)
        self._before = {}

    def read(self, key, body):
        if key in self._before and self._random.random() < 0.3:
            return {"type": "read_ok", "value": self._before[key]}
        return super().read(key, body)

    def write(self, key, body):
        self._remember(key)
        return super().write(key, body)

    def cas(self, key, body):
        self._remember(key)
        return super().cas(key, body)

    def _remember(self, key):
        if key in self._values:
            self._before[key] = self._values[key]


class Repeating(LinKv):
    """Makes every tenth write twice, the second time later: as a proxy would that asks again."""

    def __init__(self):
        super().__init__()
        self._count = 0
        self._pending = None

    def answer(self, body):
        self._count += 1
        if self._pending is not None and self._count % 10 == 5:
            super().answer(self._pending)
        if body["type"] == "write" and self._count % 10 == 0:
            self._pending = body
        return super().answer(body)


def judged(service):
    with Network(3, 5, service=service) as network:
        registers = Registers(network)
        clients = start(network, registers, 6)
        network.run(lambda: registers.ends.total() >= 300, 20)
        finish(network, clients, 2 * PATIENCE)
    registers.check()


def test_a_service_that_reads_stale_values_is_found_out():
    with pytest.raises(AssertionError, match=NOT_LINEARIZABLE):
        judged(Stale())


def test_a_write_made_twice_is_found_out():
    with pytest.raises(AssertionError, match=NOT_LINEARIZABLE):
        judged(Repeating())


def proxied(fault, seed):
    """Clients behind a proxy, and many a message between it and the service is lost."""
    command = ["/usr/bin/python3", FAULTY, fault]
    with Network(2, seed, command=command, faults=Faults(loss=0.25)) as network:
        registers = Registers(network)
        clients = start(network, registers, 10)
        network.run_for(4)
        finish(network, clients, 2 * PATIENCE)
    print(registers.ends)
    registers.check()


def test_a_lawful_proxy_passes():
    proxied("none", 7)


@pytest.mark.parametrize("fault", ["denies", "asks_again"])
def test_a_proxy_that_is_wrong_about_what_it_cannot_know_is_found_out(fault):
    with pytest.raises(AssertionError, match=NOT_LINEARIZABLE):
        for seed in range(7, 12):  # the first one nearly always does
            proxied(fault, seed)
