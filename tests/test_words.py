"""The words of the house: names that say what a value is, docstrings that begin with a verb or a noun."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
NAMES = frozenset(["found", "said", "one", "there", "known", "own", "kept", "held"])
"""Names that say nothing of the value: rows, matches, message, condition, exists do. Also as ``_found``."""
OPENING = re.compile(r"(What|Where|Which|Who|Whose|How|Whether|If)\b")
"""A docstring begins with a verb in the imperative or with a noun."""
PHRASES = re.compile(r"\b(?:ane[w]|[Ss]o man[y])\b|(?<![Tt]here )\b(?:is|are) n[o] (?!longer\b|more\b)")
"""Words that a native reader reads twice, in code, comments and texts."""


class Fault(NamedTuple):
    line: int
    words: str


def names_bound(tree: ast.AST) -> Iterator[Fault]:
    """The forbidden names that a file gives: what other libraries call theirs is not asked."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                pass
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                pass
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                pass
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.alias(asname=str(name)):
                pass
            case _:
                continue
        if name.lstrip("_") in NAMES:
            yield Fault(getattr(node, "lineno", 0), name)


def docstrings(tree: ast.AST) -> Iterator[Fault]:
    """The docstrings of modules, classes, functions, and of what is assigned, that begin with a question."""
    for node in ast.walk(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            for statement in body if isinstance(body, list) else ():
                match statement:
                    case ast.Expr(value=ast.Constant(value=str(text))) if OPENING.match(text.lstrip()):
                        yield Fault(statement.lineno, text.strip().splitlines()[0])


def phrases(source: str) -> Iterator[Fault]:
    for number, line in enumerate(source.splitlines(), 1):
        if match := PHRASES.search(line):
            yield Fault(number, match[0])


def faults(source: str) -> list[Fault]:
    tree = ast.parse(source)
    return sorted([*names_bound(tree), *docstrings(tree), *phrases(source)])


@pytest.mark.parametrize("package", ["audit_tui", "tests"])
def test_files_use_the_words_of_the_house(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    told = [
        f"{path.relative_to(ROOT).as_posix()}:{fault.line}: {fault.words}"
        for path in paths
        for fault in faults(path.read_text(encoding="utf-8"))
    ]
    assert told == []


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "for one in (): pass",
        "self._kept = 1",
        "def f(known): pass",
        "class C:\n    own: int",
        "with open() as there: pass",
        "(held := 1)",
        "import os as said",
        'def f():\n    """Whether it is so."""',
        'x = 1\n"""How many there are."""',
        '"""If it is."""',
        "# built " + "a" + "new",
        "# up to so " + "many",
        "# it is n" + "o number",
    ],
)
def test_what_the_house_does_not_say_is_caught(source: str) -> None:
    assert len(faults(source)) == 1


def test_what_others_call_theirs_is_let_be() -> None:
    assert faults('x = node.found + said\n"""Whatever it is: an iffy one that was kept."""') == []
