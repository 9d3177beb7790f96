"""Failures that show every time: what is missing, where it runs, or what is wrong."""

import re
from pathlib import Path, PurePosixPath

from regreen_agents.domain.findings import Category, Cause, Finding, SourceLocation
from regreen_agents.domain.runs import FailureDetail, Outcome
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import is_red, without_worktree
from regreen_agents.lab.signatures import tree_frames

MISSING_FILE = re.compile(r"No such file or directory: b?(['\"])(?P<path>.+?)\1")
MISSING_MODULE = re.compile(r"No module named (['\"])(?P<name>[\w.]+)\1")
MISSING_FIXTURE = re.compile(r"fixture (['\"])(?P<name>\w+)\1 not found")
MISSING_LOCALE = re.compile(r"unsupported locale setting")


def could_not_be_collected(inquiry: Inquiry) -> Finding | None:
    """A module pytest cannot import fails before any test of it exists."""
    failure = inquiry.failure()
    if failure is None or failure.phase != "collect":
        return None
    module = _module_missing(failure)
    if module:
        return _missing_dependency(inquiry, f"the module `{module}`", module)
    return inquiry.finding(
        Category.REAL_BUG,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} cannot be collected: {failure.type}: {_first_line(failure.message)}",
    )


def dies_or_hangs(inquiry: Inquiry) -> Finding | None:
    """A test that ends its process or its time is confirmed alone."""
    outcomes = {*inquiry.signature.outcomes, inquiry.signature.alone}
    if not outcomes & {Outcome.TIMEOUT, Outcome.CRASHED}:
        return None
    outcome = inquiry.lab.outcome([inquiry.victim], ALONE)
    run = inquiry.lab.last_run([inquiry.victim], ALONE)
    word = "alone too" if is_red(outcome) else "only in the full suite"
    inquiry.notebook.write("Does it die or hang alone?", run, inquiry.victim, f"It fails {word}.")
    hangs = Outcome.TIMEOUT in outcomes
    limit = inquiry.lab.bench.runner.policy.test_timeout_seconds
    summary = (
        f"{inquiry.victim} does not end within its time limit of {limit:g} s, {word}."
        if hangs
        else f"{inquiry.victim} ends the whole pytest process, {word}."
    )
    return inquiry.finding(
        Category.TIMEOUT if hangs else Category.INFRASTRUCTURE,
        Cause.TIME_LIMIT if hangs else Cause.CRASH,
        summary,
    )


def asks_what_is_missing(inquiry: Inquiry) -> Finding | None:
    """Read what the failure says is not there, then check that it is not."""
    failure = inquiry.failure()
    if failure is None:
        return None
    fixture = MISSING_FIXTURE.search(failure.message)
    if fixture:
        return _missing_dependency(inquiry, f"the fixture `{fixture['name']}`", fixture["name"])
    if module := _module_missing(failure):
        return _missing_dependency(inquiry, f"the module `{module}`", module)
    if MISSING_LOCALE.search(failure.message) and failure.type.endswith("Error"):
        return _missing_resource(inquiry, ("a locale the operating system does not have",))
    path = MISSING_FILE.search(failure.message)
    if path and _from_subprocess(failure) and "/" not in path["path"]:
        return _bare_command(inquiry, path["path"])
    return None


def leans_on_working_directory(inquiry: Inquiry) -> Finding | None:
    """Run the victim in the test file's folder and those above it: a pass there settles it."""
    test_folder = PurePosixPath(inquiry.victim.partition("::")[0]).parent
    folders = [str(f) for f in (test_folder, *test_folder.parents) if str(f) != "."]
    missing = _missing_path(inquiry)
    for folder in folders:
        spec = ALONE.model_copy(update={"cwd": folder})
        if is_red(inquiry.lab.outcome([inquiry.victim], spec)):
            continue
        run = inquiry.lab.last_run([inquiry.victim], spec)
        inquiry.notebook.write(
            f"Does it depend on the working directory? The same test, run in {folder}/.",
            run,
            inquiry.victim,
            f"It passes in {folder}/ and fails in the project's root.",
        )
        return inquiry.finding(
            Category.ENVIRONMENT,
            Cause.CWD_RELATIVE_PATH,
            f"{inquiry.victim} opens `{missing or 'a path'}` relative to the working directory: "
            f"it passes in {folder}/ and fails when pytest starts in the project's root.",
            missing=(missing,) if missing else (),
            locations=_test_locations(inquiry),
        )
    if missing and not _exists_in_project(inquiry, missing):
        return _missing_resource(inquiry, _all_missing_paths(inquiry))
    return None


