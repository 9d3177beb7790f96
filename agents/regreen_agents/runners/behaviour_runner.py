"""Runs of the target that show how rival edits behave on recorded and varied arguments."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from regreen_agents.domain.identity import Model, NodeId
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.runners.pytest_runner import PytestRunner
from regreen_agents.runners.search_session import Answers, SearchSession, read_answers
from regreen_agents.runners.search_words import Mutant, Suite

PLUGIN = "regreen_behaviour"
AS_IT_IS = -1
"""Stands for the code without any edit, where a mutant's id is expected."""
START_SECONDS = 60.0
TEST_SECONDS = 10.0


class FunctionRef(Model):
    """An outermost function of the tree."""

    path: str
    """Relative to the tree, posix."""
    line: int
    """First line, decorators included."""
    names: tuple[str, ...]
    """Enclosing classes, outermost first, then the function."""


class CallInput(Model):
    """Arguments one function was called with, or could be."""

    shown: str
    """The call as a person would write it, bounded."""
    function: int
    """Index of the function."""
    test: NodeId
    """The test it was recorded in; for a varied one, that of its origin."""
    failing: bool
    """Recorded in a failing test."""
    varied: bool
    """Made from recorded ones at random."""
    strange: bool = False
    """Varied, with a trait that no recorded one has: an empty list, a negative number..."""


class Observation(Model):
    """What one call did under one edit."""

    mutant: int
    call: int
    """Index of the input."""
    kind: Literal["returned", "raised", "fuel", "died", "unknown"]
    """``fuel``: it did not end within its bounds; ``unknown``: it could not be called."""
    value: str
    """Stable, bounded description of the result, or ``Type: message``."""
    type: str
    after: str
    """The arguments afterwards; empty when unchanged."""


class BehaviourReport(Model):
    """What was called, and what came out."""

    inputs: tuple[CallInput, ...]
    observations: tuple[Observation, ...]


@dataclass(frozen=True)
class Comparison:
    """What to compare, and how much of it."""

    functions: tuple[FunctionRef, ...]
    """Whose arguments are recorded, and which are called."""
    mutants: tuple[Mutant, ...]
    per_function: int = 40
    """At most so many recorded inputs of failing, and of passing tests."""
    varied: int = 120
    """At most so many varied inputs per function."""
    seed: int = 0


class BehaviourRunner:
    """Gives comparisons to the target's interpreter: to a session, where one is open."""

    def __init__(self, runner: PytestRunner, logs: Path) -> None:
        """Run through `runner`'s door; output goes to files in `logs`."""
        self._runner = runner
        self._logs = logs
        self.session: SearchSession | None = None
        """While it is open, comparisons go to it."""

    def compare(self, suite: Suite, asked: Comparison, *, seconds: float) -> BehaviourReport:
        """Record arguments while the suite runs on the code as it is, vary them, call every edit.

        The same tree and seed give the same inputs; a call is bounded by lines run, so that a hang
        ends at the same place on every machine.

        Args:
            suite: Tests to record in; the failing ones are run first.
            asked: Functions and edits.
            seconds: Time for all of it; what is not reached is missing from the report.
        """
        scratch = Path(tempfile.mkdtemp(prefix=f"regreen-{self._runner.door.owner}-"))
        job = {
            "answers": str(scratch / "answers.jsonl"),
            "scratch": str(scratch),
            "failing": suite.failing,
            "passing": suite.passing,
            "seconds": seconds,
            "test_seconds": min(self._runner.policy.test_timeout_seconds, TEST_SECONDS),
            "functions": [one.model_dump(mode="json") for one in asked.functions],
            "mutants": [one.model_dump(mode="json") for one in asked.mutants],
            "per_function": asked.per_function,
            "varied": asked.varied,
            "seed": asked.seed,
        }
        try:
            return _report(self._answers(suite, job, seconds))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _answers(self, suite: Suite, job: Mapping[str, Any], seconds: float) -> Answers:
        limit = min(self._runner.policy.suite_timeout_seconds, seconds * 1.5 + START_SECONDS)
        if self.session is not None:
            told = self.session.answers({"behaviour": job}, suite, limit)
            if told is not None:
                return told
        bounded = self._runner.policy.model_copy(update={"suite_timeout_seconds": limit})
        runner = PytestRunner(replace(self._runner.door, policy=bounded))
        spec = RunSpec(order=OrderKind.GIVEN, tests=(*suite.failing, *suite.passing))
        config = {"plugins": [PLUGIN], "behaviour": dict(job)}
        runner.launch(suite.tree, spec, self._logs / "search-behaviour.log", config)
        return read_answers(Path(job["answers"]))


def _report(answers: Answers) -> BehaviourReport:
    inputs = [one for answer in answers for one in answer.get("inputs", ())]
    seen = [answer for answer in answers if "mutant" in answer]
    return BehaviourReport(
        inputs=tuple(CallInput.model_validate(one) for one in inputs),
        observations=tuple(Observation.model_validate(one) for one in seen),
    )
