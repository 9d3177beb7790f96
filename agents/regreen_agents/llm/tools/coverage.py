"""The tool that tells which lines of the code under test a failing test runs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.lab import Lab
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.selection import known_tests, one_test
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.runners.base import pytest_of
from regreen_agents.runners.search_runner import SearchRunner
from regreen_agents.runners.search_words import Suite, TracedTest, TraceReport

SECONDS = 60.0
COMPARED = 60
"""Passing tests that are traced beside the failing one, those of its own file first."""
MAX_FILES = 40
MAX_SUSPECTS = 30


class CoverageOfFailure(Asked):
    """A failing test."""

    test: str


def coverage_of_failure(bench: Toolbench) -> Tool[CoverageOfFailure]:
    """Return the tool that traces a failing test, and passing ones to compare it with."""

    def run(asked: CoverageOfFailure) -> ToolAnswer:
        test = one_test(asked.test, bench)
        with bench.experimenting() as lab:
            traced = _traced(test, steady_near(test, bench), lab)
        own = next((one for one in traced.tests if one.test == test), None)
        if own is None:
            raise ToolProblemError("The test did not run under the tracer.")
        passing = [t for t in traced.tests if t.test != test and t.outcome == "passed"]
        return bench.answer("\n".join([*_told(own, passing), *traced.notes]))

    return Tool(
        name="coverage_of_failure",
        description=(
            "Tell which lines of the code under test a failing test runs, and which of them the "
            "fewest passing tests run, too: the most suspicious ones."
        ),
        asked=CoverageOfFailure,
        run=run,
        experiment=True,
    )


def steady_near(test: NodeId, bench: Toolbench) -> tuple[NodeId, ...]:
    """Return tests that passed in every full run, those of the same file first."""
    runs = bench.lab.measured.runs
    steady = [
        other
        for other in known_tests(bench)
        if other != test and all(run.outcome_of(other) is Outcome.PASSED for run in runs[:3])
    ]
    own = test.partition("::")[0]
    return tuple(sorted(steady, key=lambda name: name.partition("::")[0] != own)[:COMPARED])


def _traced(test: NodeId, passing: Sequence[NodeId], lab: Lab) -> TraceReport:
    runner = pytest_of(lab.bench.runner)
    lab.bench.reset()
    lab.bench.note(f"which lines does it run? {test}")
    suite = Suite(tree=lab.bench.project, failing=(test,), passing=tuple(passing))
    seconds = min(SECONDS, lab.bench.seconds_left())
    if seconds <= 0:
        raise ToolProblemError("The time budget of the sprint is used up.")
    return SearchRunner(runner, lab.bench.logs / "coverage").trace(suite, seconds)


def _told(own: TracedTest, passing: Sequence[TracedTest]) -> list[str]:
    lines = [f"{own.test} {own.outcome} under the tracer. Lines of the code under test it runs:"]
    files = {path: rows for path, rows in sorted(own.lines.items()) if not is_test_path(path)}
    lines += [f"{path}: {_ranges(rows)}" for path, rows in list(files.items())[:MAX_FILES]]
    if not files:
        return [*lines, "none: it runs no code of this tree besides tests"]
    counts = Counter((p, n) for one in passing for p, rows in one.lines.items() for n in rows)
    ran = [(path, number) for path, rows in files.items() for number in rows]
    ranked = sorted(ran, key=lambda line: (counts[line], line))
    fewest = counts[ranked[0]]
    suspects = [line for line in ranked if counts[line] < len(passing)][:MAX_SUSPECTS]
    if not suspects:
        return [*lines, f"All {len(passing)} passing tests that were traced run them, too."]
    told = ", ".join(f"{path}:{number} ({counts[path, number]})" for path, number in suspects)
    lines.append(f"Fewest of the {len(passing)} traced passing tests ({fewest} and more): {told}")
    return lines


def _ranges(numbers: Iterable[int]) -> str:
    """Return line numbers as ``3-7, 9``."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
