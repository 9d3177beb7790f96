"""With and without ripgrep the answer is the same; it only leaves files out."""

import shutil
from pathlib import Path

import pytest

from regreen_agents.llm.tools.ripgrep import candidates, wider
from regreen_agents.llm.tools.search_process import Job, searched
from regreen_agents.runners.process import Stopper

PATTERNS = (
    *("def", "DEF", r"def \w+", r"x\.y", r"a\s+b", r"\bfoo\b", "a|b", "(ab)+", "[ab c]d", r"\d\d"),
    *("return 1.", r"\(\)", "foo.*ab", r"\$x", "a - b", "x=1"),
)


@pytest.mark.parametrize(
    "pattern",
    [r"\<x", r"[[:alpha:]]", "(?=x)", "(?i)x", "^x", r"\Ax", "[a&&b]", "é", r"\b*", r"\\x", "x++"],
)
def test_a_pattern_the_two_read_differently_is_not_given_to_it(pattern: str) -> None:
    assert wider(pattern) == ""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_they_read_alike_is_given_wider(pattern: str) -> None:
    assert wider(pattern)


def many_files(folder: Path) -> list[str]:
    words = ("def", "foo", "bar", "a  b", "x.y", "ab", "cd", "42", "()", "$x", "a - b", "x=1", "é")
    names = []
    for number in range(400):
        name = f"d{number % 7}/f{number}.txt"
        (folder / name).parent.mkdir(exist_ok=True)
        picked = [words[(number * step) % len(words)] for step in (1, 3, 5)]
        (folder / name).write_text(" ".join(picked) + "\r\nreturn 1;\n", encoding="utf-8")
        names.append(name)
    return names


def job(pattern: str, folder: Path, files: list[str]) -> Job:
    return Job(pattern, True, str(folder), files, {}, 0, 300)


@pytest.mark.skipif(shutil.which("rg") is None, reason="this machine has no ripgrep")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_leaves_out_no_file_with_a_match(tmp_path: Path, pattern: str) -> None:
    tree, scratch = tmp_path / "tree", tmp_path / "scratch"
    tree.mkdir()
    scratch.mkdir()
    files = many_files(tree)

    kept = candidates(pattern, files, tree, scratch, Stopper())

    whole = searched(job(pattern, tree, files))
    narrow = searched(job(pattern, tree, [name for name in files if name in kept]))
    assert narrow.rows == whole.rows
    assert whole.matches


@pytest.mark.parametrize("script", ["exit 2", "kill -9 $$", "printf 'd0/f0.txt'; exit 3"])
def test_where_it_fails_every_file_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    files = [f"f{number}" for number in range(400)]

    assert candidates("def", files, tmp_path, tmp_path, Stopper()) == frozenset(files)