def is_wrong_everywhere(inquiry: Inquiry) -> Finding | None:
    """Alone and in every order it fails the same way: the code or the test is wrong."""
    if not inquiry.alone_red or inquiry.settings(red=False):
        return None
    failure = inquiry.failure()
    said = "" if failure is None else f"{failure.type}: {_first_line(failure.message)}"
    return inquiry.finding(
        Category.REAL_BUG,
        Cause.CODE_BUG,
        f"{inquiry.victim} fails the same way alone and in every order, working directory and "
        f"seed tried: {said}",
    )


def _bare_command(inquiry: Inquiry, command: str) -> Finding:
    scripts = Path(inquiry.lab.bench.runner.policy.target.python).parent
    path = inquiry.lab.bench.runner.policy.env.get("PATH", "")
    spec = ALONE.model_copy(update={"extra_env": (("PATH", f"{scripts}:{path}"),)})
    passes = not is_red(inquiry.lab.outcome([inquiry.victim], spec))
    inquiry.notebook.write(
        "Is the command in the interpreter's own folder? The same test with that folder on PATH.",
        inquiry.lab.last_run([inquiry.victim], spec),
        inquiry.victim,
        f"It {'passes' if passes else 'fails'} with {scripts.name}/ of the interpreter on PATH.",
    )
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.BARE_COMMAND,
        f"{inquiry.victim} starts the bare command `{command}`, which is not on PATH"
        + (" though the interpreter's own folder has it." if passes else "."),
        missing=(command,),
        locations=_test_locations(inquiry),
    )


def _missing_dependency(inquiry: Inquiry, what: str, name: str) -> Finding:
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.MISSING_DEPENDENCY,
        f"{len(inquiry.members)} tests need {what}, which the target's environment does not have.",
        missing=(name,),
    )


def _missing_resource(inquiry: Inquiry, paths: tuple[str, ...]) -> Finding:
    shown = ", ".join(f"`{p}`" for p in paths[:5]) + (", ..." if len(paths) > 5 else "")  # noqa: PLR2004
    return inquiry.finding(
        Category.RESOURCE,
        Cause.MISSING_RESOURCE,
        f"{len(inquiry.members)} tests need {shown}, which is nowhere in the repository.",
        missing=paths,
    )


def _module_missing(failure: FailureDetail) -> str:
    match = MISSING_MODULE.search(f"{failure.message}\n{failure.output_tail}")
    return match["name"] if match and "ModuleNotFound" in failure.type + failure.output_tail else ""


def _from_subprocess(failure: FailureDetail) -> bool:
    return any(frame.path.endswith("/subprocess.py") for frame in failure.frames)


def _missing_path(inquiry: Inquiry) -> str:
    paths = _all_missing_paths(inquiry)
    return paths[0] if paths else ""


def _all_missing_paths(inquiry: Inquiry) -> tuple[str, ...]:
    """Return the missing files the cluster's failures name, relative to the project if inside."""
    found = []
    for member in inquiry.cluster.members:
        match = MISSING_FILE.search(member.failure.message) if member.failure else None
        if match:
            found.append(without_worktree(match["path"]))
    return tuple(dict.fromkeys(found))


def _exists_in_project(inquiry: Inquiry, path: str) -> bool:
    name = PurePosixPath(path).name
    return (inquiry.lab.bench.project / path).exists() or any(
        found for found in inquiry.lab.bench.project.rglob(name) if ".git" not in found.parts
    )


def _test_locations(inquiry: Inquiry) -> tuple[SourceLocation, ...]:
    """Return the failure's frames in the project, innermost first."""
    failure = inquiry.failure()
    frames = [] if failure is None else tree_frames(failure)
    return tuple(
        SourceLocation(path=f.path, line=f.line, text=f.function) for f in reversed(frames)
    )


def _first_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[0][:200] if lines else ""
