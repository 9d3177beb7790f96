"""Every row of the table is run on its own example, and the text it makes is run too."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from regreen_agents.repair.modernise.rows import Row, table
from regreen_agents.repair.modernise.sources import Source
from regreen_agents.repair.modernise.update import CODEMODS, edits_of, updated
from regreen_agents.repair.source import SourceTree

ROWS = {row.id: row for row in table()}
RUN_EXAMPLE = "import sys; exec(sys.stdin.read(), {'__name__': 'example'})"
"""In a process of its own: an example may load a module of the standard library anew."""


def changed(row: Row, text: str, tree: Path) -> str | None:
    for name in (row.example.path, *row.example.beside):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    (tree / row.example.path).write_text(text)
    if row.text:
        edits = edits_of(row, SourceTree(tree), ())
        return edits[0].after if edits else None
    lines = frozenset(row.example.lines)
    return updated(row, Source(row.example.path, text, SourceTree(tree), lines))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_turns_its_example_from_before_to_after(name: str, tmp_path: Path) -> None:
    row = ROWS[name]

    after = changed(row, row.example.before, tmp_path)

    assert after == row.example.after


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_nothing_to_do_where_it_was_applied(name: str, tmp_path: Path) -> None:
    row = ROWS[name]

    again = changed(row, row.example.after, tmp_path)

    assert again is None


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.example.runs])
def test_what_a_row_writes_runs(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", RUN_EXAMPLE],
        input=ROWS[name].example.after,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_complete(name: str) -> None:
    row = ROWS[name]

    assert row.link.startswith("https://")
    assert re.compile(row.error_pattern).pattern != "(?:(?!))"
    assert set(row.codemods) <= set(CODEMODS)


def test_every_codemod_has_a_row() -> None:
    used = {name for row in ROWS.values() for name in row.codemods}

    assert used == set(CODEMODS)
