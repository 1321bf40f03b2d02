#!/usr/bin/env python3
"""Writes a file's text into a C++ header: embed.py FILE CONSTANT HEADER."""
import re
import sys


def main() -> None:
    source, constant, header = sys.argv[1:4]
    with open(source, encoding="utf-8") as file:
        lines = file.read().splitlines(keepends=True)
    literals = "\n".join("    " + quote(line) for line in lines)
    with open(header, "w", encoding="utf-8") as file:
        file.write(
            "#pragma once\n\n#include <string_view>\n\nnamespace sluice {\n\n"
            f"inline constexpr std::string_view {constant} =\n{literals};\n\n}}  // namespace sluice\n"
        )


def quote(line: str) -> str:
    escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    escaped = re.sub(r"(?<=\?)\?", r"\?", escaped)  # two could begin a trigraph
    return f'"{escaped}"'


if __name__ == "__main__":
    main()
