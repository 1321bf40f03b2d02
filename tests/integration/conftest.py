"""Every test file runs in a network of its own, with as many descriptors as the machine allows."""
import json
import resource

import pytest

from support.network import enter_own_network
from support.sluice import Sluice, front
from support.sockets import listen

_, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
enter_own_network()


@pytest.fixture
def conf_file(tmp_path):
    """Writes a configuration, text or a dictionary, and returns its path."""

    def write(conf, name="conf.yaml"):
        path = tmp_path / name
        path.write_text(conf if isinstance(conf, str) else json.dumps(conf))
        return path

    return write


@pytest.fixture
def backend():
    """In the test's own hands."""
    with listen() as listening:
        yield listening


@pytest.fixture(params=["auto", "off"])
def sluice(request, backend):
    """In front of that backend, with splicing and without."""
    with Sluice(front([backend], splice=request.param)) as running:
        yield running
