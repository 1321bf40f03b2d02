"""Child processes that cannot outlive the test."""
import ctypes
import os
import resource
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def spawn(arguments, *, nofile=None, closed=(), **options):
    """subprocess.Popen, with a limit on descriptors, without the descriptors `closed`, and with
    death together with the test."""

    def prepare():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if nofile is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
        for fd in closed:
            os.close(fd)

    return subprocess.Popen(arguments, preexec_fn=prepare, **options)


def end(process, within=5.0):
    """Kills it if it is still there."""
    if process.poll() is None:
        process.kill()
    process.wait(within)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
