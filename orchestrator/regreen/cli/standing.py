"""``regreen status`` and ``regreen report``: where a sprint stands, and what came of it."""

from pathlib import Path
from typing import Annotated

import typer

from regreen.cli.arguments import HERE, JsonOption, RepoOption, SprintArgument
from regreen_agents.errors import UsageError

OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write it there instead.")
]


def status(
    *, sprint: SprintArgument = None, repo: RepoOption = HERE, as_json: JsonOption = False
) -> None:
    """Tell where a sprint stands and what to type next."""
    from regreen import sprints
    from regreen.cli import render

    found = sprints.status(repo, sprint)
    if as_json:
        render.as_json(found)
    else:
        render.status(found, repo=repo)


def report(
    *, sprint: SprintArgument = None, repo: RepoOption = HERE, output: OutputOption = None
) -> None:
    """Print a sprint's report."""
    from regreen import sprints
    from regreen.cli import render

    path, text = sprints.report_text(repo, sprint)
    if output is None:
        render.document(text)
        render.note(f"Report: {path}")
        return
    write_text(output, text)
    render.line(f"Report written to {output}")


def write_text(path: Path, text: str) -> None:
    """Write a file a person asked for, as UTF-8.

    Raises:
        UsageError: When it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{str(path)!r} cannot be written.",
            why=error.strerror or str(error),
            fix="Name a file in a folder that exists and that you may write to.",
        ) from error
