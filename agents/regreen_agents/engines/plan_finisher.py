"""From a model's proposal to a plan: every claim is checked, and the failure is run again."""

from collections import Counter
from collections.abc import Sequence

from regreen_agents.domain.findings import Cluster, Evidence, Finding, SourceLocation
from regreen_agents.domain.identity import NodeId, canonical_json, digest_of
from regreen_agents.domain.plans import Plan, PlanOption, Refusal, Task
from regreen_agents.domain.risk import risk_of
from regreen_agents.domain.runs import OrderKind, Outcome, RunSpec, SuiteRun
from regreen_agents.engines.option_finisher import options_of
from regreen_agents.engines.proposal_checks import (
    Known,
    files_in,
    locations_of,
    name_problems,
    scope_of,
)
from regreen_agents.engines.proposals import PlanProposal, RefusalProposal
from regreen_agents.explore import (
    Assignment,
    prediction_of,
    refusal_in,
    validation_commands,
)
from regreen_agents.lab.lab import Lab, evidence_of, is_red
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.tape_format import LabLog, NoLabLog
from regreen_agents.llm.taped import taped
from regreen_agents.llm.tools.base import Tool, ToolAnswer, ToolProblemError

PROPOSE = "propose_plan"
REFUSE = "refuse"
SHOWN_AGAIN = "Does it fail as the plan says?"
DIGEST_LENGTH = 16
"""Hexadecimal digits that tell the runs of one conversation apart."""


