"""The command ``regreen``: its commands by name, and the door through which it ends."""

import signal
import sys
from typing import Annotated

import typer

from regreen.cli import bisect, commit, demo, dev, diagnose, doctor, flaky, plan, sprint, standing
from regreen.cli.arguments import with_default
from regreen.cli.exits import guard
from regreen.cli.key_door import pass_door

app = typer.Typer(
    name="regreen",
    help="Bring a sick test suite back to green, and prove it.",
    epilog="Start with: regreen demo. In a repository of your own: regreen doctor, regreen sprint.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(sprint.sprint)
app.command()(standing.status)
app.add_typer(plan.app, name="plan")
app.add_typer(commit.app, name="commit")
app.command()(sprint.resume)
app.command()(standing.report)
app.command()(flaky.flaky)
app.command()(diagnose.diagnose)
app.command()(bisect.bisect)
app.command()(doctor.doctor)
app.command()(demo.demo)
app.add_typer(dev.app, name="dev")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature Typer calls
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    from regreen.cli import render

    try:
        render.line(f"regreen {version('regreen')}")
    except PackageNotFoundError:
        render.line("regreen (run from its source, not installed)")
    raise typer.Exit


@app.callback()
def regreen(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Bring a sick test suite back to green, and prove it."""


def main() -> None:
    """Run ``regreen`` with the arguments of this process."""
    # Before the many modules of a command load: being told to end then is no crash.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Not `app()`: that would put Typer's own exception hook over ours.
    command = typer.main.get_command(app)
    words = with_default(sys.argv[1:], "--flakiness-check", "3")

    def run() -> None:
        pass_door(words)
        command(words, prog_name="regreen")

    guard(run)


if __name__ == "__main__":
    main()
