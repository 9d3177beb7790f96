"""``regreen demo``: a real sprint on a bundled repository."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from regreen.cli.arguments import tape
from regreen_agents.errors import UsageError

InteractiveOption = Annotated[
    bool, typer.Option("--interactive", help="Decide on plans and commits yourself.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--dir", "--keep", metavar="PATH", help="Make the repository there."),
]


EngineOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="embedded; auto or claude add a module that needs a model."),
]
RecordOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what is answered and measured to this tape."),
]
ReplayOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Let this tape answer; without a key the bundled one does."),
]


def demo(
    *,
    interactive: InteractiveOption = False,
    folder: FolderOption = None,
    engine: EngineOption = "embedded",
    record: RecordOption = None,
    replay: ReplayOption = None,
) -> None:
    """Run a real sprint on a small project that comes along."""
    target = empty_folder(folder).resolve()
    from regreen.cli import journey, render
    from regreen.store.record import SprintOptions

    asked = SprintOptions(engine=engine, record=tape(record), replay=tape(replay))
    journey.show_demo(target, asked, interactive=interactive)
    render.line(f"The demo's repository stays in {target}")


def empty_folder(asked: Path | None) -> Path:
    """Return a folder for the demo's repository: a new temporary one, or the one asked for.

    Raises:
        UsageError: When the one asked for cannot be made, or has something in it.
    """
    if asked is None:
        return Path(tempfile.mkdtemp(prefix="regreen-demo-"))
    fix = "Name a folder that does not exist yet or is empty: regreen demo --dir PATH"
    try:
        asked.mkdir(parents=True, exist_ok=True)
        taken = any(asked.iterdir())
    except OSError as error:
        raise UsageError(
            f"The demo cannot use {str(asked)!r}.", why=error.strerror or str(error), fix=fix
        ) from error
    if taken:
        raise UsageError(
            f"The demo cannot use {str(asked)!r}.", why="There is something in it.", fix=fix
        )
    return asked
