"""pytest plugin: name the test that leaves its surroundings changed, for next to nothing.

Needs no regreen: copy this file and ``regreen_guard_watch.py`` onto the path and run
``pytest -p regreen_guard``. Python 3.8+, pytest 7+, no dependency.

It tells the test after which the working directory or the environment was another, or a file had
come or gone in the project; files named by the ini option ``guard_assets`` that are missing; and
paths of this machine written into tests. With pytest-xdist, files are looked at once, at the end.

``--guard=fail`` makes a finding fail the session (exit status 1); a missing asset always ends it
before the first test. ``guard_asset("data/golden.bin")`` (a fixture) is that file's absolute path.
"""

import importlib
from pathlib import Path
from typing import Any, Callable

import pytest

watch: Any = importlib.import_module("regreen_guard_watch")
GUARDS: Any = pytest.StashKey()
SHOWN = 20


def pytest_addoption(parser: Any) -> None:
    """Add the option and the ini values."""
    group = parser.getgroup("guard", "guards of the session's surroundings")
    group.addoption(
        "--guard",
        choices=("warn", "fail", "off"),
        default="warn",
        help="what a test that leaves its surroundings changed does to the session",
    )
    parser.addini("guard_assets", "files that must be there, from the root", type="linelist")


def pytest_configure(config: Any) -> None:
    """Start the guards where tests run: in xdist's workers, not in their controller."""
    if config.getoption("guard") == "off" or config.pluginmanager.has_plugin("regreen-guards"):
        return
    guards = watch.Guards(str(config.rootpath))
    config.stash[GUARDS] = guards
    is_worker = hasattr(config, "workerinput")
    guards.watches_files = not is_worker
    if is_worker or not getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(guards, "regreen-guards")


def pytest_sessionstart(session: Any) -> None:
    """End the session when what its tests need is not there."""
    config = session.config
    missing = watch.missing_assets(str(config.rootpath), config.getini("guard_assets"))
    if missing and GUARDS in config.stash:
        raise pytest.UsageError(
            "These files are missing: %s. The ini option guard_assets says that tests need them, "
            "below %s. Fetch or build them, or change guard_assets."
            % (", ".join(missing), config.rootpath)
        )


def pytest_collection_finish(session: Any) -> None:
    """Check what needs one look."""
    guards = session.config.stash.get(GUARDS, None)
    if guards is not None and session.items:
        guards.check_start(session.items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: Any) -> None:
    """Look at the folders a last time; with ``--guard=fail`` a finding fails the session."""
    guards = session.config.stash.get(GUARDS, None)
    if guards is None:
        return
    guards.end_modules()
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["guard"] = [tuple(one) for one in guards.findings]
    elif guards.findings and session.config.getoption("guard") == "fail":
        session.exitstatus = session.exitstatus or 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect what a worker of xdist has found."""
    guards = node.config.stash.get(GUARDS, None)
    if guards is not None:
        told = {watch.Finding(*one) for one in getattr(node, "workeroutput", {}).get("guard", ())}
        guards.findings.extend(sorted(told - set(guards.findings)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report."""
    guards = terminalreporter.config.stash.get(GUARDS, None)
    lines = ["%s %s\n" % (one.where, one.what) for one in (guards.findings if guards else ())]
    if lines:
        terminalreporter.section("guard: surroundings left changed", sep="-")
        more = "... and %d more\n" % (len(lines) - SHOWN) if len(lines) > SHOWN else ""
        terminalreporter.write("".join(lines[:SHOWN]) + more)


@pytest.fixture(scope="session")
def guard_asset(pytestconfig: Any) -> Callable[[str], Path]:
    """Return a function from a path below the project's root to its absolute path."""

    def absolute(name: str) -> Path:
        path = Path(pytestconfig.rootpath) / name
        if not path.exists():
            pytest.fail("the asset %s is missing" % path, pytrace=False)
        return path

    return absolute
