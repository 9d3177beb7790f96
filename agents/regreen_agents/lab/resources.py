"""What failures say is not there: files, modules, fixtures, commands; and whether that is so."""

import re
from pathlib import Path, PurePosixPath

from regreen_agents.domain.findings import Category, Cause, Finding, SourceLocation
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.distributions import offer
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import is_red, without_worktree
from regreen_agents.lab.signatures import is_test_path, tree_frames
from regreen_agents.runners.target import module_behind

MISSING_FILE = re.compile(r"No such file or directory: b?(['\"])(?P<path>.+?)\1")
MISSING_MODULE = re.compile(r"No module named (['\"])(?P<name>[\w.]+)\1")
MISSING_FIXTURE = re.compile(r"fixture (['\"])(?P<name>\w+)\1 not found")
OF_THE_MACHINE = (
    (
        re.compile(r"unsupported locale setting"),
        "a locale the operating system does not have",
    ),
    (
        re.compile(
            r"Name or service not known|Temporary failure in name resolution|nodename nor servname"
            r"|Network is unreachable|No route to host|getaddrinfo failed|Failed to resolve"
        ),
        "a connection to the network",
    ),
)
LOCALE_NAME = re.compile(r"\b[a-z]{2}_[A-Z]{2}(?:\.[\w-]+)?")
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Of an object: another in every run."""
SHOWN = 5


def asks_what_is_missing(inquiry: Inquiry) -> Finding | None:
    """Read what the failure says is not there, then check that it is not."""
    failure = inquiry.failure()
    if failure is None:
        return None
    if fixture := MISSING_FIXTURE.search(failure.message):
        name = fixture["name"]
        return missing_dependency(inquiry, f"the fixture `{name}`", f"the fixture {name}")
    if module := missing_module(failure):
        return missing_dependency(inquiry, f"the module `{module}`", module)
    if what := missing_of_the_machine(failure):
        return missing_resource(inquiry, (f"{what}{_named_in_source(inquiry)}",))
    path = MISSING_FILE.search(failure.message)
    if path and _from_subprocess(failure) and "/" not in path["path"]:
        return _bare_command(inquiry, path["path"])
    return None


def missing_of_the_machine(failure: FailureDetail) -> str:
    """Return in words what the failure says the machine lacks, or an empty text.

    A refused connection is no lack of a network: whoever refuses is there.
    """
    said = (what for pattern, what in OF_THE_MACHINE if pattern.search(failure.message))
    return next(said, "")


def missing_module(failure: FailureDetail) -> str:
    """Return the module a failed import names, or an empty text."""
    text = f"{failure.message}\n{failure.output_tail}"
    match = MISSING_MODULE.search(text)
    return match["name"] if match and "ModuleNotFound" in failure.type + text else ""


def missing_dependency(inquiry: Inquiry, what: str, name: str) -> Finding:
    """Conclude that the environment lacks something."""
    inquiry.facts.add(Fact.MISSING)
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.MISSING_DEPENDENCY,
        f"{_tests(inquiry)} {what}, which the target's environment does not have. "
        f"{offer(name, inquiry.lab.bench.project)}".rstrip(),
        missing=(name,),
    )


def missing_resource(inquiry: Inquiry, paths: tuple[str, ...]) -> Finding:
    """Conclude that the repository, or the machine, lacks something."""
    inquiry.facts.add(Fact.MISSING)
    shown = ", ".join(f"`{p}`" for p in paths[:SHOWN]) + (", ..." if len(paths) > SHOWN else "")
    verb = "are" if len(paths) > 1 else "is"
    return inquiry.finding(
        Category.RESOURCE,
        Cause.MISSING_RESOURCE,
        f"{_tests(inquiry)} {shown}, which {verb} nowhere to be found here.",
        missing=paths,
    )


def _tests(inquiry: Inquiry) -> str:
    count = len(inquiry.members)
    return f"{count} tests need" if count > 1 else "1 test needs"


def missing_paths(inquiry: Inquiry) -> tuple[str, ...]:
    """Return the missing files the cluster's failures name, relative to the project if inside."""
    found = []
    for member in inquiry.cluster.members:
        match = MISSING_FILE.search(member.failure.message) if member.failure else None
        if match:
            found.append(without_worktree(match["path"]))
    return tuple(dict.fromkeys(found))


