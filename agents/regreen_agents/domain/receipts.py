"""Digest-bound statements of what ran, in the shape of an in-toto Statement v1."""

from typing import Literal

from pydantic import Field

from regreen_agents.domain.identity import Digest, Model, PlanId
from regreen_agents.domain.verdicts import VerdictKind


class HostFingerprint(Model):
    """The machine a run was made on (R11, R32)."""

    system: str
    machine: str
    cpu: str
    cores: int
    memory_mib: int
    python: str
    target_python: str
    pytest: str
    git: str


class RunRecord(Model):
    """One run the verdict rests on."""

    command: str
    order: str
    seed: int | None
    exit_code: int | None
    counts: dict[str, int]
    collected: int
    log: str
    log_digest: Digest
    results: str
    results_digest: Digest


class Predicate(Model):
    """The claim itself."""

    verdict: VerdictKind
    reason: str
    base: str
    head: str
    plans: tuple[PlanId, ...]
    runs: tuple[RunRecord, ...] = Field(min_length=1)
    newly_failing: int
    vanished: int
    newly_skipped: int
    fixed: int
    host: HostFingerprint
    made_at: str
    """UTC, ISO 8601."""


class Subject(Model):
    """What the statement is about: one git tree."""

    name: Literal["tree"] = "tree"
    digest: dict[Literal["gitTree"], str]


class Receipt(Model):
    """An in-toto Statement about one tree."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type"
    )
    subject: tuple[Subject, ...] = Field(min_length=1, max_length=1)
    predicate_type: Literal["https://regreen.dev/gate-receipt/v1"] = Field(
        default="https://regreen.dev/gate-receipt/v1", alias="predicateType"
    )
    predicate: Predicate

    @property
    def tree(self) -> str:
        """The git tree it vouches for."""
        return self.subject[0].digest["gitTree"]
