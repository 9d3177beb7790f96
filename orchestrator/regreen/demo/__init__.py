"""The bundled repository: a small sick project to run a real sprint on."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from regreen import sprints
from regreen.store.record import SprintOptions
from regreen.views import SprintStatus
from regreen_agents.domain.progress import Listener
from regreen_agents.llm.secret import has_key
from regreen_agents.workspace.founding import found_repository

BUNDLED = Path(__file__).with_name("repository")
FOR_MODELS = Path(__file__).with_name("for_models")
"""What is added where a model is asked: a module whose repair no recipe and no small edit is."""
TAPE = Path(__file__).with_name("tape.jsonl")
"""What a model answered to it; recorded from a script, see docs/engines.md."""
EMBEDDED = SprintOptions(deterministic=True)
BY_SCRIPT = "by the demo's script, not by a person"
Decide = Callable[[SprintStatus], None]


def prepare(target: Path, options: SprintOptions = EMBEDDED) -> Path:
    """Copy the bundled project into an empty folder and make a git repository of it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
    folders = (BUNDLED,) if options.engine == EMBEDDED.engine else (BUNDLED, FOR_MODELS)
    for folder in folders:
        shutil.copytree(folder, target, dirs_exist_ok=True, ignore=ignored)
    found_repository(target, "Import the till's source", branch="main")
    return target


def with_tape(options: SprintOptions) -> SprintOptions:
    """Return options in which the bundled tape answers, where a model is asked without a key."""
    silent = options.engine == EMBEDDED.engine or options.replay or options.record
    if silent or has_key(os.environ):
        return options
    return options.model_copy(update={"replay": str(TAPE)})


def run(
    target: Path,
    listener: Listener,
    interactive: Decide | None,
    options: SprintOptions = EMBEDDED,
) -> SprintStatus:
    """Run a sprint there, deciding at both doors through the functions a person uses.

    Args:
        target: The repository.
        listener: Told what the agents do.
        interactive: Asks a person at each door; None approves whatever is recommended.
        options: Of the sprint; its seeds are fixed whatever they say.
    """
    decide = interactive or (lambda status: _approve(target, status))
    fixed = options.model_copy(update={"deterministic": True})
    status = sprints.start(target, fixed, listener)
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
