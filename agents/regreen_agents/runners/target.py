"""The target's interpreter and what is installed in it."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.identity import Model
from regreen_agents.errors import TargetError
from regreen_agents.runners.process import ProcessRequest, Stopper, run_process

PROBE_SECONDS = 60.0
OWN = "regreen's own"
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")

MODULE_BEHIND = """
import re, sys
from importlib import metadata
from importlib.util import find_spec

GUARD = re.compile(r"^if +[(]?__name__ *== *['\\"]__main__['\\"]", re.M)

def found(name):
    try:
        return find_spec(name)
    except Exception:
        return None

def source(name):
    try:
        return found(name).loader.get_source(name) or ""
    except Exception:
        return ""

def runs(name, whole):
    spec = found(name)
    if spec is None:
        return False
    if spec.submodule_search_locations is not None:
        return found(name + ".__main__") is not None
    return whole or bool(GUARD.search(source(name)))

def behind(command):
    name = command.replace("-", "_")
    if name.isidentifier() and runs(name, True):
        return name
    every = [e for d in metadata.distributions() for e in d.entry_points]
    named = [e for e in every if e.group == "console_scripts" and e.name == command]
    for module, _, function in [e.value.partition("[")[0].partition(":") for e in named]:
        module, function = module.strip(), function.strip()
        parts = module.split(".")
        for count in range(len(parts), 0, -1):
            outer = ".".join(parts[:count])
            main = source(outer + ".__main__") if count < len(parts) else function
            if runs(outer, False) and re.search(r"\\b%s\\b" % re.escape(function), main):
                return outer
    return ""

print("REGREEN" + behind(sys.argv[1]))
"""
QUESTION = """
import json, sys
from importlib import metadata
found = {d.metadata["Name"] or "" for d in metadata.distributions()}
names = sorted(name.lower().replace("_", "-") for name in found)
try:
    import pytest
    version = pytest.__version__
except ImportError:
    version = ""
print("REGREEN" + json.dumps({
    "version": sys.version.split()[0], "pytest": version,
    "plugins": [n for n in names if n.startswith("pytest-") or n in ("anyio", "hypothesis")],
}))
"""


class Target(Model):
    """An interpreter that can run the suite."""

    python: str
    """Absolute path, symlinks kept: a virtual environment is its path."""
    version: str
    pytest_version: str
    plugins: tuple[str, ...]
    """Names of pytest plugin distributions, lower case, dashes."""
    chosen_by: str
    """``configuration``, ``VIRTUAL_ENV``, ``.venv``, ``venv`` or ``regreen's own``."""
    unasked_plugins: tuple[str, ...] = ()
    """pytest plugins that are there only because regreen's own dependencies bring them."""


class Choice(NamedTuple):
    """An interpreter, and what pointed at it."""

    python: Path
    by: str


def choose_interpreter(project: Path, configured: str, environ: Mapping[str, str]) -> Choice:
    """Choose the target's interpreter: configuration, VIRTUAL_ENV, ``.venv``, ``venv``, else ours.

    VIRTUAL_ENV is passed over when it is regreen's own environment and the project has one itself:
    an activated tool environment says nothing about the target.

    Raises:
        TargetError: The configured interpreter does not exist.
    """
    if configured:
        path = project / Path(configured).expanduser()
        if not os.access(path, os.X_OK):
            raise TargetError(
                f"The configured interpreter {configured!r} cannot be run.",
                why=f"{path} does not exist or is not executable.",
                fix="Correct `python` in [tool.regreen].",
            )
        return Choice(path.absolute(), "configuration")
    own = [Choice(python_in(project / name), name) for name in (".venv", "venv")]
    own = [choice for choice in own if os.access(choice.python, os.X_OK)]
    active = environ.get("VIRTUAL_ENV", "")
    if active and not (own and Path(active).resolve() == Path(sys.prefix).resolve()):
        python = python_in(Path(active))
        if os.access(python, os.X_OK):
            return Choice(python, "VIRTUAL_ENV")
    if own:
        return Choice(own[0].python.absolute(), own[0].by)
    return Choice(Path(sys.executable), OWN)


def python_in(environment: Path) -> Path:
    """Return where a virtual environment keeps its interpreter."""
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def inspect_target(choice: Choice, env: Mapping[str, str], scratch: Path) -> Target:
    """Ask the interpreter for its version, pytest and plugins.

    Args:
        choice: The interpreter.
        env: The environment runs will have.
        scratch: A folder for the answer's log.

    Raises:
        TargetError: It cannot be run, or has no pytest, or one older than 7.
    """
    log = scratch / "target.log"
    request = ProcessRequest(
        command=(str(choice.python), "-c", QUESTION),
        cwd=scratch,
        env=env,
        log=log,
        timeout_seconds=PROBE_SECONDS,
        owner="target",
    )
    done = run_process(request, stopper=Stopper())
    text = log.read_text(errors="replace")
    _, marker, answer = text.rpartition("REGREEN")
    if done.exit_code != 0 or not marker:
        raise TargetError(
            f"The interpreter {str(choice.python)!r} does not work.",
            why=text.strip()[-500:] or f"It ended with {done.exit_code}.",
            fix="Repair that environment, or set `python` in [tool.regreen].",
        )
    facts = json.loads(answer)
    _require_pytest(choice, facts["pytest"])
    return Target(
        python=str(choice.python),
        version=facts["version"],
        pytest_version=facts["pytest"],
        plugins=tuple(facts["plugins"]),
        chosen_by=choice.by,
        unasked_plugins=unasked_plugins(choice.python),
    )


def module_behind(target: Target, command: str, env: Mapping[str, str], scratch: Path) -> str:
    """Return the module that ``-m`` runs in the target's interpreter as a command, else nothing.

    It is called like the command; or it is the module of the command's entry point, or a package
    around it, and says itself that it runs that function.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    log = scratch / "module.log"
    request = ProcessRequest(
        command=(target.python, "-c", MODULE_BEHIND, command),
        cwd=scratch,
        env=env,
        log=log,
        timeout_seconds=PROBE_SECONDS,
        owner="target",
    )
    done = run_process(request, stopper=Stopper())
    _, _, answer = log.read_text(errors="replace").rpartition("REGREEN")
    return answer.strip() if done.exit_code == 0 else ""


def _require_pytest(choice: Choice, version: str) -> None:
    if not version:
        raise TargetError(
            f"There is no pytest in {str(choice.python)!r}.",
            why=f"That interpreter was chosen by {choice.by}, and it cannot import pytest.",
            fix=f"Run `{choice.python} -m pip install pytest`, or set `python` in [tool.regreen].",
        )
    if int(version.split(".", maxsplit=1)[0]) < 7:  # noqa: PLR2004 - the oldest version the probe is tested on
        raise TargetError(
            f"pytest {version} in {str(choice.python)!r} is too old.",
            why="regreen's probe needs pytest 7 or newer.",
            fix=f"Run `{choice.python} -m pip install 'pytest>=7'`.",
        )


def unasked_plugins(python: Path) -> tuple[str, ...]:
    """Return the pytest plugins an interpreter has only because regreen is installed beside it.

    Where the suite shares regreen's environment, some plugins of our dependencies import for a
    second and are no choice of the suite's. One that anything else installed needs is left alone.
    """
    if python.absolute().parent.parent.resolve() != Path(sys.prefix).resolve():
        return ()
    ours = closure_of("regreen")
    others = [d for d in metadata.distributions() if _name(d) not in ours]
    wanted = {name for other in others for name in _needs(other)}
    found = (metadata.distribution(name) for name in ours - wanted - {"regreen", "pytest"})
    return tuple(
        sorted(
            entry.name for one in found for entry in one.entry_points if entry.group == "pytest11"
        )
    )


def closure_of(distribution: str) -> set[str]:
    """Return an installed distribution and all it needs, by normalised name."""
    todo, seen = [distribution], set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        try:
            needs = _needs(metadata.distribution(name))
        except metadata.PackageNotFoundError:
            continue  # an optional dependency, or one of another platform
        seen.add(name)
        todo += needs
    return seen


def _needs(distribution: metadata.Distribution) -> list[str]:
    required = [r for r in distribution.requires or () if "extra ==" not in r]
    return [_normal(match[0]) for r in required if (match := REQUIREMENT.match(r))]


def _name(distribution: metadata.Distribution) -> str:
    return _normal(distribution.metadata["Name"] or "")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def quote(command: tuple[str, ...]) -> str:
    """Return a command as a person types it in a POSIX shell."""
    return shlex.join(command)
