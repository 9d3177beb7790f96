"""Outermost functions compiled alone are the ones the file itself would give."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from regreen_agents.repair.search import source as source_module
from regreen_agents.repair.search.source import SourceFile, is_test_path, parse, read
from regreen_agents.repair.search.units import (
    OutermostFunction,
    code_of,
    fingerprint,
    places,
    unit_of,
)

TEXT = '''\
from __future__ import annotations
import functools

class Outer:
    """Doc."""
    __secret = 1

    class Inner(Outer if False else object):
        @property
        @functools.cache
        def value(self) -> int:
            return super().__hash__() + self.__secret

    if True:
        def chosen(self): return [x for x in self.__items if x]
    elif False:
        async def other(self):
            text = """
unindented
"""
            return lambda: text

try:
    def tried(a, /, b=1, *c, d, **e): yield a
except ImportError:
    pass

match 1:
    case 1:
        def matched(): return 1
'''


def functions(source: SourceFile) -> list[OutermostFunction]:
    found = {place.function for place in places(source) if place.function}
    return sorted(found, key=lambda f: f.first_line)


def all_code(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from all_code(inner)


def unchanged(source: SourceFile, function: OutermostFunction) -> CodeType:
    head = source.starts[function.first_line - 1]
    unit = unit_of(source, function, (head, head, ""))
    code = code_of(unit, source.path)
    assert code is not None
    return code


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_function_compiled_alone_equals_the_one_of_the_file(newline: str) -> None:
    source = parse("shop.py", TEXT.replace("\n", newline))
    whole = list(all_code(compile(source.text, "shop.py", "exec", dont_inherit=True)))

    found = functions(source)

    assert [f.node.name for f in found] == ["value", "chosen", "other", "tried", "matched"]
    for function in found:
        alone = unchanged(source, function)
        twins = [c for c in whole if c.co_name == alone.co_name]
        assert fingerprint(alone) in [fingerprint(twin) for twin in twins]


def test_an_edit_that_is_no_python_gives_no_unit() -> None:
    source = parse("shop.py", "def f(a):\n    return a\n")
    start = source.text.rindex("a")

    unit = unit_of(source, functions(source)[0], (start, start + 1, "a +"))

    assert code_of(unit, source.path) is None


def test_equal_behaviour_has_one_fingerprint_and_other_constants_another() -> None:
    codes = [
        unchanged(parse("a.py", text), functions(parse("a.py", text))[0])
        for text in ("def f(): return 1", "def f():\n\n    return (1)", "def f(): return 1.0")
    ]

    assert fingerprint(codes[0]) == fingerprint(codes[1])
    assert fingerprint(codes[0]) != fingerprint(codes[2])


def test_a_compound_statement_stands_on_the_lines_of_its_header_only() -> None:
    source = parse("a.py", "def f(a):\n    if (a or\n        b):\n        c = (1,\n          2)\n")

    lines = {type(p.statement): sorted(p.lines) for p in places(source)}

    assert lines == {ast.FunctionDef: [1], ast.If: [2, 3], ast.Assign: [4, 5]}


@pytest.mark.parametrize(
    "raw",
    [b"\xef\xbb\xbfa = 1\n", b"# coding: latin-1\na = 1\n", b"a = '\xfc'\n", b"a = \n", b"\x00"],
)
def test_a_file_that_is_no_plain_python_is_not_read(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.py").write_bytes(raw)

    assert read(tmp_path, "a.py") is None


def test_a_file_outside_the_tree_is_not_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "a.py").write_text("a = 1\n")
    (tree / "b.py").symlink_to(tmp_path / "a.py")

    assert read(tree, "../a.py") is None
    assert read(tree, "b.py") is None


def test_warnings_about_the_code_of_others_stay_silent() -> None:
    parse("a.py", "a = '\\d'\nb = 1 is 1\n")

    assert source_module.parse("a.py", "a = '\\d'").tree.body


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/helpers.py", True),
        ("pkg/test/data.py", True),
        ("test_a.py", True),
        ("pkg/a_test.py", True),
        ("conftest.py", True),
        ("pkg/testing.py", False),
        ("pkg/contest.py", False),
        ("latest/a.py", False),
    ],
)
def test_what_belongs_to_the_suite_is_told_by_its_path(path: str, *, expected: bool) -> None:
    assert is_test_path(path) is expected
