"""A perturbation matrix without a run: counted from what baseline and experiments ran anyway.

Every run that told how a victim ended is put into its *setting*: the set of things that differ
from the victim alone, in the project's root, under hash seed 0. A row compares the runs with one
such thing against those of the same setting without it; where no run lacks only that one thing,
against the nearest setting there is, and the row's note names what else differs.

Besides the factors of the catalogue there are four that only the diagnosis changes: ``order`` (the
suite before it), ``after`` (only these tests before it), ``then`` (a cleaner between those and it)
and ``again`` (the same test before it). No run was made for these rows, so they are few; a factor
*flips* a test here when the finding rests on it and no run contradicts that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor, OrderKind
from regreen_agents.lab.lab import Measured
from regreen_agents.lab.matrix_contexts import (
    SEEDS,
    Contexts,
    Setting,
    is_around,
    is_context,
    named,
)
from regreen_agents.lab.matrix_decide import IN_CONTEXT
from regreen_agents.lab.matrix_factors import CATALOGUE
from regreen_agents.lab.sightings import Sighting, sightings_in
from regreen_agents.lab.statistics import fisher_exact, wilson
from regreen_agents.runners.target import quote

MOST_ROWS = 10
"""Victims with rows of their own."""
FREE = (
    "Counted from the runs of the baseline and of the diagnosis; control is the test alone with "
    "nothing changed, or the nearest setting that was run.",
    "What the finding rests on counts as a flip when no run contradicts it: few runs give wide "
    "intervals and a large p.",
)


def measured_matrix(
    finding: Finding, measured: Measured, sightings: Sequence[Sighting] = ()
) -> Matrix | None:
    """Return what was run anyway, as rows of a finding's victims.

    Args:
        finding: What the rows are evidence of.
        measured: The baseline.
        sightings: Of the experiments, as the laboratory's logbook has them.

    Returns:
        One row for each of the first victims; None where nothing was changed in any run.
    """
    victims = finding.victims[:MOST_ROWS]
    told = [*_of_baseline(measured, victims), *(s for s in sightings if s.test in victims)]
    contexts = Contexts(finding, measured)
    rows = {test: _rows_of(test, told, contexts) for test in victims}
    cells = tuple(_cell(test, row, finding) for test in victims for row in rows[test].rows)
    if not cells:
        return None
    left = len(finding.victims) - len(victims)
    more = (f"{left} more victims have no row of their own.",) if left else ()
    alone = [rows[test].alone for test in victims]
    return Matrix(
        tests=len(victims),
        cells=cells,
        varying=tuple(t for t in victims if len({s.red for s in rows[t].alone}) > 1),
        tried=tuple(dict.fromkeys(cell.factor for cell in cells)),
        control_runs=max(map(len, alone)),
        runs=max(rows[test].runs for test in victims),
        notes=(*FREE, *more),
    )


def _of_baseline(measured: Measured, victims: Sequence[NodeId]) -> list[Sighting]:
    isolated = (measured.isolated,) if measured.isolated else ()
    runs = (*measured.runs, *isolated, *measured.sweeps)
    return [sighting for run in runs for sighting in sightings_in(run, victims)]


@dataclass
class _Row:
    """The runs with one thing changed, and those they are compared with."""

    factor: Factor
    changed: list[Sighting] = field(default_factory=list)
    bases: set[Setting] = field(default_factory=set)
    besides: set[str] = field(default_factory=set)
    """What else differs between the two, by name."""
    control: tuple[Sighting, ...] = ()


@dataclass(frozen=True)
class _Rows:
    rows: tuple[_Row, ...]
    alone: tuple[Sighting, ...]
    """The runs with nothing changed."""
    runs: int


def _rows_of(test: NodeId, told: Iterable[Sighting], contexts: Contexts) -> _Rows:
    """Sort the runs of one test into rows, in the order in which the settings were first run."""
    seen: dict[Setting, list[Sighting]] = {}
    for sighting in told:
        setting = contexts.setting_of(sighting) if sighting.test == test else None
        if setting is not None:
            seen.setdefault(setting, []).append(sighting)
    rows: dict[tuple[str, str], _Row] = {}
    for setting in seen:
        _place(setting, seen, rows)
    for row in rows.values():
        bases = sorted(row.bases, key=named)
        row.control = tuple(sighting for base in bases for sighting in seen[base])
    ran = sum(len(sightings) for sightings in seen.values())
    return _Rows(tuple(rows.values()), tuple(seen.get(frozenset(), ())), ran)


def _place(
    setting: Setting, seen: Mapping[Setting, Sequence[Sighting]], rows: dict[tuple[str, str], _Row]
) -> None:
    """Put the runs of one setting into the row of what sets it apart from its control."""
    base = _base_of(setting, seen)
    differing = sorted(setting - (base or frozenset()), key=_rank)
    if not differing:
        return
    around = [factor for factor in differing if is_around(factor)]
    told = list(seen[setting])
    if len(around) > 1:
        # Changed together: green as under control, none of them flips it; else nobody knows which.
        usual = _mostly_red(seen[base]) if base is not None else None
        told = [sighting for sighting in told if sighting.red == usual]
        mains, besides = (around if told else []), set[str]()
    else:
        mains, besides = differing[:1], {factor.name for factor in differing[1:]}
    for factor in mains:
        key = (factor.name, "" if factor.name in SEEDS else factor.value)
        row = rows.setdefault(key, _Row(factor))
        row.changed += told
        row.besides |= besides
        row.bases |= {base} if base is not None else set()


def _base_of(setting: Setting, seen: Mapping[Setting, object]) -> Setting | None:
    """Return the setting that lacks the least of this one.

    Surroundings are compared with none changed; of several settings left, one without other tests.
    """
    less = [other for other in seen if other < setting]
    plain = [other for other in less if not any(map(is_around, other))]
    candidates = plain if plain and any(map(is_around, setting)) else less
    return max(
        candidates, key=lambda s: (len(s), not any(map(is_context, s)), named(s)), default=None
    )


def _rank(factor: Factor) -> tuple[bool, bool, str]:
    """Other tests first, seeds last: what a row is called by when several things differ."""
    return (is_around(factor), factor.name in SEEDS, str(factor))


def _mostly_red(sightings: Sequence[Sighting]) -> bool:
    return 2 * sum(s.red for s in sightings) > len(sightings)


def _cell(test: NodeId, row: _Row, finding: Finding) -> Cell:
    red, runs = sum(s.red for s in row.changed), len(row.changed)
    control_red, control_runs = sum(s.red for s in row.control), len(row.control)
    flips = _is_claimed(test, row.factor, finding) and not row.besides and _is_opposed(row)
    shown = [s for s in row.changed if s.command and s.red != _mostly_red(row.control)]
    return Cell(
        node_id=test,
        factor=row.factor if row.factor.name not in SEEDS else _pooled(row),
        control=wilson(control_red, control_runs),
        changed=wilson(red, runs),
        flips=flips,
        p_value=round(fisher_exact(control_red, control_runs - control_red, red, runs - red), 6),
        confirmed_cold=flips and any(_is_cold(s) for s in shown),
        note=_note(row, "" if flips else _doubt(row.factor, finding)),
        command=quote(shown[-1].command) if flips and shown else "",
    )


def _pooled(row: _Row) -> Factor:
    """Return the factor of a row that holds several seeds."""
    return Factor(name=row.factor.name, value=", ".join(_by_seed(row)))


def _by_seed(row: _Row) -> dict[str, set[bool]]:
    """Return seed -> how the test ended under it."""
    ends: dict[str, set[bool]] = {}
    for sighting in row.changed:
        spec = sighting.spec
        seed = spec.hash_seed if row.factor.name == "hash-seed" else str(spec.random_seed)
        ends.setdefault(seed, set()).add(sighting.red)
    return dict(sorted(ends.items(), key=lambda item: (len(item[0]), item[0])))


def _is_claimed(test: NodeId, factor: Factor, finding: Finding) -> bool:
    """Whether the finding says that this very thing decides."""
    if factor.name == "after":
        return test in finding.victims and bool(finding.polluters or finding.state_setters)
    if factor.name == "again":
        return finding.cause is Cause.SELF_POLLUTION
    if factor.name == "unset":
        return finding.cause is Cause.ENVIRONMENT_VARIABLE
    kind = None if factor.name in IN_CONTEXT else CATALOGUE.get(factor.name)
    return kind is not None and kind.cause is finding.cause


def _is_opposed(row: _Row) -> bool:
    """Whether every run agrees that it decides: each seed ends alike, or all against control."""
    changed, control = {s.red for s in row.changed}, {s.red for s in row.control}
    if row.factor.name in SEEDS:
        repeats = all(len(ends) == 1 for ends in _by_seed(row).values())
        return repeats and len(changed | control) > 1
    return len(changed) == len(control) == 1 and changed != control


def _is_cold(sighting: Sighting) -> bool:
    spec = sighting.spec
    return spec.order is OrderKind.GIVEN and spec.tests == (sighting.test,)


def _doubt(factor: Factor, finding: Finding) -> str:
    """Return what is to be said where a row's rates differ and it is not what decides."""
    if factor.name == "order" and (finding.polluters or finding.state_setters):
        return "the rates differ: see after"
    return "the rates differ, which may be chance"


def _note(row: _Row, doubt: str) -> str:
    """Return which seeds are red, what else differs, and the doubt where there is a difference."""
    told = []
    if row.factor.name in SEEDS and len({s.red for s in row.changed}) > 1:
        red = [seed for seed, ends in _by_seed(row).items() if True in ends]
        told.append(f"red for {', '.join(red)}")
    if row.besides:
        told.append(f"with another {' and '.join(sorted(row.besides))} as well")
    changed, control = (sum(s.red for s in some) for some in (row.changed, row.control))
    if changed * len(row.control) != control * len(row.changed) and not told and doubt:
        told.append(doubt)
    return "; ".join(told)