def exists_in_project(inquiry: Inquiry, path: str) -> bool:
    """Whether a file of that name is anywhere in the project."""
    name, project = PurePosixPath(path).name, inquiry.lab.bench.project
    if not name or name in {".", ".."}:
        return True
    return (project / path).exists() or any(
        found for found in project.rglob(name) if ".git" not in found.parts
    )


def test_locations(inquiry: Inquiry) -> tuple[SourceLocation, ...]:
    """Return the failure's frames in the project, innermost first."""
    failure = inquiry.failure()
    frames = [] if failure is None else tree_frames(failure)
    return tuple(
        SourceLocation(path=f.path, line=f.line, text=f.function) for f in reversed(frames)
    )


def installed_copy(inquiry: Inquiry) -> str:
    """Return the package of this tree that the tests import from site-packages, or nothing."""
    failure, project = inquiry.failure(), inquiry.lab.bench.project
    for frame in reversed(failure.frames if failure else ()):
        _, marker, inside = frame.path.rpartition("site-packages/")
        top = inside.partition("/")[0].removesuffix(".py")
        places = [project / top, project / "src" / top, project / f"{top}.py"]
        if marker and top and any(place.exists() for place in places):
            return top
    own_code = any(not is_test_path(place.path) for place in test_locations(inquiry))
    copies = inquiry.lab.measured.runs[0].installed_copies
    return copies[0] if copies and not own_code else ""


def copy_words(copy: str) -> str:
    """Say why no repair of an installed copy can show."""
    return (
        f"The tests run an installed copy of `{copy}` in site-packages, not this tree's: no edit "
        "here can show. Install it editable (pip install -e .) or put its folder on PYTHONPATH, "
        "then sprint again."
    )


def first_line(message: str) -> str:
    """Return the first line of a message, at most 200 characters and no address, for a sentence."""
    lines = ADDRESS.sub("", message.strip()).splitlines()
    return lines[0][:200].rstrip(" .,:;") if lines else ""


def _named_in_source(inquiry: Inquiry) -> str:
    """Return the locales named at the failure's lines: the message itself names none."""
    project, names = inquiry.lab.bench.project, list[str]()
    for place in test_locations(inquiry):
        path = project / place.path
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        around = "\n".join(lines[max(0, place.line - 3) : place.line + 2])
        names += LOCALE_NAME.findall(around)
    shown = ", ".join(dict.fromkeys(names))
    return f" ({shown})" if shown else ""


def _bare_command(inquiry: Inquiry, command: str) -> Finding:
    inquiry.facts.add(Fact.MISSING)
    runner = inquiry.lab.bench.runner
    scripts = Path(runner.policy.target.python).parent
    path = runner.policy.env.get("PATH", "")
    spec = ALONE.model_copy(update={"extra_env": (("PATH", f"{scripts}:{path}"),)})
    passes = not is_red(inquiry.lab.outcome([inquiry.victim], spec))
    inquiry.notebook.write(
        "Is the command in the interpreter's own folder? The same test with that folder on PATH.",
        inquiry.lab.last_run([inquiry.victim], spec),
        inquiry.victim,
        f"It {'passes' if passes else 'fails'} with {scripts.name}/ of the interpreter on PATH.",
    )
    target, logs = runner.policy.target, inquiry.lab.bench.logs
    where = "though the interpreter's own folder has it" if passes else "nor in the interpreter's"
    return inquiry.finding(
        Category.ENVIRONMENT,
        Cause.BARE_COMMAND,
        f"{inquiry.victim} starts the bare command `{command}`, which is not on PATH"
        + (f" {where}." if passes else f" {where} own folder."),
        missing=(command,),
        module=module_behind(target, command, runner.policy.env, logs),
        locations=test_locations(inquiry),
    )


def _from_subprocess(failure: FailureDetail) -> bool:
    return any(frame.path.endswith("/subprocess.py") for frame in failure.frames)
