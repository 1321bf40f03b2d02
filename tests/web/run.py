"""Runs the dashboard's tests: run.py unit, or run.py browser with SLUICE naming the binary. Each
file is a program of its own; one after another, because they measure times.

Exit status 77 (skipped) with a reason where Node, Chromium or the packages are missing."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
NODE_MIN = 18


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def find_node():
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        skip("node is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < NODE_MIN:
        skip(f"node is {version.strip()}, and {NODE_MIN} is needed")
    return node


def enter_own_network():
    """Where only loopback is: what the page asked anybody else for would fail."""
    sys.path.insert(0, str(HERE.parent / "integration"))
    from support import network

    network.enter_own_network()


def run_file(node, path, environment):
    """Prints what it prints; returns its exit status and, of that, what tells of failures."""
    told = []
    is_told = False
    command = [node, str(path)]
    to_pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, **to_pipe) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            # TAP: a test's line, then its details, indented.
            is_told = line.startswith("not ok") or (is_told and line.startswith("  "))
            if is_told:
                told.append(line)
    return process.returncode, told


def run_files(node, folder, environment):
    failed = {}
    for path in sorted((HERE / folder).glob("*.test.mjs")):
        print(f"--- {path.name}", flush=True)
        status, told = run_file(node, path, environment)
        if status != 0:
            failed[path.name] = told
    # Last, because of a long output only the end is shown.
    for name, told in failed.items():
        print(f"--- failed: {name}", "".join(told), sep="\n")
    print("failed: " + ", ".join(failed) if failed else "all passed")
    return 1 if failed else 0


def run_browser(node):
    if shutil.which("chromium") is None:
        skip("chromium is not installed")
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        skip("no packages: run `npm ci` in tests/web, as tools/test does")
    enter_own_network()
    with tempfile.TemporaryDirectory(prefix="dashboard-test-") as home:
        # Chromium keeps things in the user's folders.
        environment = {**os.environ, "HOME": home, "CHROMIUM": shutil.which("chromium")}
        return run_files(node, "browser", environment)


def main():
    node = find_node()
    if sys.argv[1] == "unit":
        return run_files(node, "unit", dict(os.environ))
    return run_browser(node)


if __name__ == "__main__":
    sys.exit(main())
