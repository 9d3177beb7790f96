"""What factors of the perturbation matrix do to a process, and to the command a person types."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.runs import Factor
from regreen_agents.errors import RunnerError

TEMPORARY = ("TMPDIR", "TEMP", "TMP")
NEEDED = (
    *("PATH", "HOME", "LANG", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *(*TEMPORARY, "PYTEST_DISABLE_PLUGIN_AUTOLOAD"),
)
"""What a clean environment keeps: without it the suite itself may not start."""
HOME_PATTERNS = ("HOME", "USERPROFILE", "XDG_*")
TOOL_FILES = (
    "regreen_factors.py",
    "regreen_factors_clock.py",
    "regreen_factors_imports.py",
    "regreen_factors_world.py",
)
PROBE = Path(__file__).with_name("probe")


@dataclass(frozen=True)
class Effect:
    """What some factors do to one process, together."""

    env: dict[str, str] = field(default_factory=dict)
    """Variables set before the interpreter starts."""
    drop: tuple[str, ...] = ()
    """Names or globs of variables taken away."""
    keep: tuple[str, ...] | None = None
    """When told, all other variables are taken away."""
    inside: dict[str, str] = field(default_factory=dict)
    """Factor -> value, applied by the probe inside the process before pytest is imported."""
    options: tuple[str, ...] = ()
    """pytest options, after all others."""
    test_timeout_seconds: float | None = None
    """Instead of the policy's limit of each test."""

    def unset(self, env: Mapping[str, str]) -> Iterable[str]:
        """Return the variables of an environment that go."""
        return [
            name
            for name in env
            if any(fnmatchcase(name, pattern) for pattern in self.drop)
            or (self.keep is not None and name not in self.keep)
        ]


Maker = Callable[[str, Path], Effect]


def _home(value: str, scratch: Path) -> Effect:
    if value == "unset":
        return Effect(drop=HOME_PATTERNS, inside={"home": value})
    home = str(scratch / "home")
    return Effect(drop=HOME_PATTERNS, env={"HOME": home}, inside={"home": home})


def _tmpdir(_value: str, scratch: Path) -> Effect:
    folder = scratch / "another tmp"
    return Effect(
        env=dict.fromkeys(TEMPORARY, str(folder)),
        inside={"tmpdir": str(folder)},
        options=(f"--basetemp={folder / 'pytest'}",),
    )


def _dst(value: str, _scratch: Path) -> Effect:
    return Effect(env={"TZ": value.partition("@")[2]}, inside={"dst": value})


def _locale(value: str, _scratch: Path) -> Effect:
    return Effect(
        drop=("LC_*", "LANGUAGE"),
        env={"LC_ALL": value, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )


def _inside(name: str) -> Maker:
    return lambda value, _scratch: Effect(inside={name: value})


MAKERS: dict[str, Maker] = {
    "time-zone": lambda value, _scratch: Effect(env={"TZ": value}, inside={"time-zone": value}),
    "dst": _dst,
    "date": _inside("date"),
    "time-of-day": _inside("time-of-day"),
    "locale": _locale,
    "home": _home,
    "tmpdir": _tmpdir,
    "umask": _inside("umask"),
    "clean-env": lambda _value, _scratch: Effect(keep=NEEDED),
    "minimal-path": lambda value, _scratch: Effect(env={"PATH": value}),
    "listing-order": _inside("listing-order"),
    "network": _inside("network"),
    "cpu-count": _inside("cpu-count"),
    "load": _inside("load"),
    "workers": lambda value, _scratch: Effect(options=("-p", "xdist", "-n", value)),
    "warnings": lambda value, _scratch: Effect(options=("-W", value)),
    "float-precision": _inside("float-precision"),
    "memory": _inside("memory"),
    "time-limit": lambda value, _scratch: Effect(test_timeout_seconds=float(value)),
}
"""Factors that change a process; others (order, hash seed, ...) are fields of a run's spec."""
AT_START = frozenset({"locale", "clean-env", "minimal-path", "tmpdir", "workers", "warnings"})
"""Those whose effect needs a process of their own: a fork of one that collected shows nothing."""


def effect_of(factors: Sequence[Factor], scratch: Path) -> Effect:
    """Return what factors do together; a later one wins over an earlier one.

    Args:
        factors: Of one run.
        scratch: A folder of the run's own, for those that need one.

    Raises:
        RunnerError: A factor is not in the catalogue.
    """
    effects = [maker_of(factor)(factor.value, scratch) for factor in factors]
    return Effect(
        env={name: value for effect in effects for name, value in effect.env.items()},
        drop=tuple(name for effect in effects for name in effect.drop),
        keep=next((effect.keep for effect in effects if effect.keep is not None), None),
        inside={name: value for effect in effects for name, value in effect.inside.items()},
        options=tuple(option for effect in effects for option in effect.options),
        test_timeout_seconds=next(
            (e.test_timeout_seconds for e in reversed(effects) if e.test_timeout_seconds), None
        ),
    )


def maker_of(factor: Factor) -> Maker:
    """Return what makes a factor's effect of its value, or raise RunnerError."""
    if factor.name not in MAKERS:
        raise RunnerError(
            f"There is no factor {factor.name!r}.",
            why=f"The catalogue has {', '.join(sorted(MAKERS))}.",
            fix="Choose one of these.",
        )
    return MAKERS[factor.name]


class Plain(NamedTuple):
    """Words with which a person repeats factors in a plain command."""

    env: tuple[str, ...]
    """Arguments of ``env``: ``-u NAME`` and ``NAME=value``."""
    tool: tuple[str, ...]
    """Arguments of the interpreter before ``-m pytest``; empty when variables are enough."""
    options: tuple[str, ...]
    """Of pytest."""


def plain_words(factors: Sequence[Factor], scratch: str, tool: str, env: Iterable[str]) -> Plain:
    """Return how a person applies factors without regreen.

    Args:
        factors: Of one run.
        scratch: A folder to name where one is needed.
        tool: Path of a copy of the tool, see `copy_tool`; it makes the folders it needs.
        env: Names of the variables the run would have.
    """
    effect = effect_of(factors, Path(scratch))
    unset = [part for name in effect.unset(dict.fromkeys(env, "")) for part in ("-u", name)]
    named = [f"{name}={value}" for name, value in effect.env.items()]
    # A zone is a variable and nothing more to a process that starts with it.
    inside = [f"{name}={value}" for name, value in effect.inside.items() if name != "time-zone"]
    return Plain((*unset, *named), (tool, *inside) if inside else (), effect.options)


def copy_tool(folder: Path) -> Path:
    """Copy the files that apply factors into a folder, once; return the one to run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOOL_FILES:
        if not (folder / name).exists():
            shutil.copyfile(PROBE / name, folder / name)
    return folder / TOOL_FILES[0]
