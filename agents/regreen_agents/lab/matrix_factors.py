"""The catalogue of the perturbation matrix: factors, values tried, and what a flip points to."""

import ctypes
import sys
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Untried
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec
from regreen_agents.errors import RunnerError
from regreen_agents.lab.orders import shuffled
from regreen_agents.runners.factors import maker_of
from regreen_agents.runners.target import Target

ALL_LOCALES = 0x1FBF if sys.platform == "linux" else 0x3F
"""LC_ALL_MASK of <locale.h>."""


@dataclass(frozen=True)
class FactorKind:
    """One row of the catalogue."""

    name: str
    shows: str
    """What a test leans on whose outcome this flips, as the end of a sentence."""
    category: Category
    cause: Cause
    values: tuple[str, ...]
    """Tried on one diagnosed test, the most telling first; empty when they follow from the test."""
    channels: frozenset[str] = frozenset()
    """What it changes, when that is more than its own name: two factors that change the same
    thing are never applied together."""
    companionable: bool = True
    """Whether it may be screened together with others in one run."""


def _alone(name: str, shows: str, points_to: tuple[Category, Cause], *values: str) -> FactorKind:
    return FactorKind(name, shows, *points_to, values=values, companionable=False)


def _shared(
    name: str, shows: str, points_to: tuple[Category, Cause], *values: str, channels: str = ""
) -> FactorKind:
    return FactorKind(name, shows, *points_to, values, channels=frozenset(channels.split()))


DATE = (Category.TD, Cause.TIME)
ZONE = (Category.TZD, Cause.TIME_ZONE)
AROUND = (Category.ENVIRONMENT, Cause.SURROUNDINGS)
BUSY = (Category.NOD, Cause.CONCURRENCY)
BEFORE_SPRING = "2028-03-12T01:59:30@America/New_York"
"""The hour from 2 to 3 is missing that night."""
IN_AUTUMN = "2028-11-05T01:30@America/New_York"
"""The hour from 1 to 2 comes twice that night; this is the first."""

CATALOGUE: dict[str, FactorKind] = {
    kind.name: kind
    for kind in (
        _shared(
            "time-zone",
            "the time zone",
            ZONE,
            "America/New_York",
            "Pacific/Kiritimati",
            "Asia/Kolkata",
            channels="zone",
        ),
        _shared("locale", "the locale or its encoding", (Category.ENVIRONMENT, Cause.LOCALE), "C"),
        _shared(
            "date",
            "the date",
            DATE,
            "+40d",
            "2028-02-29T12:00",
            "2027-12-31T12:00",
            "2027-01-31T12:00",
            "-1d",
            channels="clock",
        ),
        _shared(
            "hash-seed", "the order of sets", (Category.ID, Cause.UNORDERED_ITERATION), "1", "2"
        ),
        _shared(
            "listing-order",
            "the order in which a folder lists its files",
            (Category.ID, Cause.LISTING_ORDER),
            "reversed",
            "sorted",
        ),
        _shared("home", "files in the home folder, or its name", AROUND, "empty", "unset"),
        _shared("tmpdir", "the name of the folder for temporary files", AROUND, "with a space"),
        _shared("umask", "the permissions new files get", AROUND, "077"),
        _shared(
            "random-seed",
            "random numbers",
            (Category.NOD, Cause.UNSEEDED_RANDOMNESS),
            "1",
            "2",
            "3",
        ),
        _shared("time-of-day", "the time of day", DATE, "T23:59", "T00:01", channels="clock"),
        _shared("cpu-count", "the number of processors", BUSY, "1"),
        _shared(
            "dst",
            "a day on which the clocks change",
            ZONE,
            BEFORE_SPRING,
            IN_AUTUMN,
            channels="clock zone",
        ),
        _shared("float-precision", "torch's default type", AROUND, "float64"),
        _alone("isolation", "other tests", (Category.OD_VICTIM, Cause.GLOBAL_STATE), "alone"),
        _alone(
            "order",
            "the order of tests",
            (Category.OD_VICTIM, Cause.GLOBAL_STATE),
            "reverse",
            "random:1",
        ),
        _alone("cwd", "the working directory", (Category.ENVIRONMENT, Cause.CWD_RELATIVE_PATH)),
        _alone(
            "clean-env",
            "environment variables",
            (Category.ENVIRONMENT, Cause.ENVIRONMENT_VARIABLE),
            "minimal",
        ),
        _alone(
            "minimal-path",
            "commands found through PATH",
            (Category.ENVIRONMENT, Cause.BARE_COMMAND),
            "/usr/bin:/bin",
        ),
        _alone("network", "the network", (Category.INFRASTRUCTURE, Cause.NETWORK), "off"),
        _alone("warnings", "warnings being no errors", AROUND, "error"),
        _alone("load", "an idle machine", BUSY, "2x"),
        _alone("workers", "running in one process only", BUSY, "2"),
        _alone(
            "memory", "more memory than the limit", (Category.RESOURCE, Cause.SURROUNDINGS), "512"
        ),
        _alone("time-limit", "its time limit", (Category.TIMEOUT, Cause.TIME_LIMIT)),
    )
}
"""By name, the most telling and cheapest first: the order in which a budget is spent."""


