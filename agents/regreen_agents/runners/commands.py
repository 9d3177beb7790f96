"""The plain pytest command a person can type for a run, without regreen."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.factors import Plain, copy_tool, plain_words
from regreen_agents.runners.plain_options import plain_options
from regreen_agents.runners.policy import RunnerPolicy

LISTED_TESTS = 6
"""Up to this many node ids are written out in a printed command."""


def shown_python(checkout: Path, policy: RunnerPolicy) -> tuple[str, ...]:
    """Return the interpreter as a person names it from the checkout, one word."""
    python = Path(policy.target.python)
    inside = python.is_relative_to(checkout)
    return (str(python.relative_to(checkout)) if inside else str(python),)


class Places(NamedTuple):
    """Folders a command has to do with."""

    checkout: Path
    """Where it is typed."""
    project: Path
    """Where the suite's own settings are: the project's folder in the tree of the run."""


def pytest_command(
    places: Places, policy: RunnerPolicy, spec: RunSpec, beside: Path | None = None
) -> tuple[str, ...]:
    """Return the plain pytest command a person can type in the checkout for the same run.

    Args:
        places: Where it is to be typed, and where the suite's settings are.
        policy: What every run follows.
        spec: What was run.
        beside: The run's log: what the command needs is written into its folder, a list of node
            ids where they are too many to print, and the tool that applies factors.
    """
    checkout, project = places
    order = None if beside is None else _order_file(spec, beside)
    plain = _plain(checkout, policy, spec, beside)
    # env takes its options before its variables, and so do these words.
    unset = [part for name in spec.drop_env for part in ("-u", name)]
    names = [*plain.env, f"PYTHONHASHSEED={spec.hash_seed}"]
    names += [f"{name}={value}" for name, value in spec.extra_env]
    tests, python = spec.tests, shown_python(checkout, policy)
    folder: tuple[str, ...] = ()
    if spec.cwd != "." and tests is not None:
        python, folder = (policy.target.python,), ("-C", spec.cwd)
        tests = tuple(NodeId(os.path.relpath(name, spec.cwd)) for name in tests)
    pytest = ["env", *folder, *unset, *names, *python, *plain.tool, "-m", "pytest"]
    pytest += [*plain_options(project, policy), *plain.options]
    if tests is None:
        return (*pytest, *policy.select)
    if order is not None:
        return ("xargs", "-d", r"\n", "-a", _shown(checkout, order), *pytest)
    return (*pytest, *tests)


def _plain(checkout: Path, policy: RunnerPolicy, spec: RunSpec, beside: Path | None) -> Plain:
    """Return the words that repeat the spec's factors."""
    if not spec.factors:
        return Plain((), (), ())
    scratch = Path(tempfile.gettempdir()) / "regreen-factors"
    tool = "regreen_factors.py"
    if beside is not None:
        tool = _shown(checkout, copy_tool(beside.parent / "factors"))
    return plain_words(spec.factors, str(scratch), tool, policy.env)


def _order_file(spec: RunSpec, log: Path) -> Path | None:
    """Write a long order beside the log, so that a command can name it."""
    if spec.tests is None or len(spec.tests) <= LISTED_TESTS:
        return None
    path = log.with_suffix(".order.txt")
    path.write_text("".join(f"{name}\n" for name in spec.tests), encoding="utf-8")
    return path


def _shown(checkout: Path, path: Path) -> str:
    return str(path.relative_to(checkout) if path.is_relative_to(checkout) else path)
