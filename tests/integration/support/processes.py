"""Child processes that cannot outlive the test."""
import ctypes
import os
import resource
import select
import signal
import subprocess
from contextlib import suppress

PR_SET_PDEATHSIG = 1
# Some per cent of what is wanted by others who do not yield.
YIELDING = 15
_libc = ctypes.CDLL(None)


def spawn(arguments, *, nofile=None, closed=(), yields=False, **options):
    """subprocess.Popen, with a limit on descriptors, without the descriptors `closed`, and with
    death together with the test. If it `yields`, it gets of the processors what is left and a
    little more: for what elsewhere would be another machine."""

    def prepare():
        if yields:
            _yield_processors()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if nofile is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
        for fd in closed:
            os.close(fd)

    return subprocess.Popen(arguments, preexec_fn=prepare, start_new_session=yields, **options)


def _yield_processors():
    """Of a process in a session of its own: where the scheduler weighs sessions against each other
    first, niceness alone counts within the session only (sched(7), autogrouping)."""
    os.nice(YIELDING)
    with suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(str(YIELDING))


def end(process, within=5.0):
    """Kills it if it is still there."""
    if process.poll() is None:
        process.kill()
    process.wait(within)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


class Child:
    """A program that is told words on its stdin and answers on its stdout, as long as the `with`."""

    def __init__(self, *arguments, yields=False):
        self.process = spawn(
            [str(argument) for argument in arguments],
            yields=yields,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self, within=60):
        """The next line of what it says."""
        readable, _, _ = select.select([self.process.stdout], [], [], within)
        assert readable, f"no answer within {within} s"
        line = self.process.stdout.readline()
        assert line, "it is gone"
        return line.rstrip("\n")

    def last_words(self, within=60):
        """Ends its stdin, and with it the program: what it said that nobody has heard yet."""
        said, _ = self.process.communicate(timeout=within)
        return said
