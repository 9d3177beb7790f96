"""Both doors of a sprint as a conversation, for ``regreen demo --interactive``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from regreen.cli import render
from regreen.cli.arguments import reason
from regreen.cli.progress import Progress, paused
from regreen.views import SprintStatus

ANSWERS = ("show", "approve", "reject")
"""Showing comes first, so that just pressing Enter approves nothing."""


def conversation(progress: Progress) -> Callable[[SprintStatus], None]:
    """Return what asks a person at a door and records every decision.

    Args:
        progress: The live view, taken away while the person is asked.
    """

    def decide(status: SprintStatus) -> None:
        with paused(progress):
            if status.waiting_for == "plans":
                _decide_plans(status)
            elif status.waiting_for == "commits":
                _decide_commits(status)

    return decide


def _decide_plans(status: SprintStatus) -> None:
    from regreen import sprints

    repo = Path(status.repo)
    render.plans(status.plans)
    for row in status.plans:
        if row.state not in {"waiting", "withdrawn"}:
            continue
        show = partial(_show_plan, repo, row.id, status.id)
        if _answer(f"{row.id}: {row.title}", show) == "approve":
            sprints.approve_plans(repo, (row.id,), {}, status.id)
        else:
            sprints.reject_plan(repo, row.id, _why(), status.id)


def _decide_commits(status: SprintStatus) -> None:
    from regreen import sprints

    repo = Path(status.repo)
    render.commits(status.commits)
    for row in status.commits:
        if row.state != "waiting":
            continue
        show = partial(_show_commit, repo, row.id, status.id)
        if _answer(f"{row.id}: {row.subject}", show) == "approve":
            sprints.approve_commits(repo, (row.id,), status.id)
        else:
            sprints.reject_commit(repo, row.id, _why(), status.id)


def _answer(question: str, show: Callable[[], None]) -> str:
    """Ask until the person decides; showing is not deciding."""
    while True:
        answer = render.choose(question, ANSWERS)
        if answer != "show":
            return answer
        show()


def _why() -> str:
    while True:
        text = render.ask("Why").strip()
        if text:
            return reason(text)


def _show_plan(repo: Path, plan: str, sprint: str) -> None:
    from regreen import sprints

    render.document(sprints.plan_text(repo, plan, sprint))


def _show_commit(repo: Path, plan: str, sprint: str) -> None:
    from regreen import sprints

    render.commit(sprints.commit_text(repo, plan, sprint))
