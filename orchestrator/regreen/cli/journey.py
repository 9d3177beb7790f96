"""Letting a sprint run while a person watches, from any command that makes it go on."""

from collections.abc import Callable
from pathlib import Path

from regreen.cli import render
from regreen.cli.arguments import located
from regreen.cli.doors import conversation
from regreen.cli.exits import resumable
from regreen.cli.progress import watching
from regreen.store.record import SprintOptions
from regreen.views import SprintStatus
from regreen_agents.domain.progress import Listener

REFUSED = ("fail", "inconclusive")
"""Verdicts of the gate after which a sprint ends with a non-zero exit."""
CONTINUES = "regreen resume"
"""How `SprintStatus.next_command` starts when nothing is left to decide."""


def travel(
    work: Callable[[Listener], SprintStatus],
    repo: Path,
    sprint: str | None = None,
    *,
    verbosity: int = 0,
) -> SprintStatus:
    """Run a sprint up to its next door or its end, and show where it got to.

    Args:
        work: What runs it, given the listener to tell.
        repo: As the person typed it.
        sprint: The sprint's id where the person named one.
        verbosity: How much of the log runs along; above 0 the view is plain lines.

    Returns:
        Where it stands now.

    Raises:
        Stopped: On Ctrl-C.
    """
    render.show_logs(verbosity)
    command = f"{CONTINUES} {sprint}" if sprint else CONTINUES
    with resumable(located(command, repo)), watching(plain=verbosity > 0) as progress:
        status = work(progress)
    render.status(status, repo=repo)
    if status.stage == "done" and status.verdict in REFUSED:
        raise SystemExit(1)
    return status


def start(path: Path, options: SprintOptions, *, verbosity: int = 0) -> SprintStatus:
    """Begin a sprint.

    Args:
        path: The repository or a folder in it, as the person typed it.
        options: What the person asked for.
        verbosity: How much of the log runs along; above 0 the view is plain lines.
    """
    with resumable(located(CONTINUES, path)):
        from regreen import sprints

    return travel(
        lambda listener: sprints.start(path, options, listener), path, verbosity=verbosity
    )


def estimate(path: Path, options: SprintOptions) -> None:
    """Say what models may cost in a sprint with these options; nothing is run or asked.

    Args:
        path: The repository or a folder in it, as the person typed it.
        options: What the person asked for.
    """
    from regreen import sprints
    from regreen.cli import estimate_page

    found, basis = sprints.estimate(path, options)
    for line in estimate_page.lines(found, basis=basis):
        render.line(line)


def resume(repo: Path, sprint: str | None, *, verbosity: int = 0) -> SprintStatus:
    """Continue a sprint where it stopped.

    Args:
        repo: As the person typed it.
        sprint: Its id; the latest when None.
        verbosity: How much of the log runs along; above 0 the view is plain lines.
    """
    with resumable(located(CONTINUES, repo)):
        from regreen import sprints

    return travel(
        lambda listener: sprints.resume(repo, sprint, listener), repo, sprint, verbosity=verbosity
    )


def show_demo(target: Path, options: SprintOptions, *, interactive: bool) -> SprintStatus:
    """Run a sprint on the bundled repository.

    Args:
        target: An empty folder.
        options: Engine and tapes; where a model is asked and there is no key, the tape that comes
            along answers.
        interactive: Ask the person at both doors instead of approving everything.
    """
    with resumable(located(CONTINUES, target)):
        from regreen import demo

        options = demo.with_tape(options)
        repo = demo.prepare(target, options)
    if options.replay:
        render.line(f"A tape answers instead of a model: {options.replay}")
    with resumable(located(CONTINUES, repo)), watching() as progress:
        talk = conversation(progress) if interactive else None
        status = demo.run(repo, progress, talk, options)
    render.status(status, repo=repo)
    return status


def go_on(status: SprintStatus, repo: Path, *, no_continue: bool) -> None:
    """After a decision: continue by itself when it was the last one this door waited for.

    Args:
        status: As it stands with the decision recorded.
        repo: As the person typed it.
        no_continue: Leave it at recording.
    """
    if is_decided(status) and not no_continue:
        resume(repo, status.id)
    else:
        render.status(status, repo=repo)


def is_decided(status: SprintStatus) -> bool:
    """Return whether nothing at the sprint's door is left for a person to decide."""
    return status.next_command.startswith(CONTINUES)
