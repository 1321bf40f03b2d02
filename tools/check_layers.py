#!/usr/bin/python3
"""Checks that the includes respect the layers (docs/ARCHITECTURE.md).

    tools/check_layers.py [ROOT]       read include/ and src/ below ROOT, print each violation
    tools/check_layers.py --self-test  prove on a made-up tree that every kind is found
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

# What each layer may include besides itself.
MAY_USE: Dict[str, Set[str]] = {
    "base": set(),
    "core": {"base"},
    "config": {"base", "core"},
    "net": {"base"},
    "proxy": {"base", "core", "net", "config"},
    "control": {"base", "core", "config", "net", "proxy"},
    "maelstrom": {"base", "core", "config", "net"},
}
# Files directly in src/ (main.cc) wire everything together.
MAIN = "main"

# Layers that do no I/O and read no clock: time is an argument there.
PURE = ("core", "config")
IMPURE_HEADERS = {
    "libuv": re.compile(r"uv\.h|uv/.*"),
    "sockets": re.compile(
        r"sys/(socket|un|epoll|poll|select|uio|ioctl|eventfd)\.h|poll\.h|netdb\.h|ifaddrs\.h"
        r"|net/.*|netinet/.*|arpa/.*|linux/.*"
    ),
    "a clock": re.compile(r"ctime|time\.h|sys/time\.h|sys/timeb\.h|sys/timerfd\.h|sys/times\.h"),
}
IMPURE_NAMES = re.compile(
    r"\b(steady_clock|system_clock|high_resolution_clock|file_clock|utc_clock|clock_gettime|uv_now"
    r"|uv_hrtime|gettimeofday|timespec_get)\b|\b(?:std::time|::time|std::clock)\s*\("
)

INCLUDE = re.compile(r'^\s*#\s*include\s*(?P<form>["<])(?P<name>[^">]+)[">]')
# Matched together: a comment mark inside a string is no comment, a quote in a comment no string.
NOT_CODE = re.compile(
    r'R"([^ ()\\\t\n]*)\((?:.|\n)*?\)\1"'  # R"x(raw string)x"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])'"
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
)


class Violation(NamedTuple):
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Include(NamedTuple):
    line: int
    name: str
    target: Optional[str]  # the project's file, relative to the root; None: not ours


class Source:
    """One file: its layer, whether others may include it, its includes, the impure things in it."""

    def __init__(self, root: Path, path: Path):
        self.file = path.relative_to(root).as_posix()
        parts = Path(self.file).parts
        self.is_public = parts[0] == "include"
        inner = parts[2:] if self.is_public else parts[1:]  # include/sluice/<layer>, src/<layer>
        self.layer = inner[0] if len(inner) > 1 else MAIN
        text = path.read_text(encoding="utf-8")
        self.includes = list(self._read_includes(root, path, text))
        self.impurities = list(self._find_impurities(text))

    def _read_includes(self, root: Path, path: Path, text: str):
        code = NOT_CODE.sub(_blank_comment, text)
        for number, line in enumerate(code.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                name = match["name"]
                yield Include(number, name, _resolve(root, path, name, match["form"] == '"'))

    def _find_impurities(self, text: str):
        for include in self.includes:
            for what, pattern in IMPURE_HEADERS.items():
                if include.target is None and pattern.fullmatch(include.name):
                    yield include.line, f"includes <{include.name}> ({what})"
        code = NOT_CODE.sub(_blank, text)
        for number, line in enumerate(code.splitlines(), 1):
            match = IMPURE_NAMES.search(line)
            if match:
                yield number, f"names {match[0].rstrip('( ')} (a clock)"


def _blank(match: "re.Match[str]") -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _blank_comment(match: "re.Match[str]") -> str:
    return _blank(match) if match[0].startswith("/") else match[0]


def _resolve(root: Path, path: Path, name: str, quoted: bool) -> Optional[str]:
    # As the compiler would: beside the file, then include/, then src/ (should it be on the path).
    places = ([path.parent] if quoted else []) + [root / "include", root / "src"]
    for place in places:
        candidate = (place / name).resolve()
        if candidate.is_file() and root in candidate.parents:
            return candidate.relative_to(root).as_posix()
    return None


def read_sources(root: Path) -> Dict[str, Source]:
    files = [
        path
        for folder in (root / "include", root / "src")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".h", ".cc", ".inc")
    ]
    sources = (Source(root, path) for path in files)
    return {source.file: source for source in sources}


def check_arrows(sources: Dict[str, Source]):
    for source in sources.values():
        if source.layer != MAIN and source.layer not in MAY_USE:
            known = ", ".join(MAY_USE)
            yield Violation(source.file, 1, f"'{source.layer}' is no layer; there are {known}")
            continue
        for include in source.includes:
            target = sources.get(include.target or "")
            if target is None or (target.layer == source.layer and target.is_public):
                continue
            yield from _check_arrow(source, include, target)


def _check_arrow(source: Source, include: Include, target: Source):
    def violation(message: str) -> Violation:
        return Violation(source.file, include.line, message)

    if source.is_public and not target.is_public:
        yield violation(f"a public header includes the private {target.file}")
    elif target.layer != source.layer and not target.is_public:
        yield violation(f"'{source.layer}' includes {target.file}, private to '{target.layer}'")
    elif source.layer not in (MAIN, target.layer) and target.layer not in MAY_USE[source.layer]:
        allowed = ", ".join(sorted(MAY_USE[source.layer])) or "nothing"
        yield violation(
            f"'{source.layer}' includes {include.name} of '{target.layer}'; it may use {allowed}"
        )


def check_purity(sources: Dict[str, Source]):
    for source in sources.values():
        if source.layer not in PURE:
            continue
        for line, what in source.impurities:
            yield Violation(source.file, line, f"'{source.layer}' {what}")
        for include in source.includes:
            target = sources.get(include.target or "")
            # Of a header in a pure layer its own line speaks, of a forbidden layer the arrow.
            if target is None or target.layer in PURE or target.layer not in MAY_USE[source.layer]:
                continue
            found = _find_impure(sources, target)
            if found:
                chain, what = found
                way = " -> ".join(chain)
                message = f"'{source.layer}' includes {way}, which {what}"
                yield Violation(source.file, include.line, message)


def _find_impure(sources: Dict[str, Source], start: Source) -> Optional[Tuple[List[str], str]]:
    """The shortest way from `start` to a header with something impure in it."""
    queue: List[List[str]] = [[start.file]]
    seen = {start.file}
    while queue:
        chain = queue.pop(0)
        source = sources[chain[-1]]
        if source.impurities:
            return chain, source.impurities[0][1]
        for include in source.includes:
            if include.target in sources and include.target not in seen:
                seen.add(include.target)
                queue.append(chain + [include.target])
    return None


def check(root: Path) -> Tuple[List[Violation], int]:
    sources = read_sources(root.resolve())
    violations = [*check_arrows(sources), *check_purity(sources)]
    return sorted(violations), len(sources)


CLEAN_TREE = {
    "include/sluice/base/time.h": "#include <chrono>\n",
    "include/sluice/base/wall_time.h": "#include <ctime>\n",
    "include/sluice/core/breaker.h": '#include "sluice/base/time.h"\n// steady_clock: not here\n',
    "src/core/breaker.cc": '#include "sluice/core/breaker.h"\n#include "word.h"\n'
    'const char* kWhy = "steady_clock // is no comment";\n/*\n#include "sluice/net/loop.h"\n*/\n',
    "src/core/word.h": "#include <atomic>\n",
    "include/sluice/net/loop.h": '#include <uv.h>\n#include "sluice/base/time.h"\n',
    "src/net/loop.cc": '#include "sluice/net/loop.h"\n#include "sys.h"\n',
    "src/net/sys.h": "#include <sys/socket.h>\n",
    "src/proxy/worker.cc": '#include "sluice/net/loop.h"\n#include "sluice/core/breaker.h"\n',
    "src/control/server.cc": '#include "sluice/base/wall_time.h"\n',
    "src/main.cc": '#include "sluice/net/loop.h"\n',
}

# Each made-up file with the one line and the words that must be complained about.
NEGATIVE_CONTROLS = [
    ("src/base/up.cc", '#include "sluice/core/breaker.h"\n', 1, "it may use nothing"),
    ("src/core/up.cc", '\n#include "sluice/net/loop.h"\n', 2, "'core' includes sluice/net/loop.h"),
    ("src/net/side.cc", '#include <sluice/core/breaker.h>\n', 1, "it may use base"),
    ("src/maelstrom/up.cc", '#include "../control/x.h"\n', 1, "private to 'control'"),
    ("src/proxy/private.cc", '#include "../net/sys.h"\n', 1, "private to 'net'"),
    ("src/proxy/private2.cc", '#include "net/sys.h"\n', 1, "private to 'net'"),
    ("include/sluice/net/leak.h", '#include "../../../src/net/sys.h"\n', 1, "public header"),
    ("src/extra/x.cc", "int x;\n", 1, "is no layer"),
    ("src/core/main_user.cc", '#include "../main.h"\n', 1, "private to 'main'"),
    ("src/core/uv.cc", "#include <uv.h>\n", 1, "libuv"),
    ("src/core/uv2.cc", '#include "uv.h"\n', 1, "libuv"),
    ("src/core/socket.cc", "#  include <sys/socket.h>\n", 1, "sockets"),
    ("src/config/inet.cc", "#include <netinet/in.h>\n", 1, "sockets"),
    ("include/sluice/core/clock.h", "#include <ctime>\n", 1, "a clock"),
    ("src/config/clock.cc", "#include <sys/time.h>\n", 1, "a clock"),
    ("src/core/time_h.cc", "#include <time.h>\n", 1, "a clock"),
    ("src/core/steady.cc", "\n\nauto t = std::chrono::steady_clock::now();\n", 3, "steady_clock"),
    ("src/core/system.cc", "auto t = std::chrono::system_clock::now();\n", 1, "system_clock"),
    ("src/core/high.cc", "using C = std::chrono::high_resolution_clock;\n", 1, "high_resolution"),
    ("src/core/posix.cc", "int r = clock_gettime(0, nullptr);\n", 1, "clock_gettime"),
    ("src/core/bsd.cc", "int r = gettimeofday(nullptr, nullptr);\n", 1, "gettimeofday"),
    ("src/core/uvnow.cc", "auto t = uv_now(nullptr);\n", 1, "uv_now"),
    ("src/config/uvhr.cc", "auto t = uv_hrtime();\n", 1, "uv_hrtime"),
    ("src/config/ctime.cc", "auto t = std::time(nullptr);\n", 1, "std::time"),
    ("src/core/through.cc", '#include "sluice/base/through.h"\n', 1, "base/wall_time.h, which"),
    ("src/core/quote.cc", "char c = '\"'; auto t = uv_now(\"x\");\n", 1, "uv_now"),
]
HELPER_FILES = {
    "src/control/x.h": "",
    "src/main.h": "",
    "include/sluice/base/through.h": '#include "sluice/base/wall_time.h"\n',
}


def write_tree(root: Path, files: Dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def self_test() -> int:
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, {**CLEAN_TREE, **HELPER_FILES})
        violations, count = check(root)
        problems += [f"the clean tree is complained about: {violation}" for violation in violations]
        if count != len(CLEAN_TREE) + len(HELPER_FILES):
            problems.append(f"read {count} files of the clean tree")
    for name, text, line, words in NEGATIVE_CONTROLS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_tree(root, {**CLEAN_TREE, **HELPER_FILES, name: text})
            violations, _ = check(root)
            hits = [v for v in violations if (v.file, v.line) == (name, line)]
            if len(violations) != 1 or not hits or words not in hits[0].message:
                found = "; ".join(map(str, violations)) or "nothing"
                problems.append(f"{name}:{line} should say '{words}', found: {found}")
    for problem in problems:
        print(problem)
    count = len(NEGATIVE_CONTROLS)
    print(f"layering self-test: {count} negative controls, {len(problems)} problems")
    return 1 if problems else 0


def main() -> int:
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    violations, count = check(root)
    if count == 0:
        print(f"layering: no sources below {root}: nothing was checked", file=sys.stderr)
        return 1
    for violation in violations:
        print(violation)
    print(f"layering: {count} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
