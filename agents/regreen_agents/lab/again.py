"""Does it trip over itself? Experiments that run one test twice in a row in one process."""

import shlex
from collections.abc import Sequence

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunSpec, StateChange, SuiteRun
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import evidence_of, is_red
from regreen_agents.lab.statistics import wilson
from regreen_agents.lab.sweeps import TWICE

AGAIN = ALONE.model_copy(update={"repeats": TWICE})
MAX_SINGLE_STATES = 16
SHOWN = 3


def fails_when_run_again(inquiry: Inquiry) -> Finding | None:
    """Run the victim twice in a row, in two fresh processes: green, then red, both times."""
    sweep = inquiry.sweep()
    elsewhere = sweep is not None and sweep.spec.repeats == 1
    can_repeat = inquiry.lab.bench.runner.policy.suite.is_pytest
    if inquiry.alone_red or elsewhere or inquiry.settings(red=True) or not can_repeat:
        return None
    lab, victim = inquiry.lab, inquiry.victim
    red = [is_red(lab.outcome([victim], AGAIN))]
    if red == [True]:
        red.append(is_red(lab.run(_asked(victim)).outcome_of(victim)))
    _write(inquiry, lab.last_run([victim], AGAIN), red)
    if not all(red):
        return None
    inquiry.facts.add(Fact.AGAIN_FLIPS)
    left = _left_by(inquiry)
    state = _decisive(inquiry, left)
    return inquiry.finding(
        Category.NIO,
        Cause.SELF_POLLUTION,
        f"{victim} cannot run twice: alone it passes, and when it runs again in the same process "
        f"it fails. {_state_words(state, left)}",
        state=state or left,
        replay=(victim,),
        repeats=TWICE,
    )


def twice_command(command: Sequence[str], test: NodeId) -> str:
    """Return a plain pytest command that runs one test twice in a row.

    pytest drops a node id named twice, but ``--keep-duplicates`` collects a *file* twice; ``-k``
    leaves the one test, and others of the file whose names contain the same words.

    Args:
        command: The printed command that runs it once; its last part is the test.
        test: The test.
    """
    module, _, inside = test.partition("::")
    words = " and ".join(inside.partition("[")[0].split("::"))
    start = [*command[:-1], "--keep-duplicates", module, module]
    return shlex.join([*start, "-k", words])


def _asked(victim: NodeId) -> RunSpec:
    return AGAIN.model_copy(update={"tests": (victim,)})


def _write(inquiry: Inquiry, run: SuiteRun, red: Sequence[bool]) -> None:
    word = (
        f"The first time it passes, the second time it fails: {wilson(sum(red), len(red))}."
        if all(red)
        else "It passes the second time too."
    )
    page = evidence_of(
        "Does it trip over what it left itself? Alone, twice in a row in one process.",
        run,
        inquiry.victim,
        word,
    )
    inquiry.lab.bench.note(word)
    command = twice_command(run.command, inquiry.victim)
    inquiry.notebook.pages.append(page.model_copy(update={"command": command}))


def _left_by(inquiry: Inquiry) -> tuple[StateChange, ...]:
    """Return what one run of the victim leaves changed, measured now if it was not before."""
    measured = inquiry.lab.measured
    if measured.isolated is not None and measured.isolated.spec.watch_state:
        return measured.changes_by(inquiry.victim)
    watched = ALONE.model_copy(update={"tests": (inquiry.victim,), "watch_state": True})
    return inquiry.lab.run(watched).state_changes


def _decisive(inquiry: Inquiry, left: Sequence[StateChange]) -> tuple[StateChange, ...]:
    """Put what it left back before the second time: all of it, then piece by piece."""
    whole = _green_without(inquiry, left) if left else None
    if whole is None:
        return ()
    for change in left[:MAX_SINGLE_STATES] if len(left) > 1 else ():
        single = _green_without(inquiry, [change])
        if single is not None:
            return _shown(inquiry, [change], single)
    return _shown(inquiry, left, whole)


def _green_without(inquiry: Inquiry, changes: Sequence[StateChange]) -> SuiteRun | None:
    """Return the run in which these changes were put back after the first time, if it passed."""
    targets = [change.model_dump(mode="json") for change in changes]
    restore = {"after": inquiry.victim, "targets": targets}
    run = inquiry.lab.run(_asked(inquiry.victim), restore=restore)
    return None if is_red(run.outcome_of(inquiry.victim)) else run


def _shown(
    inquiry: Inquiry, changes: Sequence[StateChange], run: SuiteRun
) -> tuple[StateChange, ...]:
    """Keep the decisive experiment."""
    names = ", ".join(f"`{change.target}`" for change in changes[:SHOWN])
    inquiry.notebook.write(
        f"What does it trip over? The same, with {names} put back after the first time.",
        run,
        inquiry.victim,
        f"With {names} put back it passes the second time too. (Plain pytest, as printed, runs it "
        "once.)",
    )
    return tuple(changes)


def _state_words(state: Sequence[StateChange], left: Sequence[StateChange]) -> str:
    if state:
        named = ", ".join(
            f"`{c.target}` changed from {c.before} to {c.after}" for c in state[:SHOWN]
        )
        return f"It trips over what its first run leaves: {named}; with that put back it passes."
    if left:
        named = ", ".join(f"`{c.target}`" for c in left[:SHOWN])
        return f"Its first run leaves {named} changed; putting that back did not help."
    return "What its first run leaves behind was not seen."
