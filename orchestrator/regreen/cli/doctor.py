"""``regreen doctor``: what a sprint would find here, and what to do about what is missing."""

import typer

from regreen.cli.arguments import HERE, PathArgument

MISSING_EXIT_CODE = 1


def doctor(path: PathArgument = HERE) -> None:
    """Check interpreter, git, suite and tools here."""
    from regreen import sprints
    from regreen.cli import render

    lines = sprints.doctor(path)
    render.doctor(lines)
    if any(line.state == "missing" for line in lines):
        raise typer.Exit(MISSING_EXIT_CODE)
