"""Which program runs a suite, and the runner for it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from regreen_agents.errors import TargetError
from regreen_agents.runners.base import SuiteRunner, limits_of
from regreen_agents.runners.cargo_runner import CargoRunner
from regreen_agents.runners.junit_runner import JunitRunner
from regreen_agents.runners.policy import adjusting_options
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process
from regreen_agents.runners.pytest_runner import Door, PytestRunner
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.target import Target, choose_interpreter, inspect_target

VERSION_SECONDS = 60.0
NO_PYTEST = "not used"


def runner_for(door: Door, builds: Path) -> SuiteRunner:
    """Return the runner a policy's suite needs.

    Args:
        door: What every run of the sprint goes through.
        builds: Where compiled suites are built, a folder for each tree.
    """
    if door.policy.suite.runner == "cargo":
        return CargoRunner(door, builds)
    if door.policy.suite.runner == "junit":
        return JunitRunner(door)
    return PytestRunner(door)


def target_of(
    suite: Suite, place: tuple[Path, str], environ: Mapping[str, str], env: Mapping[str, str],
    scratch: Path,
) -> Target:  # fmt: skip
    """Return what runs the suite: an interpreter with pytest, or the program of its command.

    Args:
        suite: As configured.
        place: The project's folder, and the interpreter its configuration names.
        environ: The environment regreen itself has.
        env: The environment runs will have.
        scratch: A folder for logs.

    Raises:
        TargetError: It cannot be run.
    """
    if suite.is_pytest:
        project, python = place
        return inspect_target(choose_interpreter(project, python, environ), env, scratch)
    name = suite.cargo_command[0] if suite.runner == "cargo" else suite.command[0]
    program = _program(name, place[0], env)
    version = _version(program, env, scratch) if suite.runner == "cargo" else "not asked"
    return Target(
        python=program,
        version=version,
        pytest_version=NO_PYTEST,
        plugins=(),
        chosen_by=f"runner = {suite.runner!r}",
    )


def options_for(target: Target, suite: Suite) -> tuple[str, ...]:
    """Return the options regreen adds to the suite's own; other runners than pytest get none."""
    return adjusting_options(target) if suite.is_pytest else ()


def notes_for(suite: Suite) -> tuple[str, ...]:
    """Return what reports say about a runner that cannot do all that pytest's can."""
    return tuple(f"runner {suite.runner!r}: {limit}" for limit in limits_of(suite))


def _program(name: str, project: Path, env: Mapping[str, str]) -> str:
    beside = project / name
    found = (
        str(beside)
        if "/" in name and beside.is_file()
        else shutil.which(name, path=env.get("PATH"))
    )
    if found is None:
        raise TargetError(
            f"The program {name!r} of the suite's command is not there.",
            why="It is on no folder of PATH and no file of the project.",
            fix="Install it, or correct `command` in [tool.regreen].",
        )
    return found


def _version(program: str, env: Mapping[str, str], scratch: Path) -> str:
    log = scratch / "version.log"
    request = ProcessRequest(
        command=(program, "--version"),
        cwd=scratch,
        env=env,
        log=log,
        timeout_seconds=VERSION_SECONDS,
        owner="target",
    )
    done = run_process(request, stopper=Stopper())
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    if done.exit_code != 0 or not said:
        raise TargetError(
            f"{program!r} does not work.",
            why=said[-500:] or f"It ended with {done.exit_code}.",
            fix="Repair the toolchain: `cargo --version` has to answer in the project's folder.",
        )
    return said.splitlines()[-1]
