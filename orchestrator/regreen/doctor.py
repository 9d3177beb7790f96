"""What a sprint needs here, what it finds, and what to do about what is missing."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from regreen.config import load_config
from regreen.views import DoctorLine
from regreen_agents.domain.runs import RunSpec
from regreen_agents.engines.command_probe import Probe, probe
from regreen_agents.errors import RegreenError
from regreen_agents.lab.measure import collected_ids
from regreen_agents.runners.base import limits_of
from regreen_agents.runners.choice import target_of
from regreen_agents.runners.policy import (
    RunnerPolicy,
    adjusting_options,
    allowed_environment,
    withheld,
)
from regreen_agents.runners.process import Stopper
from regreen_agents.runners.pytest_runner import Door, Meter, PytestRunner
from regreen_agents.runners.suites import Suite
from regreen_agents.runners.target import Target
from regreen_agents.workspace.repository import Repository, git_version

COLLECT_SECONDS = 120.0


def doctor(path: Path) -> tuple[DoctorLine, ...]:
    """Look at everything a sprint in this folder would need; changes nothing."""
    return tuple(_lines(path))


def _lines(path: Path) -> Iterator[DoctorLine]:
    yield DoctorLine(name="regreen's Python", state="ok", detail=platform.python_version(), fix="")
    if shutil.which("git") is None:
        fix = "Install git, and make sure it is on PATH."
        yield DoctorLine(name="git", state="missing", detail="not on PATH", fix=fix)
        return
    yield DoctorLine(name="git", state="ok", detail=git_version(), fix="")
    try:
        repository = Repository.open(path)
        yield _ok("repository", str(repository.root))
    except RegreenError as error:
        yield _problem("repository", error)
        return
    yield from _ready(repository)
    with tempfile.TemporaryDirectory(prefix="regreen-doctor-") as scratch:
        yield from _suite(repository, Path(scratch))
    yield from _engines(repository.project)
    yield from _tools()


def _ready(repository: Repository) -> Iterator[DoctorLine]:
    try:
        start = repository.require_ready()
        yield _ok("checkout", f"{start.branch} at {start.base[:10]}, clean")
    except RegreenError as error:
        yield _problem("checkout", error)
    untracked = repository.untracked()
    if untracked:
        yield DoctorLine(
            name="untracked files",
            state="warn",
            detail=f"{len(untracked)}, for example {untracked[0]}: a sprint does not see them",
            fix="Commit them, or add them to .gitignore, if tests need them.",
        )


def _suite(repository: Repository, scratch: Path) -> Iterator[DoctorLine]:
    try:
        config = load_config(repository.project)
        env = allowed_environment(os.environ, config.env_passthrough, config.env)
        suite, place = config.suite(), (repository.project, config.python)
        target = target_of(suite, place, os.environ, env, scratch)
    except RegreenError as error:
        yield _problem("target", error)
        return
    if suite.is_pytest:
        yield from _pytest(repository, target, env, scratch)
    else:
        yield from _other(target, suite)
    kept_back = withheld(os.environ, env)
    if kept_back:
        some = ", ".join(kept_back[:6])
        yield DoctorLine(
            name="environment",
            state="ok",
            detail=f"{len(kept_back)} variables are not passed to tests: {some}",
            fix="",
        )


def _pytest(
    repository: Repository, target: Target, env: dict[str, str], scratch: Path
) -> Iterator[DoctorLine]:
    yield _ok("interpreter", f"{target.python} ({target.version}), by {target.chosen_by}")
    yield _ok("pytest", f"{target.pytest_version}; plugins: {', '.join(target.plugins) or 'none'}")
    yield _collected(repository, target, env, scratch)


def _other(target: Target, suite: Suite) -> Iterator[DoctorLine]:
    """A suite of another runner is started by the baseline only: nothing lists it unbuilt."""
    yield _ok("runner", f"{suite.runner}: {target.python} ({target.version})")
    for limit in limits_of(suite):
        yield DoctorLine(name="limits", state="warn", detail=limit, fix="See docs/runners.md.")


def _collected(
    repository: Repository, target: Target, env: dict[str, str], scratch: Path
) -> DoctorLine:
    """Collect without running a test; nothing is written into the checkout."""
    options = (*adjusting_options(target), "--collect-only", "-p", "no:cacheprovider")
    policy = RunnerPolicy(
        target=target,
        env={**env, "PYTHONDONTWRITEBYTECODE": "1"},
        options=options,
        suite_timeout_seconds=COLLECT_SECONDS,
    )
    door = Door(policy, repository.root, "doctor", Stopper(), Meter())
    run = PytestRunner(door).run(repository.project, RunSpec(), scratch / "collect.log")
    tests = len(collected_ids(run))
    broken = [r.node_id for r in run.red()]
    if tests and not broken:
        return _ok("suite", f"{tests} tests can be collected")
    return DoctorLine(
        name="suite",
        state="warn" if tests else "missing",
        detail=f"{tests} tests can be collected, {len(broken)} modules cannot",
        fix=f"See {target.python} -m pytest --collect-only",
    )


def _engines(project: Path) -> Iterator[DoctorLine]:
    """Tell of each coding agent's command whether it is there, and which version."""
    try:
        engines = load_config(project).engines
    except RegreenError:
        return  # told above, with the target
    for name, settings in sorted(engines.items()):
        yield _engine(name, probe(settings, os.environ, project))


def _engine(name: str, found: Probe) -> DoctorLine:
    title = f"engine {name}"
    if not found.found:
        fix = "Install it, or correct `command` in [tool.regreen.engines]."
        return DoctorLine(name=title, state="warn", detail=f"{found.program}: not found", fix=fix)
    detail = f"{found.program}: {found.version or 'says no version'}"
    if found.checked:
        detail += f"; the preset's flags were looked up at {found.checked}"
    if not found.unset:
        return _ok(title, detail)
    missing = ", ".join(found.unset)
    fix = "Set them, and name them in `env` of the engine, unless it needs none."
    return DoctorLine(
        name=title, state="warn", detail=f"{detail}; not passed to it: {missing}", fix=fix
    )


def _tools() -> Iterator[DoctorLine]:
    yield DoctorLine(
        name="fork",
        state="ok" if hasattr(os, "fork") else "warn",
        detail="tests can be isolated by fork"
        if hasattr(os, "fork")
        else "no fork here: no test is run alone in the baseline",
        fix="",
    )


def _ok(name: str, detail: str) -> DoctorLine:
    return DoctorLine(name=name, state="ok", detail=detail, fix="")


def _problem(name: str, error: RegreenError) -> DoctorLine:
    return DoctorLine(
        name=name, state="missing", detail=f"{error.what} {error.why}".strip(), fix=error.fix
    )
