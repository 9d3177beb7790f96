"""The sprint on one page: stages, fan-outs, the two doors, and the ways back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from regreen.nodes import approve as approve_node
from regreen.nodes import baseline as baseline_node
from regreen.nodes import consolidate as consolidate_node
from regreen.nodes import explore as explore_node
from regreen.nodes import gate as gate_node
from regreen.nodes import implement as implement_node
from regreen.nodes import merge as merge_node
from regreen.nodes import report as report_node
from regreen.nodes import review as review_node
from regreen.nodes import triage as triage_node
from regreen.nodes.site import Site
from regreen.state import ClusterTask, PlanTask, SprintState
from regreen.store import documents
from regreen_agents.domain.verdicts import VerdictKind

Compiled = CompiledStateGraph[SprintState, None, SprintState, SprintState]
RECURSION_LIMIT = 200


def build(site: Site, checkpoints: BaseCheckpointSaver[Any]) -> Compiled:
    """Return the graph of one sprint, its nodes bound to the sprint's site."""
    graph = StateGraph(SprintState)
    graph.add_node("baseline", _Bound(baseline_node.baseline, site))
    graph.add_node("triage", _Bound(triage_node.triage, site))
    graph.add_node("explore", _Bound(explore_node.explore, site), input_schema=ClusterTask)
    graph.add_node("consolidate", _Bound(consolidate_node.consolidate, site))
    graph.add_node("review", _Bound(review_node.review, site))
    graph.add_node("implement", _Bound(implement_node.implement, site), input_schema=PlanTask)
    graph.add_node("gate", _Bound(gate_node.gate, site))
    graph.add_node("approve", _Bound(approve_node.approve, site))
    graph.add_node("merge", _Bound(merge_node.merge, site))
    graph.add_node("report", _Bound(report_node.report, site))

    graph.add_edge(START, "baseline")
    graph.add_edge("baseline", "triage")
    graph.add_conditional_edges("triage", _to_explorers, ["explore", "report"])
    graph.add_edge("explore", "consolidate")
    graph.add_conditional_edges("consolidate", _to_review(site), ["review", "report"])
    graph.add_conditional_edges("review", _to_implementers(site), ["implement", "review", "report"])
    graph.add_edge("implement", "gate")
    graph.add_conditional_edges("gate", _to_approval, ["approve", "report"])
    graph.add_conditional_edges("approve", _to_merge(site), ["merge", "gate", "approve", "report"])
    graph.add_conditional_edges("merge", _after_merge, ["report", "gate"])
    graph.add_edge("report", END)
    return graph.compile(checkpointer=checkpoints)


S = TypeVar("S", SprintState, ClusterTask, PlanTask)


@dataclass(frozen=True)
class _Bound(Generic[S]):
    """A node with the site it works on."""

    node: Callable[[S, Site], SprintState]
    site: Site

    def __call__(self, state: S) -> SprintState:
        return self.node(state, self.site)


def _to_explorers(state: SprintState) -> list[Send] | str:
    """One explorer per cluster; an empty fan-out would end the graph in silence."""
    clusters = state.get("clusters", [])
    if not clusters:
        return "report"
    return [
        Send("explore", ClusterTask(cluster=c, plan=explore_node.plan_of_cluster(c)))
        for c in clusters
    ]


def _to_review(site: Site) -> Callable[[SprintState], str]:
    def route(_state: SprintState) -> str:
        return "review" if documents.plan_ids(site.folder) else "report"

    return route


def _to_implementers(site: Site) -> Callable[[SprintState], list[Send] | str]:
    def route(_state: SprintState) -> list[Send] | str:
        if review_node.undecided(site):
            return "review"
        plans = review_node.approved(site)
        return [Send("implement", PlanTask(plan=p)) for p in plans] or "report"

    return route


def _to_approval(state: SprintState) -> str:
    return "approve" if state.get("verdict") == VerdictKind.PASS.value else "report"


def _to_merge(site: Site) -> Callable[[SprintState], str]:
    def route(state: SprintState) -> str:
        verdict = site.folder.load_verdict()
        if verdict is None:
            return "report"
        said = [approve_node.commit_decision(site.folder, verdict, p) for p in verdict.train]
        if None in said:
            return "approve"
        left = [p for p in verdict.train if p not in state.get("excluded", [])]
        if not left:
            return "report"
        return "merge" if len(left) == len(verdict.train) else "gate"

    return route


def _after_merge(state: SprintState) -> str:
    return "gate" if state.get("merged") == merge_node.MOVED else "report"
