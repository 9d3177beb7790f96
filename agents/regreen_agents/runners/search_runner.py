"""Runs of the target for the repair search: trace its tests, judge mutants of its code."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.search_session import (
    PLUGIN,
    SearchSession,
    SessionUser,
    read_answers,
)
from regreen_agents.runners.search_words import (
    CodeUnit,
    Judgement,
    JudgeReport,
    Mutant,
    Suite,
    TracedTest,
    TraceReport,
    VerdictWord,
)

__all__ = [
    "CodeUnit",
    "JudgeReport",
    "Judgement",
    "Mutant",
    "SearchRunner",
    "Suite",
    "TraceReport",
    "TracedTest",
    "VerdictWord",
]

LISTED = 5
START_SECONDS = 60.0
"""What collection may take on top of the time a job is given."""


class SearchRunner:
    """Gives the jobs of the search to the target's interpreter: to a session, where one is open."""

    def __init__(self, runner: PytestRunner, logs: Path) -> None:
        """Run through `runner`'s door; output goes to files in `logs`."""
        self._runner = runner
        self._logs = logs
        self.session: SearchSession | None = None
        """While it is open, jobs on code that is imported already go to it."""

    @contextmanager
    def opened(self, suite: Suite, *others: SessionUser) -> Iterator[None]:
        """Have one process of the target for many jobs on tests of this suite.

        Args:
            suite: All tests that the jobs may name.
            others: Runners that are to use the same process.
        """
        with SearchSession(self._runner, suite, self._logs) as session:
            users = (self, *others)
            for user in users:
                user.session = session
            try:
                yield
            finally:
                for user in users:
                    user.session = None

    def trace(self, suite: Suite, seconds: float) -> TraceReport:
        """Run every test of the suite once under a line tracer.

        Args:
            suite: The tests; each failing one runs in a process of its own.
            seconds: Time for all of it; tests it does not reach are missing from the report.
        """
        answers = self._answers("trace", suite, seconds, {})
        return TraceReport(tests=_traced(answers), notes=_notes(answers))

    def judge(  # noqa: PLR0913 - the bounds are keywords with defaults
        self,
        suite: Suite,
        mutants: Sequence[Mutant],
        *,
        seconds: float,
        enough: int,
        ticks: int | None = None,
        workers: int | None = None,
        every_failing: bool = False,
    ) -> JudgeReport:
        """Judge mutants in their order: failing tests, then covering ones, up to the first red.

        A tick is one loop iteration or one function entry in the mutants' files; beginning a test
        counts 1,000. The same mutants and ticks give the same report on any machine, as long as
        the time suffices.

        Args:
            suite: The tests that decide.
            mutants: What to judge, most promising first.
            seconds: Time for all of it; mutants it does not reach are missing from the report.
            enough: Stop after so many plausible ones.
            ticks: Stop where the mutants so far used up so many; None for no such limit.
            workers: Processes at a time, by default one per usable core. It changes no verdict.
            every_failing: Run every failing test on each mutant, so that `Judgement.green` counts
                all it turns green.
        """
        asked = {
            "mutants": [mutant.model_dump(mode="json") for mutant in mutants],
            "enough": enough,
            "ticks": ticks,
            "workers": workers,
            "every_failing": every_failing,
        }
        report = _judged(self._answers("judge", suite, seconds, asked))
        cold = {one.mutant for one in report.judgements if one.verdict == "cold"}
        if cold and self.session is not None:  # what only processes forked before collection can do
            left = [mutant.model_dump(mode="json") for mutant in mutants if mutant.id in cold]
            own = self._answers("judge", suite, seconds, {**asked, "mutants": left}, alone=True)
            report = joined(report, _judged(own))
        return report

    def judge_cold(self, suite: Suite, mutant: Mutant, seconds: float) -> JudgeReport:
        """Judge one mutant in a process that imports the mutated file."""
        asked = {"mutants": [mutant.model_dump(mode="json")]}
        return _judged(self._answers("cold", suite, seconds, asked))

    def _answers(
        self, mode: str, suite: Suite, seconds: float, asked: dict[str, Any], *, alone: bool = False
    ) -> list[dict[str, Any]]:
        scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self._runner.door.owner}-"))
        policy = self._runner.policy
        job = {
            "mode": mode,
            "answers": str(scratch / "answers.jsonl"),
            "scratch": str(scratch),
            "failing": suite.failing,
            "passing": suite.passing,
            "endless": suite.endless,
            "seconds": seconds,
            "test_seconds": min(policy.test_timeout_seconds, max(seconds / 4, 1.0)),
            **asked,
        }
        try:
            alone = (
                alone or mode == "cold" or any(m["unit"] is None for m in job.get("mutants", ()))
            )
            told = None if alone else self._in_session(suite, job)
            return self._in_own_process(suite, job) if told is None else told
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _in_session(self, suite: Suite, job: dict[str, Any]) -> list[dict[str, Any]] | None:
        if self.session is None:
            return None
        limit = job["seconds"] * 1.5 + START_SECONDS
        return self.session.answers({"search": job}, suite, limit)

    def _in_own_process(self, suite: Suite, job: dict[str, Any]) -> list[dict[str, Any]]:
        is_cold, policy = job["mode"] == "cold", self._runner.policy
        limit = job["seconds"] if is_cold else job["seconds"] * 1.5 + START_SECONDS
        limit = min(policy.suite_timeout_seconds, limit)
        bounded = policy.model_copy(update={"suite_timeout_seconds": limit})
        runner = PytestRunner(replace(self._runner.door, policy=bounded))
        spec = RunSpec(order=OrderKind.GIVEN, tests=(*suite.failing, *suite.passing))
        config = {"plugins": [PLUGIN], "search": job}
        runner.launch(suite.tree, spec, self._logs / f"search-{job['mode']}.log", config)
        lost = "the target's process ended before it had collected its tests"
        return read_answers(Path(job["answers"])) or [{"note": lost}]


def joined(first: JudgeReport, second: JudgeReport) -> JudgeReport:
    """Return a report with some of its judgements made anew."""
    again = {one.mutant: one for one in second.judgements}
    return first.model_copy(
        update={
            "judgements": tuple(again.get(one.mutant, one) for one in first.judgements),
            "notes": tuple(dict.fromkeys((*first.notes, *second.notes))),
            "ticks": first.ticks + second.ticks,
        }
    )


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


def _judged(answers: Sequence[Mapping[str, Any]]) -> JudgeReport:
    """Put the verdicts together; that on a mutant that got a second chance is its last."""
    last = {answer["mutant"]: Judgement(**answer) for answer in answers if "mutant" in answer}
    ended = next((answer["ended"] for answer in answers if "ended" in answer), "seconds")
    baseline = next((answer["baseline"] for answer in answers if "baseline" in answer), None)
    return JudgeReport(
        judgements=tuple(last.values()),
        notes=_notes(answers),
        ticks=sum(one.ticks for one in last.values()),
        ended=ended,
        baseline=None if baseline is None else Judgement(**baseline),
    )


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
            if tests and isinstance(tests, list):
                shown = ", ".join(tests[:LISTED]) + (", ..." if len(tests) > LISTED else "")
                notes.append(f"{len(tests)} tests {what}: {shown}")
    return tuple(dict.fromkeys(notes))