def diagnosis_factors(test: NodeId) -> tuple[Factor, ...]:
    """Return what is tried on one test, the most telling first."""
    folders = [str(folder) for folder in PurePosixPath(test.partition("::")[0]).parents]
    of_test = {"cwd": tuple(folder for folder in folders if folder != ".")[:1]}
    return _by_turns(
        (kind.name, of_test.get(kind.name, kind.values)) for kind in CATALOGUE.values()
    )


def _by_turns(rows: Iterable[tuple[str, Sequence[str]]]) -> tuple[Factor, ...]:
    listed = list(rows)
    longest = max(len(values) for _, values in listed)
    return tuple(
        Factor(name=name, value=values[turn])
        for turn in range(longest)
        for name, values in listed
        if turn < len(values)
    )


def groups(factors: Iterable[Factor]) -> tuple[tuple[Factor, ...], ...]:
    """Put factors that do not interfere into groups, each to be screened in one run.

    Two factors interfere when they change the same thing (two dates, a zone and a night in that
    zone) or when one of them is not companionable. Greedy, in the order given: each factor joins
    the first group that has room for it.
    """
    made: list[tuple[list[Factor], set[str]]] = []
    for factor in factors:
        kind = CATALOGUE[factor.name]
        wanted = {factor.name, *kind.channels} if kind.companionable else {"everything"}
        for members, taken in made:
            if kind.companionable and "everything" not in taken and not wanted & taken:
                members.append(factor)
                taken.update(wanted)
                break
        else:
            made.append(([factor], set(wanted)))
    return tuple(tuple(members) for members, _ in made)


def under(spec: RunSpec, *factors: Factor) -> RunSpec:
    """Return the spec of the same run with factors changed, all else held.

    Raises:
        RunnerError: A factor is not in the catalogue, or cannot be applied to this spec.
    """
    for factor in factors:
        change = SPEC_FIELDS.get(factor.name)
        if change is not None:
            spec = change(spec, factor.value)
            continue
        maker_of(factor)
        spec = spec.model_copy(update={"factors": (*spec.factors, factor)})
    return spec


def available(
    factors: Iterable[Factor], target: Target
) -> tuple[tuple[Factor, ...], tuple[Untried, ...]]:
    """Part factors into those that can be tried, in their order, and the others with reasons."""
    reasons = {factor: unavailable(factor, target) for factor in factors}
    kept = tuple(factor for factor, reason in reasons.items() if not reason)
    left_out = tuple(Untried(factor=f, reason=reason) for f, reason in reasons.items() if reason)
    return kept, left_out


def unavailable(factor: Factor, target: Target) -> str:
    """Return why a factor cannot be tried here, or an empty text."""
    if factor.name == "workers" and "pytest-xdist" not in target.plugins:
        return "pytest-xdist is not installed for the target"
    if factor.name == "locale" and not has_locale(factor.value):
        return f"this machine has no locale {factor.value}"
    zone = factor.value.partition("@")[2] if factor.name == "dst" else factor.value
    if factor.name in ("time-zone", "dst") and not has_zone(zone):
        return f"this machine has no time zone {zone}"
    if factor.name == "float-precision" and not has_torch(target):
        return "torch is not installed for the target, and numpy has no default type to set"
    if factor.name in ("memory", "cpu-count") and sys.platform != "linux":
        return "it can be limited on Linux only"
    return ""


def has_zone(name: str) -> bool:
    """Whether the machine knows a zone; an unknown one would silently be UTC."""
    return any(Path(folder, name).is_file() for folder in zoneinfo.TZPATH)


def has_locale(name: str) -> bool:
    """Whether the C library knows a locale, asked without changing this process's own."""
    if name in ("C", "POSIX"):
        return True
    library = ctypes.CDLL(None)
    library.newlocale.restype = ctypes.c_void_p
    library.freelocale.argtypes = (ctypes.c_void_p,)
    made = library.newlocale(ALL_LOCALES, name.encode(), None)
    if made:
        library.freelocale(made)
    return bool(made)


def has_torch(target: Target) -> bool:
    """Whether the target's environment has torch."""
    return any(Path(target.python).parent.parent.glob("lib/python*/site-packages/torch"))


def _reversed(spec: RunSpec, value: str) -> RunSpec:
    tests = _tests_of(spec)
    if value == "reverse":
        ordered = tuple(reversed(tests))
        return spec.model_copy(update={"order": OrderKind.GIVEN, "tests": ordered})
    seed = int(value.partition(":")[2] or 1)
    ordered = shuffled(tests, seed)
    return spec.model_copy(update={"order": OrderKind.RANDOM, "seed": seed, "tests": ordered})


def _tests_of(spec: RunSpec) -> tuple[NodeId, ...]:
    if spec.tests is None:
        raise RunnerError(
            "Tests cannot be put into another order without their names.",
            why="The spec asks for the whole suite.",
            fix="Give the spec the tests a run has told.",
        )
    return spec.tests


SPEC_FIELDS: dict[str, Callable[[RunSpec, str], RunSpec]] = {
    "order": _reversed,
    "isolation": lambda spec, _value: spec.model_copy(update={"order": OrderKind.ISOLATED}),
    "hash-seed": lambda spec, value: spec.model_copy(update={"hash_seed": value}),
    "random-seed": lambda spec, value: spec.model_copy(update={"random_seed": int(value)}),
    "cwd": lambda spec, value: spec.model_copy(update={"cwd": value}),
}
"""Factors that are fields of a run's spec; `MAKERS` has all others."""
