# Shared by the scripts of this folder; sourced, not run. Leaves the caller in the project's root.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's python3 has the packages installed above; another one that is first in PATH may not.
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || PYTHON=python3

say() { printf '==> %s\n' "$*"; }

# install_dependencies [OPTION...]: as tools/install-deps, where there is an apt to do it with.
install_dependencies() {
  if command -v apt-get >/dev/null; then
    tools/install-deps "$@"
  else
    say "no apt here, so what is needed must be installed already:" \
      "$(tools/install-deps "$@" --list | paste -sd' ')"
  fi
}

# configure DIRECTORY OPTION...: a build directory with these options, made anew when it is broken
# (another meson, a moved checkout, an interrupted setup).
configure() {
  local directory=$1
  shift
  if [[ -f $directory/build.ninja ]]; then
    grep -qF "$PWD" "$directory/build.ninja" &&
      meson configure "$directory" "$@" >/dev/null 2>&1 && return
    say "$directory is no usable build directory any more, starting over"
    rm -rf "$directory"
  fi
  meson setup "$directory" "$@"
}

# program DIRECTORY NAME: where the build directory has the executable of that name.
program() {
  meson introspect --targets "$1" | "$PYTHON" -c '
import json, sys
name = sys.argv[1]
paths = [t["filename"][0] for t in json.load(sys.stdin) if (t["name"], t["type"]) == (name, "executable")]
sys.exit(f"the build has no program called {name}") if not paths else print(paths[0])' "$2"
}

# count_results TESTLOG: prints "PASSED FAILED SKIPPED" from meson's log, one JSON object a line.
count_results() {
  "$PYTHON" - "$1" <<'EOF'
import collections, json, sys

counts = collections.Counter()
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        result = json.loads(line)["result"]
        kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result, "failed")
        counts[kind] += 1
print(counts["passed"], counts["failed"], counts["skipped"])
EOF
}

# closing_line PASSED FAILED SKIPPED
closing_line() {
  printf '%d passed, %d failed' "$1" "$2"
  (($3 == 0)) || printf ', %d skipped' "$3"
  printf '\n'
}
