"""The laboratory's knobs as a model turns them: seeds, folder, variables, factors."""

import re

from pydantic import Field

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec
from regreen_agents.lab.matrix_factors import CATALOGUE, unavailable, under
from regreen_agents.llm.tools.asking import Asked
from regreen_agents.llm.tools.base import ToolProblemError
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.runners.base import unable
from regreen_agents.runners.policy import SECRET_WORDS

MAX_VALUE = 2000
"""Characters of a variable's value."""
LOADING = re.compile(
    r"(?:LD_|DYLD_|PYTHON|PYTEST|GIT_|REGREEN|COVERAGE|COV_|BASH_|RUST|CARGO|JAVA_|NODE_).*"
    r"|PATH|ENV|SHELL|IFS|VIRTUAL_ENV|GCONV_PATH|HOME|TMPDIR|TEMP|TMP"
)
"""What decides which code is loaded, or has a factor or setting of its own."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_CLOCK = r"T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_DAY = r"(?:19[7-9]\d|20\d\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_ZONE = r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}"
VALUES = {
    "time-zone": _ZONE,
    "dst": f"{_DAY}{_CLOCK}@{_ZONE}",
    "date": rf"[+-]\d{{1,4}}[smhd]|{_DAY}{_CLOCK}",
    "time-of-day": _CLOCK,
    "locale": r"[A-Za-z][A-Za-z0-9_.@-]{0,30}",
    "home": "empty|unset",
    "tmpdir": "with a space",
    "umask": r"0?[0-7]{3}",
    "clean-env": "minimal",
    "minimal-path": "/usr/bin:/bin",
    "listing-order": r"reversed|sorted|shuffled:\d{1,4}",
    "network": "off",
    "cpu-count": r"[1-9]\d?",
    "load": r"[1-4]x",
    "workers": r"[1-8]",
    "warnings": "error|always|ignore|default",
    "float-precision": "float64|float32",
    "memory": r"[1-9]\d{1,4}",
    "time-limit": r"[1-9]\d{0,2}",
}
"""Factor -> the values a model may give it; one that is not here cannot be given."""


class Setting(Asked):
    """One thing about the surroundings, changed."""

    name: str
    """time-zone, dst, date, time-of-day, locale, home, tmpdir, umask, clean-env, minimal-path,
    listing-order, network, cpu-count, load, workers, warnings, float-precision, memory (MiB) or
    time-limit (seconds)."""
    value: str
    """Such as America/New_York, +40d or 2028-02-29T12:00 (date), T23:59, C (locale), reversed."""


class Knobs(Asked):
    """What a run holds fixed or changes."""

    hash_seed: int = Field(default=0, ge=0, le=4294967295)
    """PYTHONHASHSEED."""
    random_seed: int | None = Field(default=None, ge=0, le=4294967295)
    """Given to random and numpy before every test; leave it out to change nothing."""
    repeats: int = Field(default=1, ge=1, le=20)
    """Times each test runs in a row in one process."""
    cwd: str = "."
    """Working directory, a folder of the project."""
    set_env: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Variables to set."""
    unset_env: tuple[str, ...] = Field(default=(), max_length=20)
    """Variables to take away."""
    factors: tuple[Setting, ...] = Field(default=(), max_length=6)
    """Changes of the surroundings."""


def spec_of(knobs: Knobs, tests: tuple[NodeId, ...], bench: Toolbench, *, alone: bool) -> RunSpec:
    """Return the run that knobs ask for.

    Raises:
        ToolProblemError: A knob cannot be turned that way, or this runner or machine has it not.
    """
    for name in (*knobs.set_env, *knobs.unset_env):
        _require_variable(name)
    for name, value in knobs.set_env.items():
        if "\0" in value or len(value) > MAX_VALUE:
            raise ToolProblemError(f"The value of {name} has a NUL character or is too long.")
    spec = RunSpec(
        order=OrderKind.ISOLATED if alone else OrderKind.GIVEN,
        tests=tests,
        hash_seed=str(knobs.hash_seed),
        random_seed=knobs.random_seed,
        cwd=bench.tree.folder(knobs.cwd),
        extra_env=tuple(sorted(knobs.set_env.items())),
        drop_env=tuple(sorted(set(knobs.unset_env))),
        repeats=knobs.repeats,
    )
    spec = under(spec, *(factor_of(setting, bench) for setting in knobs.factors))
    why = unable(spec, bench.lab.bench.runner.policy.suite)
    if why:
        raise ToolProblemError(f"This run cannot be made: {why}.")
    return spec


def factor_of(setting: Setting, bench: Toolbench) -> Factor:
    """Return a factor that can be tried here.

    Raises:
        ToolProblemError: There is no such factor or value, or this machine has it not.
    """
    pattern = VALUES.get(setting.name)
    if pattern is None or setting.name not in CATALOGUE:
        raise ToolProblemError(
            f"There is no factor {setting.name[:60]!r}; there are {', '.join(VALUES)}."
        )
    if not re.fullmatch(pattern, setting.value, re.ASCII):
        known = ", ".join(CATALOGUE[setting.name].values) or pattern
        raise ToolProblemError(
            f"{setting.value[:60]!r} is no value of {setting.name}; such are: {known}."
        )
    factor = Factor(name=setting.name, value=setting.value)
    why = unavailable(factor, bench.lab.bench.runner.policy.target)
    if why:
        raise ToolProblemError(f"{factor} cannot be tried: {why}.")
    return factor


def _require_variable(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ToolProblemError(f"{name[:100]!r} is no name of a variable.")
    if LOADING.fullmatch(name.upper()) or any(word in name.upper() for word in SECRET_WORDS):
        raise ToolProblemError(
            f"{name} may not be changed: it decides which code is loaded, holds a secret, or has a "
            "knob of its own (hash_seed, cwd, the factors home, tmpdir and minimal-path)."
        )
