"""Before-and-after checks of recipes, in the manner of LibCST's ``assertCodemod``."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from pytest_forks import run_pytest
from regreen_agents.domain.findings import Category, Cause, Finding, SourceLocation
from regreen_agents.domain.identity import ClusterId, NodeId
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits


def write_tree(root: Path, files: Mapping[str, str]) -> SourceTree:
    """Write files, their common indentation taken off, and return them as a tree."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).removeprefix("\n"), encoding="utf-8", newline="")
    return SourceTree(root)


def make_finding(cause: Cause, *tests: str, **fields: object) -> Finding:
    """Return a finding; the tests are the polluters of leaks and the victims of all else."""
    ids = tuple(NodeId(test) for test in tests)
    leaks = cause in {Cause.ENVIRONMENT_LEAK, Cause.GLOBAL_STATE, Cause.CWD_LEAK}
    base: dict[str, object] = {
        "cluster": ClusterId("C1"),
        "category": Category.OD_VICTIM,
        "cause": cause,
        "summary": "",
        "victims": (NodeId("tests/test_victim.py::test_victim"),) if leaks else ids,
        "polluters": ids if leaks else (),
    }
    return Finding.model_validate({**base, **fields})


def env_change(
    name: str, test: str = "tests/test_a.py::test_it", after: str = "'EU'"
) -> StateChange:
    return StateChange(
        node_id=NodeId(test),
        kind=StateKind.ENVIRONMENT,
        target=name,
        before="<absent>",
        after=after,
        literal_after=True,
    )


def owned_change(
    module: str, attribute: str, *, before: str = "1", after: str = "2", container: str = ""
) -> StateChange:
    kind = StateKind.CLASS_ATTRIBUTE if "." in attribute else StateKind.MODULE_GLOBAL
    return StateChange(
        node_id=NodeId("tests/test_a.py::test_it"),
        kind=kind,
        target=f"{module}.{attribute}",
        module=module,
        attribute=attribute,
        before=before,
        after=after,
        container=container,
        literal_after=True,
    )


def change(kind: StateKind, target: str) -> StateChange:
    return StateChange(
        node_id=NodeId("tests/test_a.py::test_it"), kind=kind, target=target, before="", after=""
    )


def at(path: str, line: int) -> tuple[SourceLocation, ...]:
    return (SourceLocation(path=path, line=line),)


def assert_repairs(
    tree: SourceTree, recipe: str, finding: Finding, after: Mapping[str, str]
) -> Proposal:
    """Check a proposal to the byte, that it parses, and that a repaired tree needs no repair."""
    proposal = propose(recipe, finding, tree)
    assert proposal is not None
    expected = {path: dedent(text).removeprefix("\n") for path, text in after.items()}
    assert {edit.path: edit.after for edit in proposal.edits} == expected
    for edit in proposal.edits:
        assert edit.before == tree.read(edit.path)
        ast.parse(edit.after)
    apply_edits(tree.root, proposal.edits)
    assert propose(recipe, finding, SourceTree(tree.root)) is None
    return proposal


def pytest_exit(root: Path, *tests: str, cwd: str = ".", hash_seed: str = "0") -> int:
    """Run tests of a tree in the order given, in a process of their own."""
    arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", str(root)]
    arguments += [str(root / test) for test in tests]
    environment = {"PATH": "", "PYTHONPATH": str(root), "PYTHONHASHSEED": hash_seed}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if hash_seed == "0":
        return run_pytest(arguments, root / cwd, environment).exit_code
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=root / cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode
