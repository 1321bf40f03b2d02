"""Echoes while peers are gone, stand still or are slow, and when they are back."""
import os
import signal

import pytest

from world import partitions
from world.client import finish
from world.echoes import PATIENCE, RECOVERY_SECONDS, Echoes, clients_of, is_well, recovers, status
from world.network import Faults, Network

SEED = int(os.environ.get("SLUICE_SEED", "0")) or None


def test_a_node_without_peers_in_reach_refuses_at_once_and_comes_back():
    with Network(3, SEED or 21) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 8, ["n1"])
        network.run(lambda: echoes.latest_all("n1", None), PATIENCE)
        network.cut(partitions.between(["n1"], ["n2", "n3"]))
        network.run(lambda: echoes.latest_all("n1", 11), 15)
        assert max(found.took for found in echoes.latest["n1"]) < 0.5, "refused at once"
        cut_off = status(network, "n1")
        network.heal()
        recovers(network, echoes, ["n1"])
        network.run(lambda: all(is_well(peer) for peer in status(network, "n1")), RECOVERY_SECONDS)
        finish(network, clients, 2 * PATIENCE)
    assert sorted(peer["name"] for peer in cut_off) == ["n2", "n3"]
    assert not any(is_well(peer) for peer in cut_off), cut_off


def test_the_others_take_over_from_a_peer_that_is_cut_off():
    with Network(3, SEED or 31) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 8, ["n1"])
        network.cut(partitions.between(["n2"], ["n1", "n3"]))
        network.run(lambda: echoes.latest_all("n1", None), 15)
        echoes.forget()
        network.run(lambda: len(echoes.seen) >= 100, 15)
        assert echoes.codes()[None] >= 95, echoes.codes()
        finish(network, clients, 2 * PATIENCE)


@pytest.mark.parametrize("seed", [SEED] if SEED else [41])
def test_in_a_network_slower_than_an_attempt_there_are_still_no_two_answers(seed):
    with Network(4, seed, faults=Faults(delay=1.2)) as network:
        network.client_delay = 0.01
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 20)
        network.run(lambda: len(echoes.seen) >= 60, 20)
        finish(network, clients, 2 * PATIENCE)
        print(echoes.codes())


def test_a_burst_of_many_requests_of_one_client_has_one_answer_each():
    with Network(3, SEED or 51, faults=Faults(delay=0.02)) as network:
        ends = {}
        for number in range(2000):
            body = {"type": "echo", "echo": number}
            network.ask("c1", "n1", body, 2 * PATIENCE, lambda end, n=number: ends.update({n: end}))
        network.run(lambda: len(ends) == 2000, 3 * PATIENCE)
        assert all(end["echo"] == number for number, end in ends.items())


def test_peers_that_are_told_their_names_later_are_used_from_then_on():
    with Network(3, SEED or 71, late=("n2", "n3")) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 4, ["n1"])
        network.run(lambda: len(echoes.seen) >= 10, 3 * PATIENCE)
        assert set(echoes.codes()) <= {0, 11}, "they say no until then"
        network.initialise(["n2", "n3"])
        recovers(network, echoes, ["n1"])
        network.run(lambda: all(is_well(peer) for peer in status(network, "n1")), 40)
        finish(network, clients, 2 * PATIENCE)


def test_a_peer_that_stands_still_is_done_without_and_comes_back():
    with Network(3, SEED or 61) as network:
        echoes = Echoes(network)
        clients = clients_of(network, echoes, 8, ["n1"])
        network.run(lambda: echoes.latest_all("n1", None), PATIENCE)
        network.nodes["n2"].process.send_signal(signal.SIGSTOP)
        network.run(lambda: not is_well(status(network, "n1")[0]), RECOVERY_SECONDS)
        echoes.forget()
        network.run(lambda: echoes.latest_all("n1", None), 2 * PATIENCE)
        network.nodes["n2"].process.send_signal(signal.SIGCONT)
        network.run(lambda: is_well(status(network, "n1")[0]), RECOVERY_SECONDS)
        recovers(network, echoes, ["n1"])
        finish(network, clients, 2 * PATIENCE)
