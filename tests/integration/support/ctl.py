"""`sluice ctl` as a test calls it."""
import json

from support.admin import Admin
from support.sluice import run

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


class Ctl:
    """`ctl("status")` runs it against that Sluice."""

    def __init__(self, sluice, *options):
        self.address, self.options = Admin(sluice).address, options

    def __call__(self, *words, status=DONE):
        done = run("ctl", "--admin", self.address, *self.options, *words)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def json(self, *words):
        return json.loads(self("--json", *words).stdout)
