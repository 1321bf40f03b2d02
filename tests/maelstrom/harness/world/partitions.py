"""What may be cut, drawn from a seed: a set of pairs (from, to) between which nothing arrives."""


def isolated(random_source, nodes, service):
    """One node hears and is heard by no other node; clients and the service still reach it."""
    alone = random_source.choice(nodes)
    return between([alone], [node for node in nodes if node != alone])


def halves(random_source, nodes, service):
    shuffled = random_source.sample(nodes, len(nodes))
    return between(shuffled[: len(nodes) // 2], shuffled[len(nodes) // 2 :])


def one_way(random_source, nodes, service):
    """What one node sends to the others is lost; what they send arrives."""
    mute = random_source.choice(nodes)
    return {(mute, node) for node in nodes if node != mute}


def without_service(random_source, nodes, service):
    """Some nodes cannot talk with the service, either way."""
    return between(random_source.sample(nodes, (len(nodes) + 1) // 2), [service])


def unanswered_by_service(random_source, nodes, service):
    """The service hears those nodes and acts; its answers are lost."""
    return {(service, node) for node in random_source.sample(nodes, (len(nodes) + 1) // 2)}


def between(some, others):
    return {pair for one in some for other in others for pair in ((one, other), (other, one))}


PEERS = (isolated, halves, one_way)
SERVICE = (without_service, unanswered_by_service)
