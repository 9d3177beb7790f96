"""What a person does to a sprint, free of any terminal."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from regreen import doctor as doctor_room
from regreen.approvals import Decision
from regreen.brains import estimate_of, require_name, require_usable
from regreen.deciding import commit_text as text_of_commit
from regreen.deciding import decide_commits, decide_plans
from regreen.drive import next_node, travel
from regreen.host import fingerprint
from regreen.nodes.report import REPORT
from regreen.nodes.site import POLICY
from regreen.policies import policy_of
from regreen.reports.summary import sprint_report
from regreen.status import Standing, status_of
from regreen.store import documents
from regreen.store.folder import SprintFolder, SprintShelf, new_sprint_id
from regreen.store.names import plan_id as checked_plan
from regreen.store.record import SprintInfo, SprintOptions
from regreen.tapes import began, options_told, require_same
from regreen.views import DoctorLine, SprintStatus
from regreen.wiring import config_of, held, name_runner, running
from regreen_agents.domain.progress import Listener
from regreen_agents.errors import UsageError
from regreen_agents.llm.estimate import Estimate
from regreen_agents.llm.tape_reading import read_tape
from regreen_agents.runners.target import Target
from regreen_agents.workspace.repository import STATE_FOLDER, Repository

DETERMINISTIC_SEED = 0
"""``--deterministic``: the seed of every order."""
MAX_SEED = 2**31


def start(path: Path, options: SprintOptions, listener: Listener) -> SprintStatus:
    """Begin a sprint and run it to its first door or its end.

    Args:
        path: The repository or a folder in it.
        options: What the person asked for.
        listener: Told what the agents do.

    Raises:
        RegreenError: A sprint cannot start here; nothing was changed.
        StoppedError: It was stopped; `resume` goes on.
    """
    repository = Repository.open(path)
    config = config_of(repository)
    options = options.model_copy(update={"runs": options.runs or config.runs})
    require_usable(options, config, os.environ)
    starting = repository.require_ready(options.into)
    beginning = _beginning(repository, starting.base, options)
    policy = policy_of(repository, config, options.tests, "regreen-start-")
    root = repository.prepare_state_folder()
    with held(repository, "starting"):
        notes = (
            *_unseen(repository),
            *_left_out(policy.target),
            *policy.notes,
            *_unfinished(root),
        )
        shelf = SprintShelf(root)
        now = beginning.now
        info = SprintInfo(
            id=new_sprint_id(now, [folder.root.name for folder in shelf.all()]),
            started_at=now.isoformat(timespec="seconds"),
            base=starting.base,
            branch=options.into or starting.branch,
            prefix=repository.prefix,
            options=options,
            seed=beginning.seed,
            regreen_version=metadata.version("regreen"),
            host=fingerprint(policy.target),
        )
        folder = shelf.create(info)
        name_runner(repository, info.id)
        noted = policy.model_copy(update={"notes": notes})
        folder.write_text(POLICY, noted.model_dump_json())
        return travel(repository, folder, listener)


def _unseen(repository: Repository) -> tuple[str, ...]:
    """Say which files of the checkout a worktree does not have."""
    untracked = repository.untracked()
    if not untracked:
        return ()
    some = ", ".join(untracked[:3]) + (", ..." if len(untracked) > 3 else "")  # noqa: PLR2004
    return (f"{len(untracked)} untracked files are no part of this sprint: {some}",)


def _unfinished(root: Path) -> tuple[str, ...]:
    """Name sprints that were left at a door: a new one does not end them."""
    open_ones = [folder.root.name for folder in SprintShelf(root).all() if not folder.has(REPORT)]
    return tuple(
        f"sprint {name} is not finished and stays as it is: regreen status {name}"
        for name in open_ones[-3:]
    )


def _left_out(target: Target) -> tuple[str, ...]:
    if not target.unasked_plugins:
        return ()
    names = ", ".join(target.unasked_plugins)
    return (f"pytest plugins left out, as only regreen's own dependencies bring them: {names}",)


class _Beginning(NamedTuple):
    now: datetime
    seed: int


def _beginning(repository: Repository, base: str, options: SprintOptions) -> _Beginning:
    """Return when a sprint begins and its seed; a replay has those of its tape.

    Other orders in every sprint, unless they are to be the same in all.
    """
    if options.replay:
        header = read_tape(Path(options.replay)).header
        told = options_told(options, config_of(repository))
        require_same(header, repository.tree_of(base), told)
        return _Beginning(began(header), header.seed)
    now = datetime.now(UTC)
    seed = DETERMINISTIC_SEED if options.deterministic else int(now.timestamp()) % MAX_SEED
    return _Beginning(now, seed)


def estimate(path: Path, options: SprintOptions) -> tuple[Estimate, str]:
    """Return what models may cost, and where the number of clusters comes from.

    Raises:
        RegreenError: There is no repository, or its configuration does not validate.
    """
    repository = Repository.open(path)
    config = config_of(repository)
    for name in filter(None, (options.engine, options.second_opinion)):
        require_name(name, config)
    latest = SprintShelf(repository.root / STATE_FOLDER).latest()
    if latest is None or not latest.has("triage.json"):
        return estimate_of(1, config), "No sprint has measured this suite: one cluster is assumed."
    count = len(latest.load_triage().clusters)
    basis = f"Clusters of sprint {latest.root.name}: {count}, were each to need the model."
    return estimate_of(count, config), basis


def resume(repo: Path, sprint: str | None, listener: Listener) -> SprintStatus:
    """Continue a sprint: after a decision, a crash, a kill or a reboot.

    One that waits for a person, or has ended, is left as it is.

    Raises:
        RegreenError: There is no such sprint, or another process works on it.
        StoppedError: It was stopped again.
    """
    repository = Repository.open(repo)
    folder = _shelf(repository).find(sprint)
    with held(repository, folder.root.name):
        return travel(repository, folder, listener)


def status(repo: Path, sprint: str | None = None) -> SprintStatus:
    """Return where a sprint stands."""
    repository = Repository.open(repo)
    folder = _shelf(repository).find(sprint)
    return _status(repository, folder)


def _status(repository: Repository, folder: SprintFolder) -> SprintStatus:
    root = repository.root / STATE_FOLDER
    busy = folder.root.name in running(root)
    node = next_node(repository, folder)
    return status_of(folder, str(repository.root), Standing(node, running=busy))


def plan_text(repo: Path, plan_id: str, sprint: str | None = None) -> str:
    """Return a plan's document, or a refusal's reasons.

    Raises:
        UsageError: The sprint has no such plan.
    """
    _, folder = _opened(repo, sprint)
    name = checked_plan(plan_id)
    path = documents.document_path(folder, name)
    if path.exists():
        return path.read_text(encoding="utf-8")
    refusal = folder.load_refusal(name)
    if refusal is None:
        raise UsageError(
            f"There is no plan {plan_id}.",
            why=f"The sprint {folder.root.name} has none of that name.",
            fix="See them with: regreen plan list",
        )
    needs = "\n".join(f"- {need}" for need in refusal.needs)
    tests = "\n".join(f"- {test}" for test in refusal.tests)
    tried = "\n".join(
        f"- {e.question}\n  `{e.command}`\n  {e.counts}: {e.conclusion}" for e in refusal.evidence
    )
    return (
        f"# {refusal.id}: {refusal.title}\n\nRefused: {refusal.reason}\n\n## What it needs\n\n"
        f"{needs}\n\n## Tests\n\n{tests}\n\n## What was tried\n\n{tried or '- nothing'}\n"
    )


def replace_plan(repo: Path, plan_id: str, text: str, sprint: str | None = None) -> None:
    """Put an edited document in a plan's place; an approval it had no longer holds.

    Raises:
        DocumentError: The text does not validate; the plan is as it was.
    """
    _, folder = _opened(repo, sprint)
    documents.replace_plan(folder, checked_plan(plan_id), text)


def approve_plans(
    repo: Path,
    ids: Sequence[str],
    choices: Mapping[str, str],
    sprint: str | None = None,
    why: str = "",
) -> SprintStatus:
    """Record that plans are approved as they stand; `choices` picks other options first.

    `why` is kept with the decision; whoever decides by a program says so in it.
    """
    repository, folder = _opened(repo, sprint)
    decide_plans(folder, ids, choices, _said(repository, Decision.APPROVED, why))
    return _status(repository, folder)


def reject_plan(repo: Path, plan_id: str, why: str, sprint: str | None = None) -> SprintStatus:
    """Record that a plan is rejected."""
    repository, folder = _opened(repo, sprint)
    decide_plans(folder, [plan_id], {}, _said(repository, Decision.REJECTED, why))
    return _status(repository, folder)


def commit_text(repo: Path, plan_id: str, sprint: str | None = None) -> str:
    """Return a commit's message, statistics, validation and diff."""
    repository, folder = _opened(repo, sprint)
    return text_of_commit(repository, folder, plan_id)


