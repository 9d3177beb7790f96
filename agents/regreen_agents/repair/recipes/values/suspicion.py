"""Places in the sources that an edit could go to, the likeliest to decide the failure first."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Finding
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.names import Names, names_of
from regreen_agents.repair.source import ParsedModule, SourceTree

CALLED_BY_NAME = 2
"""Ranks up to this above the located lines: a function around one, the victim, or named by it."""


class Spot(NamedTuple):
    """One place, with what would stand there instead."""

    path: str
    line: int
    text: str
    """The code that is looked at, as a person would point to it."""
    function: str
    """Name of the innermost function around it, or empty."""
    instead: Mapping[cst.CSTNode, cst.CSTNode]


@dataclass(frozen=True)
class Module:
    """One file of the tree, as a finder of spots sees it."""

    tree: SourceTree
    path: str
    parsed: ParsedModule
    names: Names

    def spot(self, node: cst.CSTNode, instead: cst.CSTNode, shown: cst.CSTNode) -> Spot:
        """Return the spot at which one node is exchanged for another."""
        return self.spot_of({node: instead}, shown)

    def spot_of(self, instead: Mapping[cst.CSTNode, cst.CSTNode], shown: cst.CSTNode) -> Spot:
        """Return the spot of several exchanges around the code that is shown."""
        function = next(
            (o.name.value for o in self.parsed.ancestors(shown) if isinstance(o, cst.FunctionDef)),
            "",
        )
        text = " ".join(self.parsed.module.code_for_node(shown).split())
        return Spot(self.path, self.parsed.line(shown), text, function, instead)

    def calls(self) -> list[cst.Call]:
        """Return every call of the file, from its top."""
        found = [node for node in self.parsed.ranges if isinstance(node, cst.Call)]
        return sorted(found, key=self._at)

    def _at(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.parsed.ranges[node].start
        return place.line, place.column


Finder = Callable[[Module], Iterable[Spot]]


class Ranked(NamedTuple):
    """A spot with its suspicion."""

    rank: int
    """Smaller is likelier; below the number of located lines it stands on one of them."""
    near: bool
    """On a located line, in a function around one, in the victim, or in a function it names."""
    spot: Spot

    @property
    def in_test(self) -> bool:
        """Whether the test side would be edited."""
        return is_test_path(self.spot.path)


def module_at(tree: SourceTree, path: str) -> Module | None:
    """Return a file of the tree, or None when it does not parse."""
    parsed = tree.parse(path)
    if parsed is None:
        return None
    names = names_of(parsed.module, name=tree.module_name(path), path=path)
    return Module(tree, path, parsed, names)


def ranked(finding: Finding, tree: SourceTree, finder: Finder) -> list[Ranked]:
    """Return the spots, likeliest first.

    On a suspected line; in a suspected function; in the failing test; in a function the failing
    test names; then in the code it imports, nearest module first. Other tests are left alone.
    """
    rows: list[tuple[int, int, int, Ranked]] = []
    for order, path in enumerate(files_of_interest(finding, tree)):
        module = module_at(tree, path)
        for spot in finder(module) if module is not None else ():
            rank = _rank(spot, finding, tree)
            if rank is not None:
                near = rank <= len(located(finding, tree)) + CALLED_BY_NAME
                rows.append((rank, order, spot.line, Ranked(rank, near, spot)))
    return [row for *_, row in sorted(rows, key=lambda r: r[:3])]


def files_of_interest(finding: Finding, tree: SourceTree) -> tuple[str, ...]:
    """Return the located files, the victims' files, and what they import, nearest first."""
    victims = [node_id.partition("::")[0] for node_id in finding.victims]
    files = dict.fromkeys([*(path for path, _ in located(finding, tree)), *victims])
    for path in tuple(files):
        files.update(dict.fromkeys(tree.imports_of(path)))
    return tuple(files)


def located(finding: Finding, tree: SourceTree) -> tuple[tuple[str, int], ...]:
    """Return the suspected lines, then those of the failure's frames, innermost first."""
    told = [(place.path, place.line) for place in finding.locations]
    frames = finding.failure.frames if finding.failure is not None else ()
    inside = [(f.path, f.line) for f in reversed(frames) if _is_source(f.path, tree)]
    return tuple(dict.fromkeys([*told, *inside]))


def edits_of(spots: Iterable[Spot], tree: SourceTree) -> tuple[FileEdit, ...]:
    """Return the edits that make all exchanges at once, by path."""
    by_path: dict[str, dict[cst.CSTNode, cst.CSTNode]] = {}
    for spot in spots:
        by_path.setdefault(spot.path, {}).update(spot.instead)
    edits = []
    for path, instead in sorted(by_path.items()):
        parsed = tree.parse(path)
        if parsed is not None:
            after = swapped(parsed.module, instead).code
            edits.append(FileEdit(path=path, before=tree.read(path), after=after))
    return tuple(edit for edit in edits if edit.before != edit.after)


def _is_source(path: str, tree: SourceTree) -> bool:
    return not path.startswith("/") and path.endswith(".py") and tree.exists(path)


def _rank(spot: Spot, finding: Finding, tree: SourceTree) -> int | None:
    """Return how suspicious a place is, smaller first; None for other tests' own bodies."""
    every = located(finding, tree)
    lines = [line for path, line in every if path == spot.path]
    if (spot.path, spot.line) in every:
        return every.index((spot.path, spot.line))
    base = len(every)
    if spot.function and spot.function in _functions_at(spot.path, lines, tree):
        return base
    places = [tree.test_function(node_id) for node_id in finding.victims]
    own = {place.function for place in places if place is not None and place.path == spot.path}
    if spot.function in own:
        return base + 1
    if spot.function.startswith("test"):
        return None
    return base + (CALLED_BY_NAME if _is_named(spot.function, finding, tree) else 3)


def _functions_at(path: str, lines: list[int], tree: SourceTree) -> set[str]:
    """Return the names of the functions around some lines."""
    parsed = tree.parse(path)
    if parsed is None:
        return set()
    return {
        name
        for name, span in parsed.function_spans
        if any(span.start <= line < span.stop for line in lines)
    }


def _is_named(function: str, finding: Finding, tree: SourceTree) -> bool:
    """Tell whether the text of a failing test names a function."""
    word = re.compile(rf"\b{re.escape(function)}\b") if function else None
    texts = (tree.test_text(node_id) for node_id in finding.victims)
    return word is not None and any(word.search(text) for text in texts)
