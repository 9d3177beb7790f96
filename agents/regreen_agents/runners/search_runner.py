"""Runs of the target for the repair search: trace its tests, judge mutants of its code."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.runners.pytest_runner import PytestRunner

PLUGIN = "regreen_search"
LISTED = 5
START_SECONDS = 60.0
"""What collection may take on top of the time a job is given."""

VerdictWord = Literal["plausible", "red", "killed", "died", "cold"]


class CodeUnit(Model):
    """An outermost function, mutated, as a text that compiles alone."""

    text: str
    shift: int
    """Added to the text's line numbers it gives those of the file."""
    line: int
    """First line in the file, decorators included."""
    names: tuple[str, ...]
    """Enclosing classes, outermost first, then the function."""
    futures: tuple[str, ...] = ()
    """``from __future__`` imports of the file."""


class Mutant(Model):
    """One edit to judge."""

    id: int
    path: str
    """Relative to the tree, posix."""
    start: int
    """Offset in characters of the file's text, newlines untranslated."""
    end: int
    after: str
    unit: CodeUnit | None
    """None for code that runs at import."""
    tests: tuple[NodeId, ...]
    """Passing tests that run the mutated line."""


class TracedTest(Model):
    """One test and the lines of the tree's own code it ran."""

    test: NodeId
    outcome: Literal["passed", "failed", "skipped", "killed", "died"]
    seconds: float
    lines: Mapping[str, frozenset[int]]
    """Path relative to the tree -> line numbers."""


class TraceReport(Model):
    """What tracing told."""

    tests: tuple[TracedTest, ...]
    notes: tuple[str, ...]


class Judgement(Model):
    """What became of one mutant."""

    mutant: int
    verdict: VerdictWord
    """``cold``: it cannot be put in place in a process that has imported its file."""
    test: NodeId
    """The first test that was not green; empty when there was none."""


class JudgeReport(Model):
    """What judging told; a mutant may occur twice, its last judgement counts."""

    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """The tests a search goes by, in one tree that may be dirtied by running them."""

    tree: Path
    failing: tuple[NodeId, ...]
    passing: tuple[NodeId, ...]


class SearchRunner:
    """Gives the jobs of the search to the target's interpreter, one process per job."""

    def __init__(self, runner: PytestRunner, logs: Path) -> None:
        """Run through `runner`'s door; output goes to files in `logs`."""
        self._runner = runner
        self._logs = logs

    def trace(self, suite: Suite, seconds: float) -> TraceReport:
        """Run every test of the suite once under a line tracer.

        Args:
            suite: The tests; each failing one runs in a process of its own.
            seconds: Time for all of it; tests it does not reach are missing from the report.
        """
        answers = self._answers("trace", suite, seconds, {})
        return TraceReport(tests=_traced(answers), notes=_notes(answers))

    def judge(
        self, suite: Suite, mutants: Sequence[Mutant], *, seconds: float, enough: int
    ) -> JudgeReport:
        """Judge mutants in their order: failing tests, then covering ones, up to the first red.

        Args:
            suite: The tests that decide.
            mutants: What to judge.
            seconds: Time for all of it; mutants it does not reach are missing from the report.
            enough: Stop after so many plausible ones.
        """
        asked = {"mutants": [mutant.model_dump(mode="json") for mutant in mutants]}
        answers = self._answers("judge", suite, seconds, {**asked, "enough": enough})
        return JudgeReport(judgements=_judgements(answers), notes=_notes(answers))

    def judge_cold(self, suite: Suite, mutant: Mutant, seconds: float) -> JudgeReport:
        """Judge one mutant in a process that imports the mutated file."""
        asked = {"mutants": [mutant.model_dump(mode="json")]}
        answers = self._answers("cold", suite, seconds, asked)
        return JudgeReport(judgements=_judgements(answers), notes=_notes(answers))

    def _answers(
        self, mode: str, suite: Suite, seconds: float, asked: dict[str, Any]
    ) -> list[dict[str, Any]]:
        scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self._runner.door.owner}-"))
        policy = self._runner.policy
        job = {
            "mode": mode,
            "answers": str(scratch / "answers.jsonl"),
            "scratch": str(scratch),
            "failing": suite.failing,
            "passing": suite.passing,
            "seconds": seconds,
            "test_seconds": min(policy.test_timeout_seconds, max(seconds / 4, 1.0)),
            **asked,
        }
        limit = min(policy.suite_timeout_seconds, seconds * 1.5 + START_SECONDS)
        if mode == "cold":
            limit = min(policy.suite_timeout_seconds, seconds)
        bounded = policy.model_copy(update={"suite_timeout_seconds": limit})
        runner = PytestRunner(replace(self._runner.door, policy=bounded))
        spec = RunSpec(order=OrderKind.GIVEN, tests=(*suite.failing, *suite.passing))
        config = {"plugins": [PLUGIN], "search": job}
        try:
            runner.launch(suite.tree, spec, self._logs / f"search-{mode}.log", config)
            return _read(scratch / "answers.jsonl")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return [{"note": "the target's process ended before it had collected its tests"}]
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]  # the last is empty, or torn by a kill


def _traced(answers: Sequence[Mapping[str, Any]]) -> tuple[TracedTest, ...]:
    """Put together what was told about each test, in the order they began."""
    lines: dict[str, dict[str, set[int]]] = {}
    ends: dict[str, Mapping[str, Any]] = {}
    for answer in answers:
        if "test" not in answer:
            continue
        own = lines.setdefault(answer["test"], {})
        for path, numbers in answer.get("lines", {}).items():
            own.setdefault(path, set()).update(numbers)
        if answer["outcome"] not in {"started", "line"}:
            ends[answer["test"]] = answer
    return tuple(
        TracedTest(
            test=NodeId(test),
            outcome=ends[test]["outcome"],
            seconds=ends[test]["seconds"],
            lines={path: frozenset(numbers) for path, numbers in lines[test].items()},
        )
        for test in lines
        if test in ends
    )


def _judgements(answers: Sequence[Mapping[str, Any]]) -> tuple[Judgement, ...]:
    return tuple(Judgement(**answer) for answer in answers if "mutant" in answer)


def _notes(answers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Say in words what was told beside the results; the same thing once."""
    words = {
        "missing": "not collected in the search",
        "unsteady": "not green in a forked child, left out of the search",
        "green": "green in a forked child, left out of the search",
    }
    notes = [str(answer["note"]) for answer in answers if "note" in answer]
    for answer in answers:
        for key, what in words.items():
            tests = answer.get(key, ())
            if tests:
                shown = ", ".join(tests[:LISTED]) + (", ..." if len(tests) > LISTED else "")
                notes.append(f"{len(tests)} tests {what}: {shown}")
    return tuple(dict.fromkeys(notes))
