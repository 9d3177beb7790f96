"""The plain pytest command a person can type for a run, without regreen."""

import os
from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.factors import effect_of
from regreen_agents.runners.policy import RunnerPolicy

LISTED_TESTS = 6
"""Up to this many node ids are written out in a printed command."""


def shown_python(checkout: Path, policy: RunnerPolicy) -> tuple[str, ...]:
    """Return the interpreter as a person names it from the checkout, one word."""
    python = Path(policy.target.python)
    inside = python.is_relative_to(checkout)
    return (str(python.relative_to(checkout)) if inside else str(python),)


def pytest_command(
    checkout: Path, policy: RunnerPolicy, spec: RunSpec, order: Path | None = None
) -> tuple[str, ...]:
    """Return the plain pytest command a person can type in the checkout for the same run.

    Args:
        checkout: Where it is to be typed.
        policy: What every run follows.
        spec: What was run.
        order: A file of node ids, one a line; used where they are too many to print.
    """
    effect = effect_of(spec.factors, Path("/tmp/regreen-scratch"))  # noqa: S108 - only printed
    names = [f"PYTHONHASHSEED={spec.hash_seed}"]
    names += [f"{name}={value}" for name, value in (*effect.env.items(), *spec.extra_env)]
    unset = [part for name in spec.drop_env for part in ("-u", name)]
    tests, python = spec.tests, shown_python(checkout, policy)
    folder: tuple[str, ...] = ()
    if spec.cwd != "." and tests is not None:
        python, folder = (policy.target.python,), ("-C", spec.cwd)
        tests = tuple(NodeId(os.path.relpath(name, spec.cwd)) for name in tests)
    pytest = ["env", *folder, *unset, *names, *python, "-m", "pytest"]
    pytest += ["-p", "no:cacheprovider"]
    if tests is None:
        return (*pytest, *policy.select)
    if order is not None:
        return ("xargs", "-d", r"\n", "-a", _shown(checkout, order), *pytest)
    return (*pytest, *tests)


def order_file(spec: RunSpec, log: Path) -> Path | None:
    """Write a long order beside the log, so that a command can name it."""
    if spec.tests is None or len(spec.tests) <= LISTED_TESTS:
        return None
    path = log.with_suffix(".order.txt")
    path.write_text("".join(f"{name}\n" for name in spec.tests), encoding="utf-8")
    return path


def _shown(checkout: Path, path: Path) -> str:
    return str(path.relative_to(checkout) if path.is_relative_to(checkout) else path)
