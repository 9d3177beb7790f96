"""``regreen commit``: read the gated commits of a sprint and decide what is merged."""

from collections.abc import Sequence
from typing import Annotated

import typer

from regreen.cli import arguments
from regreen.cli.arguments import (
    HERE,
    JsonOption,
    NoContinueOption,
    PlanArgument,
    RepoOption,
    SprintOption,
    WhyOption,
)
from regreen_agents.errors import UsageError

app = typer.Typer(
    help="Read gated commits and decide what is merged.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

CommitsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="PLAN", help="Whose commits, for example PR1.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every commit that waits.")]


@app.command("list")
def list_(
    *, sprint: SprintOption = None, repo: RepoOption = HERE, as_json: JsonOption = False
) -> None:
    """List the commits, what they fix and what became of them."""
    from regreen import sprints
    from regreen.cli import render

    rows = sprints.status(repo, sprint).commits
    if as_json:
        render.as_json(rows)
    else:
        render.commits(rows)


@app.command()
def show(plan: PlanArgument, *, sprint: SprintOption = None, repo: RepoOption = HERE) -> None:
    """Print a commit: message, figures, validation, diff."""
    identity = arguments.plan_id(plan)
    from regreen import sprints
    from regreen.cli import render

    render.commit(sprints.commit_text(repo, identity, sprint))


@app.command()
def approve(
    plans: CommitsArgument = None,
    *,
    every: AllOption = False,
    no_continue: NoContinueOption = False,
    sprint: SprintOption = None,
    repo: RepoOption = HERE,
) -> None:
    """Approve commits; after the last one the sprint goes on."""
    identities = subjects(plans or (), every=every)
    from regreen import sprints
    from regreen.cli import journey, render

    found = sprints.approve_commits(repo, identities, sprint)
    render.line(f"Approved: {', '.join(identities) if identities else 'all commits'}")
    journey.go_on(found, repo, no_continue=no_continue)


@app.command()
def reject(
    plan: PlanArgument,
    *,
    why: WhyOption,
    no_continue: NoContinueOption = False,
    sprint: SprintOption = None,
    repo: RepoOption = HERE,
) -> None:
    """Reject a commit, with the reason."""
    identity, text = arguments.plan_id(plan), arguments.reason(why)
    from regreen import sprints
    from regreen.cli import journey, render

    found = sprints.reject_commit(repo, identity, text, sprint)
    render.line(f"Rejected: {identity}")
    journey.go_on(found, repo, no_continue=no_continue)


def subjects(texts: Sequence[str], *, every: bool) -> tuple[str, ...] | None:
    """Return whose commits to approve; None means all.

    Args:
        texts: Plan ids as typed.
        every: Whether ``--all`` was given.

    Raises:
        UsageError: When both or neither were given.
    """
    if every == bool(texts):
        raise UsageError(
            "Say which commits to approve.",
            why="Both names and --all were given." if every else "No commit was named.",
            fix="Write regreen commit approve PR1 PR2, or regreen commit approve --all",
        )
    return None if every else arguments.plan_ids(texts)