class PlanFinisher:
    """Takes what an explorer finishes with; holds the plan or the refusal once it is valid."""

    def __init__(
        self,
        cluster: Cluster,
        lab: Lab,
        assignment: Assignment,
        book: EvidenceBook,
        log: LabLog | None = None,
    ) -> None:
        """Prepare for one cluster; the lab's tree must be the untouched base."""
        self.result: Plan | Refusal | None = None
        self._lab = lab
        self._assignment = assignment
        self._known = Known(cluster, lab.measured, book)
        self._log = log or NoLabLog()
        self._claims: Counter[str] = Counter()

    def tools(self) -> tuple[Tool[PlanProposal], Tool[RefusalProposal]]:
        """Return the two ways to finish."""
        return (
            Tool(
                PROPOSE,
                "Finish with a plan. regreen checks every part and runs the failure again.",
                PlanProposal,
                self._propose,
            ),
            Tool(
                REFUSE,
                "Finish without a plan: say what was tried and what would help.",
                RefusalProposal,
                self._refuse,
            ),
        )

    def _refuse(self, asked: RefusalProposal) -> ToolAnswer:
        refusal = refusal_in(self._known.cluster, self._assignment, asked.reason, asked.needs[0])
        told = {"needs": asked.needs, "evidence": self._known.book.pages}
        self.result = refusal.model_copy(update=told)
        return ToolAnswer("Taken.")

    def _propose(self, asked: PlanProposal) -> ToolAnswer:
        tree = Confined(self._lab.bench.project)
        scope, out = scope_of(asked, tree)
        asked = asked.model_copy(update={"scope": scope})
        places, nowhere = locations_of(asked, tree)
        claimed = self._finding(asked, places)
        options, wrong = options_of(asked, claimed, self._lab.bench.project)
        problems = [*name_problems(asked, self._known), *out, *nowhere, *wrong]
        if problems:
            raise ToolProblemError("\n".join(["The plan cannot be taken:", *problems]))
        finding = claimed.model_copy(update={"evidence": self._shown(asked)})
        self.result = self._plan(asked, options, finding)
        return ToolAnswer("Taken.")

    def _victims(self, asked: PlanProposal) -> tuple[NodeId, ...]:
        return asked.victims or self._known.members

    def _shown(self, asked: PlanProposal) -> tuple[Evidence, ...]:
        """Return the cited pages after the failure itself, run again.

        Raises:
            ToolProblemError: It does not fail so, and did not in the baseline either.
        """
        victim = asked.replay[-1] if asked.replay else self._victims(asked)[0]
        spec = RunSpec(
            order=OrderKind.GIVEN,
            tests=asked.replay or (victim,),
            hash_seed=asked.hash_seed,
            random_seed=asked.random_seed,
        )
        run = self._run(spec)
        cited = [page for name in asked.evidence if (page := self._known.book.page(name))]
        outcome = run.outcome_of(victim)
        if outcome is not None and outcome.is_red:
            self._require_polluted(asked, victim)
            page = evidence_of(SHOWN_AGAIN, run, victim, f"{victim} fails, run again by regreen.")
            return (page, *cited)
        claimed = bool(asked.replay) or asked.random_seed is not None or asked.hash_seed != "0"
        if claimed or not self._was_red(victim):
            raise ToolProblemError(
                f"regreen ran it again, and {victim} {_ended(outcome)} there. Give in `replay`, "
                "`hash_seed` and `random_seed` the run in which it fails, or refuse."
            )
        return tuple(cited)

    def _require_polluted(self, asked: PlanProposal, victim: NodeId) -> None:
        """Refuse polluters of a test that fails without them, too.

        Raises:
            ToolProblemError: It does.
        """
        if not asked.polluters:
            return
        spec = RunSpec(
            order=OrderKind.GIVEN,
            tests=(victim,),
            hash_seed=asked.hash_seed,
            random_seed=asked.random_seed,
        )
        if is_red(self._run(spec).outcome_of(victim)):
            raise ToolProblemError(
                f"- polluters: {victim} fails alone, too, so that no other test is to blame. Leave "
                "`polluters` empty, or find the run in which it passes without them."
            )

    def _run(self, spec: RunSpec) -> SuiteRun:
        """Run what a proposal claims; a replay takes what its recording saw."""
        told = digest_of(canonical_json(spec)).removeprefix("sha256:")[:DIGEST_LENGTH]
        name = f"claim {self._assignment.plan} {self._assignment.engine} {told}"
        number = self._claims[name]
        self._claims[name] += 1

        def measure() -> SuiteRun:
            return self._lab.run(spec).model_copy(update={"log_path": ""})

        return taped(self._log, name, SuiteRun, measure, number)

    def _was_red(self, test: NodeId) -> bool:
        """Whether a full run of the baseline saw it red: then it may be by chance."""
        return any(
            r.outcome.is_red
            for run in self._lab.measured.runs
            for r in run.results
            if r.node_id == test
        )

    def _plan(self, asked: PlanProposal, options: Sequence[PlanOption], finding: Finding) -> Plan:
        assignment = self._assignment
        chosen = options[asked.recommended - 1]
        edited = tuple(edit.path for edit in chosen.edits)
        risk, reason = risk_of(
            edited or files_in(asked.scope, self._lab.bench.project), assignment.risk
        )
        return Plan(
            id=assignment.plan,
            sprint=assignment.sprint,
            cluster=self._known.cluster.id,
            title=asked.title,
            engine=assignment.engine,
            finding=finding,
            strategy=asked.strategy,
            options=tuple(options),
            recommended=chosen.key,
            tasks=_tasks(asked, chosen, assignment, len(finding.victims)),
            scope=asked.scope,
            risk=risk,
            risk_reason=reason,
            validation=validation_commands(finding, self._lab),
            prediction=prediction_of(finding, assignment, chosen),
            owner=assignment.owner,
        )

    def _finding(self, asked: PlanProposal, places: tuple[SourceLocation, ...]) -> Finding:
        victims = self._victims(asked)
        members = self._known.cluster.members
        first = next((m for m in members if m.node_id == victims[0]), None)
        return Finding(
            cluster=self._known.cluster.id,
            category=asked.category,
            cause=asked.cause,
            summary=asked.summary,
            victims=victims,
            polluters=asked.polluters,
            locations=places,
            replay=asked.replay,
            hash_seed=asked.hash_seed,
            random_seed=asked.random_seed,
            flake_rate=first.flake_rate if first else None,
            failure=first.failure if first else None,
        )


def _ended(outcome: Outcome | None) -> str:
    if outcome is None or outcome is Outcome.NOT_RUN:
        return "did not run"
    return "passes" if outcome is Outcome.PASSED else f"is {outcome.value}"


def _tasks(
    asked: PlanProposal, option: PlanOption, assignment: Assignment, red: int
) -> tuple[Task, ...]:
    places = [(e.path, f"{e.path}:{e.line} {option.title}") for e in option.edits]
    places = places or [(path, option.title) for path in asked.scope[:1]]
    return tuple(
        Task(
            role=f"implementer({assignment.plan}: {option.title})",
            file=path,
            change=change,
            validation="the tests of this cluster, their file, and the tests that share state",
            expected=f"{red} red -> 0 red",
        )
        for path, change in places
    )
