"""The engine that thinks with a language model: our tool loop over the lab and a draft."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Cluster
from regreen_agents.domain.model_settings import Effort
from regreen_agents.domain.plans import Plan, Refusal, refusal_of
from regreen_agents.engines.briefs import cluster_brief, plan_brief
from regreen_agents.engines.change_finisher import FINISH, GIVE_UP, ChangeFinisher
from regreen_agents.engines.plan_finisher import PROPOSE, REFUSE, PlanFinisher
from regreen_agents.explore import Assignment, refusal_in
from regreen_agents.implement import Workshop, implement, refusal_after
from regreen_agents.lab.lab import Lab
from regreen_agents.llm.compaction import Summariser
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.estimate import least_usage
from regreen_agents.llm.evidence_book import EvidenceBook
from regreen_agents.llm.journal import Journal, Journalled
from regreen_agents.llm.loop import Assignment as Errand
from regreen_agents.llm.loop import Channel, Ended, Limits, Loop
from regreen_agents.llm.messages import Usage
from regreen_agents.llm.paths import Confined
from regreen_agents.llm.protocol import Caller, LanguageModel
from regreen_agents.llm.tape_format import LabLog, NoLabLog, NoToolLog, ToolLog
from regreen_agents.llm.tools.base import Tool
from regreen_agents.llm.tools.toolbox import explorer_tools, implementer_tools
from regreen_agents.llm.tools.workbench import Toolbench, cluster_of
from regreen_agents.repair.means import COMMAND, MODEL
from regreen_agents.runners.process import Stopper
from regreen_prompts.renderer import render

HELP = "A person, or another model; `regreen sprint` again asks anew"


@dataclass(frozen=True)
class Role:
    """Which model does a kind of work, and how hard it thinks."""

    model: str
    effort: Effort | None = None


@dataclass(frozen=True)
class ModelRooms:
    """What a model engine works with, besides the lab."""

    model: LanguageModel
    roles: Mapping[str, Role]
    """``explore``, ``implement``, ``summarise``."""
    journals: Path
    """Folder of the conversations' journals."""
    stopper: Stopper
    """Ends what runs, and calls that wait, once the sprint is to stop."""
    owner: str
    """Marks the processes that tools start."""
    prefix: str = ""
    """The project's folder below a worktree's top, posix."""
    tape: ToolLog = field(default_factory=NoToolLog)
    lab_log: LabLog = field(default_factory=NoLabLog)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class ModelEngine:
    """Explores and implements by conversation; what it says is run before it is believed."""

    rooms: ModelRooms
    name: str = "claude"

    def explore(self, cluster: Cluster, lab: Lab, assignment: Assignment) -> Plan | Refusal:
        """Have a model examine the cluster with read-only tools; see `Engine`."""
        return self.examine(cluster, lab, assignment, None)

    def examine(
        self, cluster: Cluster, lab: Lab, assignment: Assignment, earlier: Refusal | None
    ) -> Plan | Refusal:
        """Explore with what another engine found and why it refused."""
        lab.bench.reset()
        book = EvidenceBook(earlier.evidence if earlier else ())
        finisher = PlanFinisher(cluster, lab, assignment, book, self.rooms.lab_log)
        bench = self._bench(lab, cluster, book)
        tools = (*explorer_tools(bench), *finisher.tools())
        agent = f"explore-{cluster.id}"
        errand = self._errand(
            _caller("explore", agent, self.rooms.stopper, after_another=earlier is not None),
            (render("model_explore"), bench.placeless(cluster_brief(cluster, book, earlier))),
            (tools, frozenset({PROPOSE, REFUSE})),
            lambda: finisher.result is not None,
        )
        # Asked for a second opinion, too, the same agent begins another conversation.
        ended = self._converse(errand, book, lab, f"{agent}-informed" if earlier else agent)
        if finisher.result is not None:
            return finisher.result
        refusal = refusal_in(cluster, assignment, _reason(ended), ended.fix or HELP)
        return refusal.model_copy(update={"evidence": book.pages})

    def implement(self, plan: Plan, workshop: Workshop) -> Change | Refusal:
        """Carry out the chosen option: a recipe or exact edits without a word, else by a model."""
        recipe = plan.option().recipe
        if recipe == MODEL:
            return self.carry_out(plan, workshop, ())
        if recipe.partition(":")[0] == COMMAND:
            reason = f"The plan names a command ({recipe}), and not {self.name}."
            return refusal_of(plan, reason, ("Another option, or a sprint with that engine.",))
        return implement(plan, workshop)

    def carry_out(
        self, plan: Plan, workshop: Workshop, earlier: tuple[Attempt, ...]
    ) -> Change | Refusal:
        """Have a model write the change, after what another engine tried for the same plan."""
        workshop.lab.bench.reset()
        book = EvidenceBook()
        draft = Draft(Confined(workshop.project), plan.scope)
        finisher = ChangeFinisher(plan, workshop, draft, earlier)
        cluster = cluster_of(plan, workshop.signatures)
        bench = replace(self._bench(workshop.lab, cluster, book), draft=draft)
        tools = (*implementer_tools(bench, plan, workshop.signatures), *finisher.tools())
        agent = f"implement-{plan.id}"
        errand = self._errand(
            _caller("implement", agent, self.rooms.stopper, after_another=bool(earlier)),
            (render("model_implement"), bench.placeless(plan_brief(plan, earlier))),
            (tools, frozenset({FINISH, GIVE_UP})),
            lambda: finisher.result is not None,
        )
        ended = self._converse(errand, book, workshop.lab, agent)
        if finisher.result is not None:
            return finisher.result
        refusal = refusal_after(plan, finisher.attempts)
        reason = f"{_reason(ended)} {refusal.reason}" if finisher.attempts else _reason(ended)
        return refusal.model_copy(update={"reason": reason, "needs": (ended.fix or HELP,)})

    def _bench(self, lab: Lab, cluster: Cluster, book: EvidenceBook) -> Toolbench:
        top = lab.bench.project
        for _ in PurePosixPath(self.rooms.prefix).parts:
            top = top.parent
        return Toolbench(
            lab=lab,
            git_folder=top,
            cluster=cluster,
            evidence=lambda: book.pages,
            stopper=self.rooms.stopper,
            owner=self.rooms.owner,
        )

    def _errand(
        self,
        caller: Caller,
        words: tuple[str, str],
        tools: tuple[tuple[Tool[Any], ...], frozenset[str]],
        is_finished: Callable[[], bool],
    ) -> Errand:
        role = self.rooms.roles[caller.role]
        return Errand(
            caller=caller,
            model=role.model,
            effort=role.effort,
            system=words[0],
            opening=words[1],
            tools=tools[0],
            finishing=tools[1],
            is_finished=is_finished,
        )

    def _converse(self, errand: Errand, book: EvidenceBook, lab: Lab, kept: str) -> Ended:
        rooms = self.rooms
        journal = Journal(rooms.journals / f"{kept}.jsonl")
        model = Journalled(rooms.model, journal)
        role = rooms.roles["summarise"]
        summariser = Summariser(model, role.model, role.effort)
        lab.bench.note(f"asks {errand.model}")
        channel = Channel(model, summariser, journal, rooms.tape)
        timed = replace(errand, seconds_left=lab.bench.seconds_left)
        return Loop(timed, channel, book, rooms.limits).run()


def _caller(role: str, agent: str, stopper: Stopper, *, after_another: bool) -> Caller:
    """Return who asks; after another engine a conversation is begun only if it can be paid for."""
    expected = least_usage(role) if after_another else Usage()
    return Caller(agent, role, stopper.check, least=expected)


def _reason(ended: Ended) -> str:
    said = f" Its last words: {ended.last_words}" if ended.last_words else ""
    return f"{ended.reason}{said}"
