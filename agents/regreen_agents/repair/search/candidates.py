"""Every mutant worth judging, tier by tier, most promising first."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search.file_scope import FileScope
from regreen_agents.repair.search.localisation import Line, Spectrum
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Crash, Scope, Site
from regreen_agents.repair.search.source import SourceFile, compiling, read
from regreen_agents.repair.search.tiers import AT_IMPORT, Tier, mutations
from regreen_agents.repair.search.units import (
    OutermostFunction,
    Place,
    code_of,
    fingerprint,
    places,
    unit_of,
)
from regreen_agents.runners.search_runner import CodeUnit, Mutant

IMPORT_TIME_FACTOR = 0.8
"""Suspicion of a definition relative to the most suspicious line that uses it."""
MAX_IMPORT_TIME = 80
"""Mutants of code that runs at import: each is judged in a process of its own."""

MAX_CHARACTERS = 12_000_000
"""Of the mutated functions' texts in one listing: what a listing may take of memory."""
MAX_PER_STATEMENT = 4000
GENERATED_FACTOR = 3
"""Edits are generated, the most suspicious statements first, up to so many times the limit."""


@dataclass(frozen=True)
class Ranked:
    """A mutation with its place in the ranking."""

    source: SourceFile
    mutation: Mutation
    function: OutermostFunction | None
    score: float
    """Suspicion of the line times the operator's prior."""
    tests: tuple[NodeId, ...]
    tier: Tier = Tier.TOKENS

    @property
    def order(self) -> tuple[float, str, int, int, str]:
        """Sort key: best first, then by text, so that ranks never depend on anything else."""
        found = self.mutation
        return (-self.score, self.source.path, found.start, found.end, found.after)

    def mutated(self) -> str:
        """Return the whole file with the mutation in it."""
        text, found = self.source.text, self.mutation
        return text[: found.start] + found.after + text[found.end :]


Pair = tuple[Ranked, Mutant]


@dataclass(frozen=True)
class Listing:
    """The ranking of one tier and what it is a selection of."""

    ranked: tuple[Pair, ...]
    considered: int
    """Mutations found before duplicates were taken out and the limit applied."""


@dataclass(frozen=True)
class _Spot:
    """A statement worth editing."""

    site: Site
    suspicion: float
    tests: tuple[NodeId, ...]

    def ranked(self, mutation: Mutation, tier: Tier) -> Ranked:
        """Return an edit of it with its score."""
        place = self.site.place
        score = self.suspicion * mutation.prior
        return Ranked(self.site.source, mutation, place.function, score, self.tests, tier)


