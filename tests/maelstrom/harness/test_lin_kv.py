"""The workload lin-kv on several nodes: registers read, written and swapped through whichever node,
while peers and the service are cut off. What the clients saw must be linearizable."""
import os

import pytest

from world import partitions
from world.client import finish
from world.network import SERVICE, Faults, Network
from world.registers import PATIENCE, Registers, start

SEED = int(os.environ.get("SLUICE_SEED", "0")) or None


def test_without_faults_no_operation_fails_but_by_the_registers_value():
    with Network(3, SEED or 1) as network:
        registers = Registers(network)
        clients = start(network, registers, 6)
        network.run(lambda: registers.ends.total() >= 300, 20)
        finish(network, clients, 2 * PATIENCE)
    print(registers.ends)
    assert {how for _, how in registers.ends} <= {"ok", 20, 22}
    assert all(registers.ends[kind, "ok"] > 10 for kind in ("read", "write", "cas"))
    registers.check()


@pytest.mark.parametrize("seed", [SEED] if SEED else [101, 102])
def test_under_partitions_and_loss_it_stays_linearizable(seed):
    with Network(5, seed, faults=Faults(delay=0.01, loss=0.03)) as network:
        registers = Registers(network)
        clients = start(network, registers, 8)
        for draw in (*partitions.SERVICE, network.random.choice(partitions.PEERS)):
            network.cut(draw(network.random, network.names, SERVICE))
            network.run_for(2.0)
        network.heal()
        network.faults.loss = 0
        before = registers.ends["read", "ok"]
        network.run(lambda: registers.ends["read", "ok"] >= before + 50, 15)
        finish(network, clients, 2 * PATIENCE)
    print(registers.ends, network.lost, "lost")
    failed = sum(count for (_, how), count in registers.ends.items() if how in (0, 11))
    assert network.lost > 10 and failed > 0, "the faults were felt"
    assert all(registers.ends[kind, "ok"] > 10 for kind in ("read", "write", "cas"))
    registers.check()


def test_what_may_have_happened_is_reported_as_a_timeout():
    with Network(1, SEED or 3) as network:
        ends = []
        write = {"type": "write", "key": 0, "value": 7}
        network.cut({(SERVICE, "n1")})
        network.ask("c1", "n1", write, PATIENCE, ends.append)
        network.run(lambda: ends, 5)
        assert (ends[0]["type"], ends[0]["code"]) == ("error", 0), ends
        network.heal()
        network.ask("c1", "n1", {"type": "read", "key": 0}, PATIENCE, ends.append)
        network.run(lambda: len(ends) == 2, 5)
        assert ends[1]["value"] == 7, "it had happened"
