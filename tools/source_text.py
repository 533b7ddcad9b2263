"""Reads Rust and JavaScript just well enough to tell code from comments and strings.

Shared by tools/size and tools/arrows. No parser: a scanner that blanks what is not code, so that
braces can be counted and literals be looked at. Line numbers stay true.
"""

import re
from dataclasses import dataclass, field

# One alternative a kind of token; whatever matches none of them is code.
RUST = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*)
      | (?P<raw>\b(?:b|c)?r(?P<hashes>\#*)"(?:.|\n)*?"(?P=hashes))
      | (?P<string>(?:\b[bc])?"(?:[^"\\]|\\(?:.|\n))*")
      | (?P<char>(?:\bb)?'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]+\}|.))')
    """,
    re.VERBOSE,
)
# A slash begins a regular expression where a value may begin, and divides elsewhere.
SCRIPT = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*)
      | (?P<template>`(?:[^`\\]|\\(?:.|\n))*`)
      | (?P<string>"(?:[^"\\\n]|\\(?:.|\n))*"|'(?:[^'\\\n]|\\(?:.|\n))*')
      | (?P<regex>(?:(?<=[(,=:\[!&|?{};+\n])|(?<=\breturn))[ \t]*
          /(?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)
    """,
    re.VERBOSE,
)


@dataclass
class Source:
    """A file with its comments and strings blanked out of `code`, and the strings apart."""

    code: str
    # (line number, text) of every string literal
    strings: list = field(default_factory=list)


def _block_end(text, start, nests):
    depth, at = 1, start + 2
    while depth and at < len(text):
        if text.startswith("*/", at):
            depth, at = depth - 1, at + 2
        elif nests and text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        else:
            at += 1
    return at


def scan(text, rust=True):
    """Splits `text` into code and strings."""
    pattern = RUST if rust else SCRIPT
    parts, source, at = [], Source(""), 0
    while match := pattern.search(text, at):
        kind = match.lastgroup if match.lastgroup != "hashes" else "raw"
        end = _block_end(text, match.start(), rust) if kind == "block" else match.end()
        token = text[match.start():end]
        if kind in ("string", "raw", "template"):
            source.strings.append((text.count("\n", 0, match.start()) + 1, token))
        parts.append(text[at:match.start()])
        parts.append(re.sub(r"[^\n]", " ", token))
        at = end
    source.code = "".join(parts) + text[at:]
    return source


def body_end(code, start):
    """Where the braces that open first after `start` close; None when a `;` comes first."""
    depth, nested = 0, 0
    for at in range(start, len(code)):
        char = code[at]
        if char in "([":
            nested += depth == 0
        elif char in ")]":
            nested -= depth == 0
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0 and nested == 0:
                return at
        elif char == ";" and depth == 0 and nested == 0:
            return None
    return None


def line_of(code, at):
    """The line, counted from 1, on which `at` stands."""
    return code.count("\n", 0, at) + 1


def test_lines(code):
    """The numbers of all lines inside `#[cfg(test)]` items."""
    lines = set()
    for match in re.finditer(r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]", code):
        end = body_end(code, match.end())
        if end is not None:
            lines.update(range(line_of(code, match.start()), line_of(code, end) + 1))
    return lines


TEST_MODULE = re.compile(r"""\#\[cfg\(test\)\]\s*(?:\#\[path\s*=\s*"(?P<path>[^"]+)"\]\s*)?mod\s+(?P<name>\w+)\s*;""", re.VERBOSE)


def test_files(paths):
    """Those of `paths` that another one of them takes in only for tests."""
    found = set()
    for path in paths:
        # `x.rs` keeps its modules in `x/`, the others beside themselves.
        inner = path.parent if path.stem in ("mod", "lib", "main") else path.parent / path.stem
        for match in TEST_MODULE.finditer(path.read_text(encoding="utf-8")):
            if match["path"]:
                found.add(path.parent / match["path"])
            else:
                found.update({inner / f"{match['name']}.rs", inner / match["name"] / "mod.rs"})
    return found
