"""How well do the tests watch the repaired function? Mistakes planted there, and how many they see.

Each mutant is the repair with one more small mistake in the same function, judged as one edit of
the code as it is. Those that pass every test show that a wrong repair could pass them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.confidence import Share
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.search import op_names, op_statements, op_wraps, operators
from regreen_agents.repair.search.file_scope import FileScope
from regreen_agents.repair.search.fuzz import placed, span_of
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Scope, Site
from regreen_agents.repair.search.source import SourceFile, parse
from regreen_agents.repair.search.tiers import plain
from regreen_agents.repair.search.units import OutermostFunction, places
from regreen_agents.runners.search_runner import Mutant, SearchRunner, Suite

MAX_MUTANTS = 12
"""The nearest to the edit: what the tests miss elsewhere says little about the edit."""
PLANTED = (
    *map(
        plain,
        (
            operators.comparison,
            operators.arithmetic,
            operators.junction,
            operators.negation,
            operators.condition,
            operators.constant,
        ),
    ),
    op_statements.delete,
    op_wraps.unwrap,
    op_names.name,
)
"""Mistakes that change what the code does; few of them are equivalent."""


@dataclass(frozen=True)
class Watched:
    """A repair whose tests are asked."""

    edit: FileEdit
    suite: Suite
    tests: tuple[NodeId, ...]
    """Passing tests that run the edited lines."""


def mutation_score(watched: Watched, judge: SearchRunner, *, seconds: float) -> Share:
    """Return how many mutants of the repaired function its tests notice.

    The same tree gives the same mutants; what the time does not reach is not counted.
    """
    mutants = planted(watched.edit, watched.tests)
    if not mutants:
        return Share(part=0, whole=0)
    report = judge.judge(watched.suite, mutants, seconds=seconds, enough=len(mutants) + 1)
    judged = {one.mutant: one.verdict for one in report.judgements}
    known = [verdict for verdict in judged.values() if verdict != "cold"]
    return Share(part=sum(v != "plausible" for v in known), whole=len(known))


def planted(edit: FileEdit, tests: Sequence[NodeId]) -> tuple[Mutant, ...]:
    """Return mutants of the repaired function, the nearest to the edit, each as one edit."""
    repaired = parse(edit.path, edit.after)
    start, _, after = span_of(edit.before, edit.after)
    first, last = repaired.line_of(start), repaired.line_of(start + len(after))
    found = []
    for number, mistake in enumerate(_mistakes(repaired, first, last)):
        text = edit.after[: mistake.start] + mistake.after + edit.after[mistake.end :]
        place = placed(edit.model_copy(update={"after": text}), number, tests)
        if place is not None and text != edit.before:
            found.append(place.mutant)
    return tuple(found)


def _mistakes(source: SourceFile, first: int, last: int) -> list[Mutation]:
    """Return what can be planted in the function around these lines, by distance from them."""
    found: list[tuple[int, int, Mutation]] = []
    every = places(source)
    file = FileScope(source)
    inside = {p.function for p in every if p.function and _overlaps(p.function, first, last)}
    for place in every:
        if place.function in inside:
            at = place.statement.lineno
            away = max(first - at, at - last, 0)
            site = Site(Scope(file, place.function), place)
            found += [(away, one.start, one) for one in _of(site)]
    nearest = sorted(found, key=lambda row: row[:2])[:MAX_MUTANTS]
    return [one for _, _, one in nearest]


def _overlaps(function: OutermostFunction, first: int, last: int) -> bool:
    return function.first_line <= last and first <= function.last_line


def _of(site: Site) -> list[Mutation]:
    made = [m for node in site.place.nodes for plant in PLANTED for m in plant(site, node)]
    best: dict[int, Mutation] = {}
    for one in sorted(made, key=lambda m: (-m.prior, m.start, m.after)):
        best.setdefault(one.start, one)  # one mistake per spot
    return [best[start] for start in sorted(best)]
