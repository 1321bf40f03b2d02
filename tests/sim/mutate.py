#!/usr/bin/env python3
"""Breaks the core on purpose, one small mutation at a time, and demands that the simulation sees it.

mutate.py --root DIR --work DIR [--jobs N] [--only NAME]... -- COMPILER [FLAG...]

Copies the sources that the simulation is made of to the work directory, compiles them once, and
checks that the unbroken core passes. Then for each file of mutations/ it replaces the text that
must be there exactly once, compiles that one source, links, and runs seeds until an invariant is
violated. A mutation that no longer applies, does not compile or is not noticed is a failure.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

COPIED = ["include", "src/base", "src/core", "tests/sim"]
COMPILED = ["src/core/*.cc", "src/base/address.cc", "tests/sim/*.cc"]
LEFT_OUT = {"controls_test.cc"}
FLAGS = ["-std=c++20", "-O1", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-Isrc/core", "-Itests/sim"]
LIBRARIES = ["-lfmt", "-pthread"]
SEEDS = 400
STEPS = 30_000
COMPILE_SECONDS_MAX = 300
RUN_SECONDS_MAX = 300


class Failure(Exception):
    pass


class Mutation:
    """One file of mutations/: why it is wrong, the source, its text before and after."""

    FORM = re.compile(r"why: (?P<why>[^\n]+)\nfile: (?P<file>[^\n]+)\n"
                      r"--- before\n(?P<before>.+)\n--- after\n(?P<after>.*)\n", re.DOTALL)

    def __init__(self, path):
        self.name = path.stem
        form = self.FORM.fullmatch(path.read_text())
        if not form:
            raise Failure(f"{path.name} is not of the form why, file, before, after")
        self.why, self.file = form["why"], form["file"]
        self.before, self.after = form["before"], form["after"]

    def apply(self, text):
        found = text.count(self.before)
        if found != 1:
            raise Failure(f"{self.name} no longer applies: {self.file} has its text {found} times")
        return text.replace(self.before, self.after)


def run(command, cwd, seconds_max):
    done = subprocess.run(command, cwd=cwd, timeout=seconds_max, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


class Workshop:
    def __init__(self, root, work, compiler):
        self.work, self.compiler = work, compiler
        shutil.rmtree(work, ignore_errors=True)
        for part in COPIED:
            shutil.copytree(root / part, work / part)
        self.sources = sorted(source for pattern in COMPILED for source in work.glob(pattern)
                              if source.name not in LEFT_OUT)

    def object_of(self, source):
        return source.with_suffix(".o")

    def compile(self, source, to):
        command = [*self.compiler, *FLAGS, f"-I{source.parent}", "-c", str(source), "-o", str(to)]
        status, said = run(command, self.work, COMPILE_SECONDS_MAX)
        if status != 0:
            raise Failure(f"{source.name} does not compile:\n{said}")

    def link(self, objects, to):
        command = [*self.compiler, *map(str, objects), *LIBRARIES, "-o", str(to)]
        status, said = run(command, self.work, COMPILE_SECONDS_MAX)
        if status != 0:
            raise Failure(f"{to.name} does not link:\n{said}")

    def simulate(self, program, seeds):
        command = [str(program), "--first", "1", "--seeds", str(seeds), "--steps", str(STEPS),
                   "--jobs", "1"]
        return run(command, self.work, RUN_SECONDS_MAX)

    def build_unbroken(self, pool):
        list(pool.map(lambda source: self.compile(source, self.object_of(source)), self.sources))
        program = self.work / "unbroken"
        self.link([self.object_of(source) for source in self.sources], program)
        status, said = self.simulate(program, 20)
        if status != 0:
            raise Failure(f"the unbroken core does not pass:\n{said}")

    def test(self, mutation):
        """What the simulation says of the mutated core."""
        source = self.work / mutation.file
        mutant = source.with_name(f"{source.stem}.{mutation.name}.cc")
        mutant.write_text(mutation.apply(source.read_text()))
        self.compile(mutant, self.object_of(mutant))
        objects = [self.object_of(mutant if other == source else other) for other in self.sources]
        program = self.work / mutation.name
        self.link(objects, program)
        status, said = self.simulate(program, SEEDS)
        if status == 0:
            raise Failure(f"{mutation.name} survives {SEEDS} seeds: {mutation.why}")
        violation = re.search(r"violated at step \d+, \d+ ms: ([^\n]+)\nagain: (--seed \d+)", said)
        if not violation:
            raise Failure(f"{mutation.name} ends with status {status}:\n{said}")
        return violation[1].partition(": ")[0], violation[2]


def check(workshop, mutation):
    try:
        invariant, seed = workshop.test(mutation)
        print(f'caught {mutation.name} by "{invariant}" ({seed})', flush=True)
        return True
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"FAILED {failure}", flush=True)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", action="append")
    parser.add_argument("compiler", nargs="+")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        paths = sorted((arguments.root / "tests/sim/mutations").glob("*.txt"))
        mutations = [Mutation(path) for path in paths
                     if arguments.only is None or path.stem in arguments.only]
        workshop = Workshop(arguments.root.resolve(), arguments.work.resolve(), arguments.compiler)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            workshop.build_unbroken(pool)
            caught = list(pool.map(lambda mutation: check(workshop, mutation), mutations))
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"FAILED {failure}")
        return 1
    print(f"{sum(caught)} of {len(caught)} mutations caught, {time.monotonic() - began:.0f} s")
    return 0 if mutations and all(caught) else 1


if __name__ == "__main__":
    sys.exit(main())
