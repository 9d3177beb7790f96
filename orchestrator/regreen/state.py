"""The graph's state: plain JSON, ids and numbers; all else lies in the sprint's folder."""

import operator
from typing import Annotated, TypedDict

SCHEMA_VERSION = 1


class SprintState(TypedDict, total=False):
    """What the graph carries from node to node."""

    schema_version: int
    sprint: str
    base: str
    """Commit the next gate stands on; moves when the target branch moves."""
    clusters: list[str]
    explored: Annotated[list[str], operator.add]
    """Plans explored, as they finish; repeated after a kill."""
    implemented: Annotated[list[str], operator.add]
    gate_round: int
    """Verdicts so far."""
    verdict: str
    """Kind of the last verdict, or ``none`` when no change was left to gate."""
    excluded: list[str]
    """Plans whose commits a person rejected."""
    merged: str
    """``merged``, ``moved``, or empty."""


class ClusterTask(TypedDict):
    """What one explorer is sent."""

    cluster: str
    plan: str


class PlanTask(TypedDict):
    """What one implementer is sent."""

    plan: str


def initial(sprint: str, base: str) -> SprintState:
    """Return the state a sprint begins with."""
    return SprintState(
        schema_version=SCHEMA_VERSION,
        sprint=sprint,
        base=base,
        clusters=[],
        explored=[],
        implemented=[],
        gate_round=0,
        verdict="",
        excluded=[],
        merged="",
    )
