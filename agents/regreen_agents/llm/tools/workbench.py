"""What the tools of one conversation share: a laboratory, the tree as it stands, kept outputs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from regreen_agents.domain.findings import Cluster, Evidence, Novelty, TestSignature
from regreen_agents.domain.identity import ClusterId
from regreen_agents.domain.plans import Plan
from regreen_agents.errors import RegreenError, StoppedError
from regreen_agents.lab.lab import Lab
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.elision import TEXT_LIMIT, Outputs
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.tools.base import ToolAnswer, ToolProblemError
from regreen_agents.llm.tools.stable import stable
from regreen_agents.runners.process import Stopper
from regreen_agents.workspace.patching import apply_edits

FOLDER = "tool-output"
"""Below the laboratory's logs."""


def _none_yet() -> Sequence[Evidence]:
    return ()


@dataclass(frozen=True)
class Toolbench:
    """Where the tools of one agent work; for one conversation."""

    lab: Lab
    git_folder: Path
    """The worktree's top folder, around the project's."""
    cluster: Cluster
    """Its members are the tests that experiments on order may ask about."""
    evidence: Callable[[], Sequence[Evidence]] = _none_yet
    """All experiments of the conversation so far, in the order of their numbers, E1 first."""
    draft: Draft | None = None
    """What an implementer has written; None for an explorer."""
    stopper: Stopper = field(default_factory=Stopper)
    owner: str = "model-tools"
    """Marks processes the tools start by themselves."""

    @cached_property
    def tree(self) -> Confined:
        """The project's folder, confined."""
        return Confined(self.lab.bench.project)

    @cached_property
    def outputs(self) -> Outputs:
        """Where long answers are kept whole."""
        return Outputs(self.lab.bench.logs / FOLDER)

    @property
    def prefix(self) -> str:
        """The project's folder below the worktree's, posix; empty for the same."""
        inner = self.lab.bench.project.resolve().relative_to(self.git_folder.resolve()).as_posix()
        return "" if inner == "." else inner

    def answer(
        self, text: str, evidence: Sequence[Evidence] = (), *, limit: int = TEXT_LIMIT
    ) -> ToolAnswer:
        """Return an answer: without this machine's paths, clean, and bounded."""
        told = self.outputs.bounded(self.placeless(text), limit)
        pages = tuple(
            page.model_copy(update={"output": self.placeless(page.output)}) for page in evidence
        )
        return ToolAnswer(text=told, evidence=pages)

    def shown(self, text: str) -> ToolAnswer:
        """Return an answer of the repository's own text: clean and bounded, else as it is."""
        return ToolAnswer(self.outputs.bounded(text))

    def problem(self, error: RegreenError) -> ToolProblemError:
        """Return an error in words for the model."""
        said = " ".join(part for part in (error.what, error.why) if part)
        return ToolProblemError(self.answer(said, limit=2000).text)

    def placeless(self, text: str) -> str:
        """Return a text without this machine's paths: the same on every machine."""
        return stable(text, self.lab).replace(str(self.git_folder), "<worktree>")

    @contextmanager
    def experimenting(self) -> Iterator[Lab]:
        """Give a laboratory whose tree has the draft; the tree is as committed afterwards.

        Raises:
            ToolProblemError: An experiment gave no usable answer, or none is allowed any more.
            StoppedError: The sprint was asked to stop.
        """
        lab = self._with_draft()
        try:
            try:
                yield lab
            finally:
                self.lab.runs_made, self.lab.latest = lab.runs_made, lab.latest
                self.lab.bench.reset()
        except StoppedError:
            raise
        except RegreenError as error:
            raise self.problem(error) from error

    def _with_draft(self) -> Lab:
        edits = self.draft.edits() if self.draft is not None else ()
        if not edits:
            return self.lab
        bench = self.lab.bench

        def with_edits() -> None:
            bench.reset()
            apply_edits(bench.project, edits)

        allowed = self.lab.runs_made + self.lab.runs_left
        edited = Lab(replace(bench, reset=with_edits), self.lab.measured, max_runs=allowed)
        edited.runs_made = self.lab.runs_made
        return edited


def cluster_of(plan: Plan, signatures: Sequence[TestSignature]) -> Cluster:
    """Return a plan's tests as a cluster, for tools that examine its members."""
    victims = set(plan.finding.victims)
    return Cluster(
        id=ClusterId(plan.cluster),
        title=plan.title,
        signature="",
        frame="",
        members=tuple(s for s in signatures if s.node_id in victims),
        novelty=Novelty.UNKNOWN,
    )