def approve_commits(
    repo: Path, ids: Sequence[str] | None, sprint: str | None = None, why: str = ""
) -> SprintStatus:
    """Record that commits are approved in exactly the tested tree; None means all that wait."""
    repository, folder = _opened(repo, sprint)
    decide_commits(folder, ids, _said(repository, Decision.APPROVED, why))
    return _status(repository, folder)


def reject_commit(repo: Path, plan_id: str, why: str, sprint: str | None = None) -> SprintStatus:
    """Record that a commit is rejected."""
    repository, folder = _opened(repo, sprint)
    decide_commits(folder, [plan_id], _said(repository, Decision.REJECTED, why))
    return _status(repository, folder)


def report_text(repo: Path, sprint: str | None = None) -> tuple[Path, str]:
    """Return the report of a sprint as it stands, and where it lies once the sprint has ended."""
    _, folder = _opened(repo, sprint)
    path = folder.path(REPORT)
    if not path.exists():
        folder.write_text(REPORT, sprint_report(folder.record()))
    return path, folder.read_text(REPORT)


def doctor(path: Path) -> tuple[DoctorLine, ...]:
    """Return what a sprint in this folder needs and finds."""
    return doctor_room.doctor(path)


def _said(repository: Repository, decision: Decision, why: str) -> dict[str, Any]:
    return {"by": repository.identity(), "decision": decision, "why": why}


def _opened(repo: Path, sprint: str | None) -> tuple[Repository, SprintFolder]:
    repository = Repository.open(repo)
    return repository, _shelf(repository).find(sprint)


def _shelf(repository: Repository) -> SprintShelf:
    return SprintShelf(repository.root / STATE_FOLDER)
