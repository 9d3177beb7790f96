"""How far does a compared value scatter? Measured over many seeds, beside the bound of the test.

A tolerance may be widened only by what was measured: the assertion that fails is found in the
test's text, a line that writes down the compared value is put before it in a copy, and the test
runs once per seed in children of one process.
"""

import ast
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.spreads import Spread
from regreen_agents.errors import RunnerError
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.lab import Lab
from regreen_agents.workspace.patching import apply_edits, read_source

SEEDS = tuple(range(200))
"""Enough to tell a rate of 1.5 % from none with 95 % confidence (rule of three)."""
LONGEST_SECONDS = 60.0
"""Of one measuring; a test too slow to give `ENOUGH` values in it is not measured."""
SHORTEST_SECONDS = 0.05
"""Of a fork and its test."""
ENOUGH = 50
"""Values below which nothing is said of a spread."""
_VALUES = "spread-values.txt"
_LESS = ("assertLess", "assertLessEqual")
_GREATER = ("assertGreater", "assertGreaterEqual")
_TOLERANCES = {"abs": False, "rel": True, "abs_tol": False, "rel_tol": True, "delta": False}
"""Keyword of a tolerance -> whether it is relative to the expected value."""


class Bounded(NamedTuple):
    """An assertion that holds a value against a number written into the test."""

    value: str
    """Code of what is compared with the bound."""
    bound: ast.Constant
    upper: bool
    """Whether the value has to stay below the bound."""


def measured_spread(finding: Finding, lab: Lab, seeds: Sequence[int] = SEEDS) -> Spread | None:
    """Return the spread of the value behind a chance failure, or None when none can be measured.

    Raises:
        StoppedError: The sprint was asked to stop.
    """
    chance = finding.cause is Cause.UNSEEDED_RANDOMNESS or (
        finding.cause is Cause.UNEXPLAINED and finding.category is Category.NOD
    )
    suite = lab.bench.runner.policy.suite
    if not chance or not suite.is_pytest or finding.failure is None or lab.runs_left < 1:
        return None
    for path, line in _lines(finding):
        source = lab.bench.project / path
        text = read_source(source) if source.is_file() else ""
        found = bounded_at(text, line)
        if found is not None:
            copy = _Copy(finding.victims[0], path, text, found)
            return _measured(copy, lab, seeds[: _affordable(finding.victims[0], lab)])
    return None


def _affordable(victim: NodeId, lab: Lab) -> int:
    """Return how often a test can run in the time that a measuring may take."""
    every = (r for run in lab.measured.runs for r in run.results if r.node_id == victim)
    longest = max((result.duration_seconds for result in every), default=0.0)
    return int(LONGEST_SECONDS / max(longest, SHORTEST_SECONDS))


