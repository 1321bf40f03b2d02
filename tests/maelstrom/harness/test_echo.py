"""The workload echo on several nodes: one answer to each request, the right one or an honest error,
whatever the network does; and echoes again when it is whole again."""
import os

import pytest

from world import partitions
from world.client import finish
from world.echoes import PATIENCE, Echoes, clients_of, recovers
from world.network import Faults, Network

SEED = int(os.environ.get("SLUICE_SEED", "0")) or None


@pytest.mark.parametrize("count", [1, 2, 5])
def test_without_faults_every_echo_is_echoed(count):
    with Network(count, SEED or count) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 4)
        network.run(lambda: len(echoes.seen) >= 150, 20)
        finish(network, clients, PATIENCE)
        assert set(echoes.codes()) == {None}
        assert echoes.codes()[None] >= 150


def test_an_echo_is_made_by_a_peer():
    with Network(3, SEED or 4) as network:
        carried = []
        network.watch(carried.append)
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 2, ["n1"])
        network.run(lambda: len(echoes.seen) >= 60, 20)
        finish(network, clients, PATIENCE)
        forwarded = [item["dest"] for item in carried if asks_for_an_echo(item)]
        assert len(forwarded) >= len(echoes.seen)
        assert {name: forwarded.count(name) > 20 for name in ("n2", "n3")} == {
            "n2": True,
            "n3": True,
        }
        assert "n1" not in forwarded, "a peer answers what was forwarded to it itself"


def asks_for_an_echo(message):
    body = message["body"]
    return "number" in str(body.get("echo")) and "in_reply_to" not in body


@pytest.mark.parametrize("seed", [SEED] if SEED else [11, 12])
def test_under_loss_and_partitions_every_request_has_one_answer(seed):
    with Network(5, seed, faults=Faults(delay=0.01, loss=0.05)) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 10)
        for _ in range(2):
            draw = network.random.choice(partitions.PEERS)
            network.cut(draw(network.random, network.names, "lin-kv"))
            network.run_for(2.5)
        network.heal()
        network.faults.loss = 0
        codes = echoes.codes()
        print(codes, network.lost, "lost")
        assert network.lost > 20
        assert codes[None] > 20, codes
        recovers(network, echoes, network.names)
        finish(network, clients, 2 * PATIENCE)
