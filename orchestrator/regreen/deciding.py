"""Record what a person decided at either door, bound to exactly what was shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from regreen.approvals import Approval
from regreen.nodes.approve import commit_decision, subject_of
from regreen.store import decisions, documents
from regreen.store.clockwork import utc_now
from regreen.store.folder import SprintFolder
from regreen.store.names import plan_id
from regreen_agents.domain.identity import PlanId
from regreen_agents.domain.plans import Plan
from regreen_agents.domain.verdicts import Verdict, VerdictKind
from regreen_agents.errors import UsageError
from regreen_agents.workspace.commits import diff_of
from regreen_agents.workspace.repository import Repository


def decide_plans(
    folder: SprintFolder, ids: Sequence[str], choices: Mapping[str, str], said: dict[str, Any]
) -> None:
    """Record a decision on plans; an option chosen is written into the document first.

    Raises:
        UsageError: A plan or option does not exist, or was implemented already.
        DocumentError: A document does not validate as it stands.
    """
    wanted = [plan_id(name) for name in ids]
    loaded = {name: _open_plan(folder, name) for name in wanted}
    for name, key in choices.items():
        chosen = plan_id(name)
        if chosen not in loaded:
            raise UsageError(
                f"--option names {name}, which is not being approved.",
                why=f"Approving: {', '.join(wanted)}.",
                fix=f"Add {name} to the plans to approve.",
            )
        _require_option(loaded[chosen], key)
    for name, plan in loaded.items():
        if name in choices and plan.chosen != choices[name]:
            documents.save_plan(folder, plan.model_copy(update={"chosen": choices[name]}))
        digest = documents.document_digest(documents.document_path(folder, name))
        record = Approval(door="plan", plan=name, subject=digest, at=utc_now(), **said)
        decisions.record(folder, record)


def _open_plan(folder: SprintFolder, name: PlanId) -> Plan:
    if not documents.document_path(folder, name).exists():
        known = ", ".join(documents.plan_ids(folder)) or "none"
        raise UsageError(
            f"There is no plan {name} to decide on.",
            why=f"Plans of sprint {folder.root.name}: {known}.",
            fix="See them with: regreen plan list",
        )
    if folder.load_change(name) or folder.load_refusal(name):
        raise UsageError(
            f"{name} was implemented already.",
            why="A decision on its plan would come too late.",
            fix="Decide on its commit: regreen commit list",
        )
    return documents.load_plan(folder, name).plan


def _require_option(plan: Plan, key: str) -> None:
    keys = [option.key for option in plan.options]
    if key not in keys:
        raise UsageError(
            f"{plan.id} has no option {key!r}.",
            why=f"Its options: {', '.join(keys)}.",
            fix=f"See them with: regreen plan show {plan.id}",
        )


def decide_commits(folder: SprintFolder, ids: Sequence[str] | None, said: dict[str, Any]) -> None:
    """Record a decision on commits of the tested train.

    Raises:
        UsageError: Nothing has passed the gate, or a commit is not in the train.
    """
    verdict = _passed(folder)
    wanted = _waiting(folder, verdict) if ids is None else [plan_id(name) for name in ids]
    for name in wanted:
        if name not in verdict.train:
            raise UsageError(
                f"There is no commit of {name} in the tested tree.",
                why=f"It holds: {', '.join(verdict.train)}.",
                fix="See them with: regreen commit list",
            )
    for name in wanted:
        subject = subject_of(folder, verdict, name)
        record = Approval(door="commit", plan=name, subject=subject, at=utc_now(), **said)
        decisions.record(folder, record)


def _waiting(folder: SprintFolder, verdict: Verdict) -> list[PlanId]:
    """Return the commits nobody decided on: ``--all`` overrules no rejection."""
    waiting = [p for p in verdict.train if commit_decision(folder, verdict, p) is None]
    if not waiting:
        raise UsageError(
            "No commit waits for approval.",
            why="Every commit of the tested tree is decided on.",
            fix="Go on with: regreen resume; to overrule a rejection, name the commit.",
        )
    return waiting


def _passed(folder: SprintFolder) -> Verdict:
    verdict = folder.load_verdict()
    if verdict is None or verdict.kind is not VerdictKind.PASS or folder.load_merge():
        raise UsageError(
            "No commit waits for approval.",
            why="The gate has passed nothing, or it is merged already.",
            fix="See where the sprint stands with: regreen status",
        )
    return verdict


def commit_text(repository: Repository, folder: SprintFolder, name: str) -> str:
    """Return a commit as a person judges it: message, files, flags, validation, diff.

    Raises:
        UsageError: That plan has no commit.
    """
    plan = plan_id(name)
    change = folder.load_change(plan)
    if change is None:
        raise UsageError(
            f"{plan} has no commit.",
            why="It was not approved, is not implemented yet, or was refused.",
            fix="See what there is with: regreen commit list",
        )
    verdict = folder.load_verdict()
    tested = dict(zip(verdict.train, verdict.commits, strict=False)) if verdict else {}
    files = "\n".join(f"  {f.path} | +{f.added} -{f.removed}" for f in change.files)
    flags = "\n".join(f"  {f.path}:{f.line} {f.rule}: {f.detail}" for f in change.policy_flags)
    shown = "\n".join(
        f"  {e.question} {e.counts}: {e.conclusion}\n    {e.command}" for e in change.validation
    )
    commit = tested.get(plan, change.commit)
    return (
        f"commit {commit}\n\n{change.message.strip()}\n\nFiles:\n{files}\n\n"
        f"Policy flags:\n{flags or '  none'}\n\nValidation:\n{shown}\n\n"
        + "\n".join(diff_of(repository.root, one) for one in change.commits)
    )
