"""Conflicts that are none: two commits that add different things at one place of a Python file.

Two fixtures below the imports, two methods at the start of a class: git asks which goes first, and
either may. What is kept is checked statement by statement, so nothing is lost or taken apart.
"""

import ast
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from regreen_agents.workspace.git_door import GitDoor

_HUNK = re.compile(
    rb"^<{7} ours\r?\n(?P<ours>.*?)^\|{7} base\r?\n(?P<base>.*?)^={7}\r?\n(?P<theirs>.*?)"
    rb"^>{7} theirs\r?\n",
    re.MULTILINE | re.DOTALL,
)
_IMPORT = re.compile(rb"(?:import|from) ")
_Parts = Counter[tuple[str, str]]


class _Stage(NamedTuple):
    mode: str
    blob: str


def keep_both(door: GitDoor) -> bool:
    """Resolve every conflict of a worktree by keeping what both sides add; False if one cannot be.

    Args:
        door: On a worktree whose index is unmerged; it is left as it is unless all are resolved.
    """
    merged: dict[str, tuple[str, bytes]] = {}
    for path, stages in _unmerged(door).items():
        if set(stages) != {"1", "2", "3"} or not path.endswith(".py"):
            return False
        texts = [door.ask("cat-file", "blob", stages[number].blob).out for number in "123"]
        text = _merged(door, *texts)
        if text is None:
            return False
        merged[path] = (stages["2"].mode, text)
    for path, (mode, text) in merged.items():
        _put(door, path, mode, text)
    return bool(merged)


def _unmerged(door: GitDoor) -> dict[str, dict[str, _Stage]]:
    """Return path -> stage (1 the base, 2 ours, 3 theirs) -> blob."""
    found: dict[str, dict[str, _Stage]] = {}
    for entry in door.ask("ls-files", "--unmerged", "-z").fields:
        facts, _, path = entry.partition("\t")
        mode, blob, number = facts.split()
        found.setdefault(path, {})[number] = _Stage(mode, blob)
    return found


def _merged(door: GitDoor, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Return the text with both additions, or None where the sides do more than add."""
    with tempfile.TemporaryDirectory(prefix="regreen-merge-") as name:
        files = {side: Path(name) / side for side in ("ours", "base", "theirs")}
        for side, text in zip(files, (ours, base, theirs), strict=True):
            files[side].write_bytes(text)
        labels = [word for side in files for word in ("-L", side)]
        paths = [str(path) for path in files.values()]
        # Not zdiff3: it takes lines that both begin with out of the conflict, and one copy is lost.
        done = door.ask("merge-file", "-p", "--diff3", *labels, *paths)
    hunks = list(_HUNK.finditer(done.out))
    if not hunks or any(hunk["base"].strip() for hunk in hunks):
        return None
    text = _HUNK.sub(lambda hunk: hunk["ours"] + _beside(hunk["ours"], hunk["theirs"]), done.out)
    return text if _holds_both(text, base, ours, theirs) else None


def _beside(ours: bytes, theirs: bytes) -> bytes:
    """Return what the other side adds, without the imports that are there already."""
    there = set(ours.splitlines())
    lines = theirs.splitlines(keepends=True)
    return b"".join(
        line for line in lines if not (_IMPORT.match(line) and line.rstrip(b"\r\n") in there)
    )


def _holds_both(text: bytes, base: bytes, ours: bytes, theirs: bytes) -> bool:
    """Tell whether the merged statements are those of the base with both sides' changes."""
    try:
        got, old, left, right = (_parts(one) for one in (text, base, ours, theirs))
    except (SyntaxError, ValueError):
        return False
    wanted = old + ((left - old) | (right - old))
    wanted.subtract((old - left) | (old - right))
    return got == +wanted


def _parts(source: bytes) -> _Parts:
    """Count the statements of a module and of its classes; a function is one of them."""
    return Counter(_flat(ast.parse(source).body, ""))


def _flat(body: Sequence[ast.stmt], owner: str) -> Iterable[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner, node.body = node.body, []
            yield owner, ast.dump(node)
            yield from _flat(inner, f"{owner}.{node.name}")
        else:
            yield owner, ast.dump(node)


def _put(door: GitDoor, path: str, mode: str, text: bytes) -> None:
    failure = f"{path!r} cannot be merged."
    with tempfile.TemporaryDirectory(prefix="regreen-merge-") as name:
        file = Path(name) / "merged"
        file.write_bytes(text)
        blob = door.run("hash-object", "-w", "--no-filters", str(file), failure=failure).line
    door.run("update-index", "--cacheinfo", f"{mode},{blob},{path}", failure=failure)
    door.run("checkout-index", "-f", "--", path, failure=failure)
