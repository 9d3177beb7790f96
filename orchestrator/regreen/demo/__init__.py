"""The bundled repository: a small sick project to run a real sprint on."""

import shutil
from collections.abc import Callable
from pathlib import Path

from regreen import sprints
from regreen.store.record import SprintOptions
from regreen.views import SprintStatus
from regreen_agents.domain.progress import Listener
from regreen_agents.workspace.founding import found_repository

BUNDLED = Path(__file__).with_name("repository")
BY_SCRIPT = "by the demo's script, not by a person"
Decide = Callable[[SprintStatus], None]


def prepare(target: Path) -> Path:
    """Copy the bundled project into an empty folder and make a git repository of it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
    shutil.copytree(BUNDLED, target, dirs_exist_ok=True, ignore=ignored)
    found_repository(target, "Import the till's source", branch="main")
    return target


def run(target: Path, listener: Listener, interactive: Decide | None) -> SprintStatus:
    """Run a sprint there, deciding at both doors through the functions a person uses.

    Args:
        target: The repository.
        listener: Told what the agents do.
        interactive: Asks a person at each door; None approves whatever is recommended.
    """
    decide = interactive or (lambda status: _approve(target, status))
    status = sprints.start(target, SprintOptions(deterministic=True), listener)
    while status.waiting_for:
        decide(status)
        status = sprints.resume(target, status.id, listener)
    return status


def _approve(target: Path, status: SprintStatus) -> None:
    if status.waiting_for == "plans":
        waiting = [row.id for row in status.plans if row.state in ("waiting", "withdrawn")]
        sprints.approve_plans(target, waiting, {}, status.id, BY_SCRIPT)
    else:
        sprints.approve_commits(target, None, status.id, BY_SCRIPT)
