"""Run one test several times in a row in this process, everything torn down between the times.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. That a test fails the
second time shows that it is not idempotent (NIO: Wei et al., ICSE 2022). The way is that of
pytest-rerunfailures and pytest-flakefinder: the same item, `nextitem` None up to the last time.
"""

from typing import Any, Optional


def run_item(item: Any, nextitem: Optional[Any], probe: Any) -> None:
    """Run an item as often as the probe is asked to; `probe.round` counts the times from 0."""
    times = int(probe.asked.get("repeats") or 1)
    names = doctest_names(item) if times > 1 else None
    for number in range(times):
        probe.round = number
        if names is not None and number:
            item.dtest.globs.clear()
            item.dtest.globs.update(names)
        following = nextitem if number == times - 1 else None
        # pytest itself makes the item's request anew where it is missing.
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    probe.round = 0


def doctest_names(item: Any) -> Any:
    """Return a copy of the names a doctest starts with: running it clears them."""
    names = getattr(getattr(item, "dtest", None), "globs", None)
    return dict(names) if isinstance(names, dict) else None


def run_loop(session: Any, probe: Any) -> bool:
    """Run a session's items as pytest's own loop does, each as often as asked."""
    items = session.items
    for index, item in enumerate(items):
        run_item(item, items[index + 1] if index + 1 < len(items) else None, probe)
        stop_if_asked(session)
    return True


def stop_if_asked(session: Any) -> None:
    """Break off as pytest does."""
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
