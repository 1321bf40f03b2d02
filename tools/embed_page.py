#!/usr/bin/env python3
"""Makes one HTML document of a page's sources and writes it into a C++ header:
embed_page.py INDEX HEADER [DEPFILE], or embed_page.py INDEX for the document on stdout.

INDEX is HTML that names its parts: `<link rel="stylesheet" href="style/x.css">` and one
`<script type="module" src="src/main.js"></script>`. Styles go where the first of them stood. Of the
modules each becomes a function that is called once, in an order in which what is imported comes
first, so names of one never meet those of another. They may use two forms only, each at the
beginning of a line: `import { a, b } from './x.js';` and `export` before a function, a class or a
const. The same sources in give the same bytes out.
"""
import base64
import hashlib
import re
import sys
from pathlib import Path

from embed import quote

STYLE = re.compile(r'^ *<link rel="stylesheet" href="([^"]+)">\n', re.MULTILINE)
SCRIPT = re.compile(r'<script type="module" src="([^"]+)"></script>')
IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.{1,2}/[^']+)';\n", re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) +(\w+)", re.MULTILINE)
OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
# What would end the element that the text is in, or make its end be overlooked.
FORBIDDEN = re.compile(r"</script|<script|<!--|</style", re.IGNORECASE)


class Bundle:
    """The modules that `entry` needs, each after those that it imports."""

    def __init__(self, entry):
        self.files = []  # in order
        self.functions = []
        self.names = {}
        self._under_way = []
        self._add(entry.resolve())

    def text(self):
        return "'use strict';\n" + "".join(self.functions)

    def _add(self, path):
        if path in self.names:
            return
        if path in self._under_way:
            fail(path, "imports itself, by way of " + ", ".join(p.name for p in self._under_way))
        self._under_way.append(path)
        text = read(path)
        for match in IMPORT.finditer(text):
            self._add((path.parent / match[2]).resolve())
        self._under_way.pop()
        self.names[path] = f"module{len(self.names)}"
        self.files.append(path)
        self.functions.append(self._wrap(path, text))

    def _wrap(self, path, text):
        def take(match):
            names = " ".join(match[1].split()).rstrip(",")
            if " as " in names:
                fail(path, f"renames what it imports: {names}")
            return f"const {{ {names} }} = {self.names[(path.parent / match[2]).resolve()]};\n"

        exported = [match[2] for match in EXPORT.finditer(text)]
        body = EXPORT.sub(r"\1 \2", IMPORT.sub(take, text))
        if other := OTHER_FORM.search(body):
            fail(path, f"has a form that is not understood here: {other[0]}")
        given = f"return {{ {', '.join(exported)} }};\n" if exported else ""
        title = f"{path.parent.name}/{path.name}"
        return f"\n// {title}\nconst {self.names[path]} = (() => {{\n{body}{given}}})();\n"


def make_page(index):
    """The document, the text of its style and of its script, and the files they came from."""
    html = read(index)
    sheets = [index.parent / href for href in STYLE.findall(html)]
    scripts = SCRIPT.findall(html)
    if not sheets or len(scripts) != 1:
        fail(index, "must name at least one style sheet and exactly one script")
    style = "".join(read(sheet) for sheet in sheets)
    bundle = Bundle(index.parent / scripts[0])
    for name, text in (("a style sheet", style), ("a module", bundle.text())):
        if found := FORBIDDEN.search(text):
            fail(index, f"{name} has {found[0]} in it")
    first = STYLE.search(html)
    rest = STYLE.sub("", html[first.end() :])
    html = html[: first.start()] + "<style>" + style + "</style>\n" + rest
    html = SCRIPT.sub(lambda _: "<script>" + bundle.text() + "</script>", html)
    return html, style, bundle.text(), [index, *sheets, *bundle.files]


def make_policy(style, script):
    """The page may run this script, show this style, ask where it came from, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{digest(script)}'",
            f"style-src '{digest(style)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def read(path):
    # As it is, on every system: what is hashed must be what is sent.
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if "\r" in text:
        fail(path, "has a carriage return in it, which a browser would take out")
    return text


def fail(path, why):
    sys.exit(f"embed_page.py: {path}: {why}")


def constant(name, text):
    lines = "\n".join("    " + quote(line) for line in text.splitlines(keepends=True))
    return f"inline constexpr std::string_view {name} =\n{lines};\n"


def main():
    html, style, script, files = make_page(Path(sys.argv[1]))
    if len(sys.argv) == 2:
        sys.stdout.write(html)
        return
    tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    constants = (
        constant("kDashboardPage", html),
        "// Content-Security-Policy\n" + constant("kDashboardPolicy", make_policy(style, script)),
        "// ETag\n" + constant("kDashboardTag", tag),
    )
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        # A page is longer than what every compiler must take; those that we build with do.
        file.write(
            "#pragma once\n\n#include <string_view>\n\n"
            "#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
            "namespace sluice {\n\n"
        )
        file.write("\n".join(constants) + "\n}  // namespace sluice\n#pragma GCC diagnostic pop\n")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            file.write(f"{sys.argv[2]}: " + " ".join(map(str, files)) + "\n")


if __name__ == "__main__":
    main()
