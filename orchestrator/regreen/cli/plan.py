"""``regreen plan``: read, edit and decide on the plans of a sprint."""

from pathlib import Path
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

app = typer.Typer(
    help="Read, edit and decide on plans.", rich_markup_mode=None, no_args_is_help=True
)

PlansArgument = Annotated[
    list[str], typer.Argument(metavar="PLAN", help="One or more, for example PR1 PR2.")
]
ChoiceOption = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="PLAN=KEY", help="Choose an option; repeatable: PR2=B."),
]
FileOption = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="Take the new text from a file.")
]


@app.command("list")
def list_(
    *, sprint: SprintOption = None, repo: RepoOption = HERE, as_json: JsonOption = False
) -> None:
    """List the plans and what became of them."""
    from regreen import sprints
    from regreen.cli import render

    rows = sprints.status(repo, sprint).plans
    if as_json:
        render.as_json(rows)
    else:
        render.plans(rows)


@app.command()
def show(plan: PlanArgument, *, sprint: SprintOption = None, repo: RepoOption = HERE) -> None:
    """Print a plan's document."""
    identity = arguments.plan_id(plan)
    from regreen import sprints
    from regreen.cli import render

    render.document(sprints.plan_text(repo, identity, sprint))


@app.command()
def edit(
    plan: PlanArgument,
    *,
    file: FileOption = None,
    sprint: SprintOption = None,
    repo: RepoOption = HERE,
) -> None:
    """Change a plan in your editor; it is validated."""
    identity = arguments.plan_id(plan)
    from regreen.cli import editing, render

    subject = editing.Subject(plan=identity, repo=repo, sprint=sprint)
    changed = editing.edit_from(file, subject) if file else editing.edit(subject)
    render.line(
        f"{identity} is changed. An earlier approval no longer counts."
        if changed
        else f"{identity} is as it was."
    )


@app.command()
def approve(
    plans: PlansArgument,
    *,
    option: ChoiceOption = None,
    no_continue: NoContinueOption = False,
    sprint: SprintOption = None,
    repo: RepoOption = HERE,
) -> None:
    """Approve plans; after the last one the sprint goes on."""
    identities = arguments.plan_ids(plans)
    chosen = arguments.choices(option or (), identities)
    from regreen import sprints
    from regreen.cli import journey, render

    found = sprints.approve_plans(repo, identities, chosen, sprint)
    render.line(f"Approved: {', '.join(identities)}")
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
    """Reject a plan, with the reason."""
    identity, text = arguments.plan_id(plan), arguments.reason(why)
    from regreen import sprints
    from regreen.cli import journey, render

    found = sprints.reject_plan(repo, identity, text, sprint)
    render.line(f"Rejected: {identity}")
    journey.go_on(found, repo, no_continue=no_continue)
