"""Every test file runs in a network of its own, with as many descriptors as the machine allows."""
import resource

from support.network import enter_own_network

_, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
enter_own_network()