def bounded_at(text: str, line: int) -> Bounded | None:
    """Return what the assertion on a line holds against a number, or None."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        inside = isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
        if inside and isinstance(node, ast.Assert):
            return next(_of_comparison(node.test), None)
        if inside and isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            return next(_of_method(node.value), None)
    return None


def _lines(finding: Finding) -> list[tuple[str, int]]:
    own = finding.victims[0].partition("::")[0]
    frames = reversed(finding.failure.frames) if finding.failure is not None else ()
    told = [(place.path, place.line) for place in finding.locations]
    found = dict.fromkeys([*((f.path, f.line) for f in frames), *told])
    return [(path, line) for path, line in found if path == own]


def _of_comparison(test: ast.expr) -> Iterator[Bounded]:
    if isinstance(test, ast.Call):
        yield from _isclose(test)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, ast.Eq):
        yield from _approx(left, right)
        yield from _approx(right, left)
    upper = isinstance(operator, ast.Lt | ast.LtE)
    if upper or isinstance(operator, ast.Gt | ast.GtE):
        if _is_number(right):
            yield Bounded(ast.unparse(left), _constant(right), upper)
        elif _is_number(left):
            yield Bounded(ast.unparse(right), _constant(left), not upper)


def _approx(value: ast.expr, expected: ast.expr) -> Iterator[Bounded]:
    """Read ``value == pytest.approx(expected, abs=0.1)``."""
    if isinstance(expected, ast.Call) and _name(expected.func) == "approx" and expected.args:
        yield from _tolerance(expected, value, expected.args[0])


def _isclose(call: ast.Call) -> Iterator[Bounded]:
    if _name(call.func) == "isclose" and len(call.args) > 1:
        yield from _tolerance(call, call.args[0], call.args[1])


def _of_method(call: ast.Call) -> Iterator[Bounded]:
    """Read the assertions of unittest."""
    name, sides = _name(call.func), call.args
    if len(sides) < 2:  # noqa: PLR2004 - two sides
        yield from _of_comparison(sides[0]) if sides and name == "assertTrue" else ()
        return
    if name in (*_LESS, *_GREATER) and _is_number(sides[1]):
        yield Bounded(ast.unparse(sides[0]), _constant(sides[1]), name in _LESS)
    elif name == "assertAlmostEqual":
        yield from _tolerance(call, sides[0], sides[1])


def _tolerance(call: ast.Call, value: ast.expr, expected: ast.expr) -> Iterator[Bounded]:
    told = [k for k in call.keywords if k.arg in _TOLERANCES and _is_number(k.value)]
    if len(told) != 1:
        return
    distance = f"abs({ast.unparse(ast.BinOp(value, ast.Sub(), expected))})"
    if _TOLERANCES[told[0].arg or ""]:
        distance = f"{distance} / abs({ast.unparse(expected)})"
    yield Bounded(distance, _constant(told[0].value), upper=True)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _constant(node: ast.expr) -> ast.Constant:
    if not isinstance(node, ast.Constant):
        raise TypeError("A bound is a number written into the test.")
    return node


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class _Copy(NamedTuple):
    """The test to be run in a copy that tells its value."""

    victim: NodeId
    path: str
    text: str
    found: Bounded


def _measured(copy: _Copy, lab: Lab, seeds: Sequence[int]) -> Spread | None:
    """Run a copy of the test that writes the value down, once per seed."""
    if len(seeds) < ENOUGH:
        return None
    values = (lab.bench.logs / _VALUES).absolute()
    values.parent.mkdir(parents=True, exist_ok=True)
    values.unlink(missing_ok=True)
    after = _telling(copy.text, copy.found, values)
    if after is None:
        return None

    def with_edits() -> None:
        lab.bench.reset()
        apply_edits(lab.bench.project, [FileEdit(path=copy.path, before=copy.text, after=after)])

    told = Lab(replace(lab.bench, reset=with_edits), lab.measured)
    lab.bench.note(f"how far does {copy.found.value} scatter? {len(seeds)} seeds")
    try:
        told.random_series(copy.victim, seeds, ALONE)
    except RunnerError:
        return None
    finally:
        lab.runs_made += told.runs_made
        lab.bench.reset()
    worst = _per_run(values, upper=copy.found.upper)
    return _summary(copy.path, copy.found, worst) if len(worst) >= ENOUGH else None


def _telling(text: str, found: Bounded, values: Path) -> str | None:
    """Return the text with a line before the assertion that writes the value down."""
    lines = text.splitlines(keepends=True)
    start = _statement_line(text, found.bound)
    if start is None:
        return None
    old = lines[start - 1]
    indent = old[: len(old) - len(old.lstrip())]
    told = f'"%d %r\\n" % (__import__("os").getpid(), float({found.value}))'
    written = f'{indent}open({str(values)!r}, "a").write({told})\n'
    return "".join([*lines[: start - 1], written, *lines[start - 1 :]])


def _statement_line(text: str, bound: ast.Constant) -> int | None:
    """Return the first line of the innermost statement around a number."""
    statements = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assert | ast.Expr)
        and node.lineno <= bound.lineno <= (node.end_lineno or 0)
    ]
    return max((node.lineno for node in statements), default=None)


def _per_run(values: Path, *, upper: bool) -> list[float]:
    """Return the value nearest to the bound, or furthest beyond it, of each run."""
    rows: dict[str, list[float]] = {}
    for line in values.read_text().splitlines() if values.is_file() else ():
        process, _, value = line.partition(" ")
        rows.setdefault(process, []).append(float(value))
    values.unlink(missing_ok=True)
    worst = [max(row) if upper else min(row) for row in rows.values()]
    return [value for value in worst if math.isfinite(value)]


def _summary(path: str, found: Bounded, worst: Sequence[float]) -> Spread:
    bound = float(found.bound.value)  # type: ignore[arg-type]  # a number, see `_is_number`
    beyond = sum(value > bound if found.upper else value < bound for value in worst)
    return Spread(
        path=path,
        line=found.bound.lineno,
        column=found.bound.col_offset,
        value=found.value,
        bound=bound,
        upper=found.upper,
        runs=len(worst),
        beyond=beyond,
        mean=statistics.fmean(worst),
        deviation=statistics.stdev(worst),
        worst=max(worst) if found.upper else min(worst),
    )
