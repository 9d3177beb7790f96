"""Every mutant worth judging, most promising first."""

import ast
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search import operators, shapes
from regreen_agents.repair.search.localisation import Line, Spectrum
from regreen_agents.repair.search.operators import Mutation, Operator
from regreen_agents.repair.search.source import SourceFile, read
from regreen_agents.repair.search.units import (
    OutermostFunction,
    Place,
    code_of,
    compile_module,
    fingerprint,
    places,
    unit_of,
)
from regreen_agents.runners.search_runner import CodeUnit, Mutant

IMPORT_TIME_FACTOR = 0.8
"""Suspicion of a definition relative to the most suspicious line that uses it."""

OPERATORS: tuple[Operator, ...] = (
    operators.comparison,
    operators.arithmetic,
    operators.junction,
    operators.negation,
    operators.condition,
    operators.constant,
    shapes.by_one,
    shapes.drop_one,
    shapes.twin,
    shapes.exchange,
    shapes.result,
    shapes.jump,
)


@dataclass(frozen=True)
class Ranked:
    """A mutation with its place in the ranking."""

    source: SourceFile
    mutation: Mutation
    function: OutermostFunction | None
    score: float
    tests: tuple[NodeId, ...]

    @property
    def order(self) -> tuple[float, str, int, int, str]:
        """Sort key: best first, then by text, so that ranks never depend on anything else."""
        found = self.mutation
        return (-self.score, self.source.path, found.start, found.end, found.after)

    def mutated(self) -> str:
        """Return the whole file with the mutation in it."""
        text, found = self.source.text, self.mutation
        return text[: found.start] + found.after + text[found.end :]


@dataclass(frozen=True)
class Listing:
    """The ranking and what it is a selection of."""

    ranked: tuple[tuple[Ranked, Mutant], ...]
    considered: int
    """Mutations found before duplicates were taken out and the limit applied."""
    notes: tuple[str, ...]


def candidates(tree: Path, spectrum: Spectrum, limit: int) -> Listing:
    """Return the best mutants of the suspicious files, each behaviour once.

    Args:
        tree: The tree under repair.
        spectrum: Suspicion per line.
        limit: At most so many.
    """
    sources, notes = _sources(tree, spectrum)
    uses = _uses(sources, spectrum)
    found = [one for source in sources for one in _mutations(source, spectrum, uses)]
    kept: list[tuple[Ranked, Mutant]] = []
    seen: set[Hashable] = _originals(sources)
    for one in sorted(found, key=lambda r: r.order):
        if len(kept) == limit:
            break
        unit, print_ = _compiled(one)
        if print_ is not None and print_ not in seen:
            seen.add(print_)
            kept.append((one, _mutant(len(kept), one, unit)))
    return Listing(ranked=tuple(kept), considered=len(found), notes=notes)


def _sources(tree: Path, spectrum: Spectrum) -> tuple[list[SourceFile], tuple[str, ...]]:
    sources, notes = [], []
    for path in sorted({path for path, _ in spectrum.scores}):
        source = read(tree, path)
        if source is None:
            notes.append(f"{path}: not searched, it is no plain UTF-8 Python file of the tree")
        else:
            sources.append(source)
    return sources, tuple(notes)


def _mutations(
    source: SourceFile, spectrum: Spectrum, uses: dict[str, list[Line]]
) -> Iterator[Ranked]:
    for place in places(source):
        lines = [(source.path, line) for line in sorted(place.lines)]
        factor = 1.0
        if place.function is None:
            lines, factor = _uses_of(source, place, uses), IMPORT_TIME_FACTOR
        suspicion = factor * max((spectrum.scores.get(line, 0.0) for line in lines), default=0.0)
        if suspicion == 0.0:
            continue
        tests = spectrum.covering_any(lines) if place.function else spectrum.passing
        for node in place.nodes:
            for operator in OPERATORS:
                for mutation in operator(source, node):
                    score = suspicion * mutation.prior
                    yield Ranked(source, mutation, place.function, score, tests)


def _uses(sources: list[SourceFile], spectrum: Spectrum) -> dict[str, list[Line]]:
    """Return identifier -> the suspicious lines that use it."""
    found: dict[str, list[Line]] = defaultdict(list)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                line = (source.path, node.lineno)
                if line in spectrum.scores:
                    found[node.id if isinstance(node, ast.Name) else node.attr].append(line)
    return found


def _uses_of(source: SourceFile, place: Place, uses: dict[str, list[Line]]) -> list[Line]:
    """Return the lines that depend on what a statement defines at import."""
    statement = place.statement
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        last = statement.end_lineno or statement.lineno
        return [(source.path, line) for line in range(statement.lineno + 1, last + 1)]
    names = {node.id for node in place.nodes if isinstance(node, ast.Name) and _is_bound(node)}
    return [line for name in sorted(names) for line in uses.get(name, ())]


def _is_bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _originals(sources: list[SourceFile]) -> set[Hashable]:
    """Return the prints of the code as it is: an edit without effect is no candidate."""
    found: set[Hashable] = set()
    for source in sources:
        for function in {p.function for p in places(source) if p.function}:
            head = source.starts[function.first_line - 1]
            unit = unit_of(source, function, (head, head, ""))
            code = unit and code_of(unit, source.path)
            if code:
                found.add((source.path, function.first_line, fingerprint(code)))
    return found


def _compiled(one: Ranked) -> tuple[CodeUnit | None, Hashable]:
    """Return the mutated function and what its code does; (None, None) when it is no Python."""
    found = one.mutation
    if one.function is not None:
        edit = (found.start, found.end, found.after)
        unit = unit_of(one.source, one.function, edit)
        code = unit and code_of(unit, one.source.path)
        if code:
            return unit, (one.source.path, one.function.first_line, fingerprint(code))
        return None, None
    code = compile_module(one.mutated(), one.source.path)
    return None, code and (one.source.path, 0, fingerprint(code))


def _mutant(number: int, one: Ranked, unit: CodeUnit | None) -> Mutant:
    return Mutant(
        id=number,
        path=one.source.path,
        start=one.mutation.start,
        end=one.mutation.end,
        after=one.mutation.after,
        unit=unit,
        tests=one.tests,
    )