class Space:
    """The edits of the suspicious files; each behaviour is listed once over all tiers."""

    def __init__(self, tree: Path, spectrum: Spectrum, crash: Crash | None = None) -> None:
        """Read the suspicious files.

        Args:
            tree: The tree under repair.
            spectrum: Suspicion per line.
            crash: What the failures' errors tell.
        """
        self._spectrum = spectrum
        self._crash = crash or Crash()
        self.notes: list[str] = []
        self._sources = self._read(tree)
        self._listed = 0

    def tiers(self, tiers: Sequence[tuple[Tier, int]], above: float = 0.0) -> Listing:
        """Return the best mutants of functions in several tiers, one after the other.

        Args:
            tiers: Each with its limit.
            above: Only mutants of a higher score.
        """
        spots = [spot for spot in self._spots if spot.site.place.function is not None]
        parts = [self._listed_at(spots, tier, limit, above) for tier, limit in tiers]
        ranked = tuple(pair for part in parts for pair in part.ranked)
        return Listing(ranked=ranked, considered=sum(part.considered for part in parts))

    def at_import(self, above: float) -> Listing:
        """Return the best mutants of code that runs at import, of scores above a bound."""
        found = [
            one
            for spot in self._spots
            if spot.site.place.function is None
            for tier in AT_IMPORT
            for one in self._made(spot, tier)
            if one.score > above
        ]
        return self.listing(sorted(found, key=lambda one: one.order), MAX_IMPORT_TIME)

    def tier(self, tier: Tier, limit: int) -> Listing:
        """Return the best mutants of a tier that are not in one listed before."""
        return self._listed_at(self._spots, tier, limit)

    def _listed_at(
        self, spots: Sequence[_Spot], tier: Tier, limit: int, above: float = 0.0
    ) -> Listing:
        found: list[Ranked] = []
        for spot in spots:
            if len(found) >= limit * GENERATED_FACTOR:
                break  # what is left is less suspicious
            found += [one for one in self._made(spot, tier) if one.score > above]
        return self.listing(sorted(found, key=lambda one: one.order), limit)

    @staticmethod
    def _made(spot: _Spot, tier: Tier) -> list[Ranked]:
        made = islice(mutations(tier, spot.site), MAX_PER_STATEMENT)
        return [spot.ranked(mutation, tier) for mutation in made]

    def listing(self, found: Sequence[Ranked], limit: int) -> Listing:
        """Return the first so many mutations that are Python and do something new."""
        kept: list[Pair] = []
        at_import = characters = 0
        for one in found:
            if len(kept) == limit or characters > MAX_CHARACTERS:
                break
            if one.function is None and at_import == MAX_IMPORT_TIME:
                continue
            unit, print_ = _compiled(one)
            if print_ is not None and print_ not in self._known:
                self._known.add(print_)
                at_import += one.function is None
                characters += len(unit.text) if unit else 0
                kept.append((one, _mutant(self._listed, one, unit)))
                self._listed += 1
        return Listing(ranked=tuple(kept), considered=len(found))

    def again(self, found: Sequence[Ranked]) -> Listing:
        """Return mutants of mutations that were listed before, under new ids."""
        kept = []
        for one in found:
            kept.append((one, _mutant(self._listed, one, _compiled(one)[0])))
            self._listed += 1
        return Listing(ranked=tuple(kept), considered=0)

    @cached_property
    def _known(self) -> set[bytes]:
        """Prints of what was listed, and of the code as it is: no effect, no candidate."""
        found: set[bytes] = set()
        for source in self._sources:
            for function in {place.function for place in places(source)} | {None}:
                head = source.starts[function.first_line - 1] if function else 0
                same = Ranked(source, Mutation(head, head, "", "", 0.0), function, 0.0, ())
                found.add(_compiled(same)[1] or b"")
        return found

    @cached_property
    def _spots(self) -> tuple[_Spot, ...]:
        uses = _uses(self._sources, self._spectrum)
        found = [spot for source in self._sources for spot in self._spots_of(source, uses)]
        return tuple(sorted(found, key=lambda spot: -spot.suspicion))

    def _spots_of(self, source: SourceFile, uses: dict[str, list[Line]]) -> Iterator[_Spot]:
        file = FileScope(source)
        scopes: dict[OutermostFunction | None, Scope] = {}
        for place in places(source):
            lines = [(source.path, line) for line in sorted(place.lines)]
            factor = 1.0
            if place.function is None:
                lines, factor = _uses_of(source, place, uses), IMPORT_TIME_FACTOR
            scores = self._spectrum.scores
            suspicion = factor * max((scores.get(line, 0.0) for line in lines), default=0.0)
            if suspicion == 0.0:
                continue
            if place.function not in scopes:
                scopes[place.function] = Scope(file, place.function, self._crash)
            spectrum = self._spectrum
            tests = spectrum.covering_any(lines) if place.function else spectrum.passing
            yield _Spot(Site(scopes[place.function], place), suspicion, tests)

    def _read(self, tree: Path) -> list[SourceFile]:
        sources = []
        for path in sorted({path for path, _ in self._spectrum.scores}):
            source = read(tree, path)
            if source is None:
                what = "not searched, it is no plain UTF-8 Python file of the tree"
                self.notes.append(f"{path}: {what}")
            else:
                sources.append(source)
        return sources


def _uses(sources: Iterable[SourceFile], spectrum: Spectrum) -> dict[str, list[Line]]:
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


def _compiled(one: Ranked) -> tuple[CodeUnit | None, bytes | None]:
    """Return the mutated function and what its code does; no print when it is no Python."""
    found = one.mutation
    if one.function is not None:
        unit = unit_of(one.source, one.function, (found.start, found.end, found.after))
        code = code_of(unit, one.source.path)
        if code:
            print_ = (one.source.path, one.function.first_line, fingerprint(code))
            return unit, sha256(repr(print_).encode()).digest()
        return None, None
    text = one.mutated()
    with compiling():
        try:
            tree = ast.parse(text, one.source.path)
        except (SyntaxError, ValueError):
            return None, None
    return None, sha256(f"{one.source.path} {ast.dump(tree)}".encode()).digest()


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
