"""The files of one sprint, each with its place and its model."""

from pathlib import Path
from typing import Literal

from regreen.store.codec import (
    append_model,
    find_model,
    load_model,
    missing,
    read_models,
    save_model,
)
from regreen.store.durable import damaged, unreadable, write_atomically
from regreen.store.names import confined, file_name, is_plan_id, plan_id, plan_order
from regreen.store.record import AgentRecord, Baseline, MergeResult, SprintInfo, Triage
from regreen_agents.domain.changes import Attempt, Change
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import Model, PlanId
from regreen_agents.domain.plans import Refusal
from regreen_agents.domain.runs import SuiteRun
from regreen_agents.domain.verdicts import Verdict


class StoredAttempts(Model):
    """Every try at one plan."""

    schema_version: Literal[1] = 1
    plan: PlanId
    attempts: tuple[Attempt, ...]


class SprintFiles:
    """Typed access to a sprint's folder; saving the same thing twice changes nothing.

    Every ``save_*`` replaces the file in one step. Every ``load_*`` raises StoreError for a file
    that is damaged or of an unknown version, and says what it does about a missing one.

    Args:
        root: ``<repository>/.regreen/sprints/<id>``.
    """

    def __init__(self, root: Path) -> None:
        """Point at a folder; nothing is made yet."""
        self.root = root

    def path(self, relative: str) -> Path:
        """Return a path inside the folder.

        Raises:
            UsageError: When the name would lead out of the folder.
        """
        return confined(self.root, relative)

    def has(self, relative: str) -> bool:
        """Tell whether the folder holds this file."""
        return self.path(relative).is_file()

    def write_text(self, relative: str, text: str) -> Path:
        """Write a document as UTF-8 and return where it lies."""
        path = self.path(relative)
        write_atomically(path, text.encode("utf-8", "backslashreplace"))
        return path

    def read_text(self, relative: str) -> str:
        """Return a document's text; line ends as stored.

        Raises:
            StoreError: When it is missing, unreadable or not UTF-8.
        """
        path = self.path(relative)
        try:
            return path.read_bytes().decode()
        except FileNotFoundError as error:
            raise missing(path) from error
        except OSError as error:
            raise unreadable(path, error) from error
        except UnicodeDecodeError as error:
            raise damaged(path, "It is not UTF-8.") from error

    def save_info(self, info: SprintInfo) -> None:
        """Store how the sprint began."""
        save_model(self.path("sprint.json"), info)

    def load_info(self) -> SprintInfo:
        """Return how the sprint began; a missing file is a StoreError."""
        path = self.path("sprint.json")
        info = load_model(path, SprintInfo)
        if info.id != self.root.name:
            raise damaged(path, f"It belongs to the sprint {info.id}.")
        return info

    def save_baseline(self, baseline: Baseline) -> None:
        """Store the reference measurement."""
        save_model(self.path("baseline.json"), baseline)

    def load_baseline(self) -> Baseline:
        """Return the reference measurement; a missing file is a StoreError."""
        return load_model(self.path("baseline.json"), Baseline)

    def save_triage(self, triage: Triage) -> None:
        """Store what the baseline says about each test."""
        save_model(self.path("triage.json"), triage)

    def load_triage(self) -> Triage:
        """Return what the baseline says about each test; a missing file is a StoreError."""
        return load_model(self.path("triage.json"), Triage)

    def save_finding(self, plan: PlanId, finding: Finding) -> None:
        """Store the diagnosis a plan rests on."""
        save_model(self.path(finding_file(plan)), finding)

    def load_finding(self, plan: PlanId) -> Finding:
        """Return the diagnosis a plan rests on; a missing file is a StoreError."""
        return load_model(self.path(finding_file(plan)), Finding)

    def save_refusal(self, refusal: Refusal) -> None:
        """Store why a cluster or plan was not done."""
        save_model(self.path(f"refusals/{plan_id(refusal.id)}.json"), refusal)

    def load_refusal(self, plan: PlanId) -> Refusal | None:
        """Return why it was not done, or None when nobody refused."""
        return find_model(self.path(f"refusals/{plan_id(plan)}.json"), Refusal)

    def remove_refusal(self, plan: PlanId) -> None:
        """Take a refusal away: another plan does what was refused."""
        self.path(f"refusals/{plan_id(plan)}.json").unlink(missing_ok=True)

    def save_change(self, change: Change) -> None:
        """Store the validated commit of a plan."""
        save_model(self.path(f"changes/{plan_id(change.plan)}.json"), change)

    def load_change(self, plan: PlanId) -> Change | None:
        """Return the validated commit of a plan, or None when there is none."""
        return find_model(self.path(f"changes/{plan_id(plan)}.json"), Change)

    def remove_change(self, plan: PlanId) -> None:
        """Take a change away: another plan's commit covers it."""
        self.path(f"changes/{plan_id(plan)}.json").unlink(missing_ok=True)

    def save_attempts(self, plan: PlanId, attempts: tuple[Attempt, ...]) -> None:
        """Store every try at a plan so far."""
        stored = StoredAttempts(plan=plan, attempts=attempts)
        save_model(self.path(f"attempts/{plan_id(plan)}.json"), stored)

    def load_attempts(self, plan: PlanId) -> tuple[Attempt, ...]:
        """Return every try at a plan, oldest first; none when there is no file."""
        stored = find_model(self.path(f"attempts/{plan_id(plan)}.json"), StoredAttempts)
        return stored.attempts if stored else ()

    def save_run(self, name: str, run: SuiteRun) -> str:
        """Store one run and return its path relative to the folder."""
        relative = f"runs/{file_name(name)}.json"
        save_model(self.path(relative), run)
        return relative

    def load_run(self, relative: str) -> SuiteRun:
        """Return a run by its path relative to the folder; a missing file is a StoreError."""
        return load_model(self.path(relative), SuiteRun)

    def save_verdict(self, number: int, verdict: Verdict) -> str:
        """Store the gate's n-th judgement, from 1, and return its relative path."""
        relative = f"verdicts/gate-{number}.json"
        save_model(self.path(relative), verdict)
        return relative

    def load_verdict(self) -> Verdict | None:
        """Return the gate's last judgement, or None when it has not judged."""
        numbers = self.gate_numbers("verdicts")
        if not numbers:
            return None
        return load_model(self.path(f"verdicts/gate-{numbers[-1]}.json"), Verdict)

    def save_merge(self, merge: MergeResult) -> None:
        """Store what became of the target branch."""
        save_model(self.path("merge.json"), merge)

    def load_merge(self) -> MergeResult | None:
        """Return what became of the target branch, or None before the merge."""
        return find_model(self.path("merge.json"), MergeResult)

    def add_agent(self, agent: AgentRecord) -> None:
        """Add one agent's work to ``agents.jsonl``."""
        append_model(self.path("agents.jsonl"), agent)

    def load_agents(self) -> tuple[AgentRecord, ...]:
        """Return the agents' work, oldest first."""
        return read_models(self.path("agents.jsonl"), AgentRecord)

    def gate_numbers(self, folder: str) -> tuple[int, ...]:
        """Return the numbers of ``gate-<n>.json`` in ``verdicts`` or ``receipts``, rising."""
        stems = (p.stem.removeprefix("gate-") for p in self.path(folder).glob("gate-*.json"))
        return tuple(sorted(int(s) for s in stems if s.isascii() and s.isdigit()))

    def plan_names(self, folder: str, suffix: str) -> tuple[PlanId, ...]:
        """Return the plans that have a file in a folder, ``PR2`` before ``PR10``."""
        stems = {p.stem for p in self.path(folder).glob(f"PR*{suffix}") if is_plan_id(p.stem)}
        return tuple(PlanId(stem) for stem in sorted(stems, key=plan_order))


def finding_file(plan: PlanId) -> str:
    """Return where a plan's diagnosis lies, relative to the sprint's folder."""
    return f"evidence/{plan_id(plan)}/finding.json"
