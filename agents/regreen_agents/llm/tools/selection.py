"""Which tests a model means: exact ids, whole files, and what comes near where there are none."""

import difflib
from collections.abc import Sequence

from regreen_agents.domain.identity import NodeId
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.tools.base import ToolProblemError
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_prompts.text import clean_text, one_line

NEAR = 6
COMPARED = 3000
"""Ids compared letter by letter with an unknown one."""


def known_tests(bench: Toolbench) -> tuple[NodeId, ...]:
    """Return all tests the baseline met, in the order of its first run."""
    runs = bench.lab.measured.runs
    return tuple(dict.fromkeys(r.node_id for run in runs for r in run.results))


def chosen_tests(names: Sequence[str], bench: Toolbench) -> tuple[NodeId, ...]:
    """Return the tests that names stand for, each once, in the order given.

    Args:
        names: Node ids; files, classes, and tests without their parameters stand for all of theirs.
        bench: Whose baseline knows the tests; in files of the draft any test may be named.

    Raises:
        ToolProblemError: There is no such test; says what comes near.
    """
    known = known_tests(bench)
    exact = {clean_text(test): test for test in known}
    found: list[NodeId] = []
    for name in names:
        asked = clean_text(name)
        if asked in exact:
            found.append(exact[asked])
            continue
        below = [test for test in known if test.startswith((f"{asked}::", f"{asked}["))]
        if not below and _is_drafted(name, bench.draft):
            below = [NodeId(name)]
        if not below:
            raise ToolProblemError(_unknown(name, known))
        found += below
    return tuple(dict.fromkeys(found))


def one_test(name: str, bench: Toolbench) -> NodeId:
    """Return the one test a name stands for.

    Raises:
        ToolProblemError: There is none, or more than one.
    """
    found = chosen_tests([name], bench)
    if len(found) > 1:
        listed = ", ".join(found[:NEAR])
        raise ToolProblemError(f"{one_line(name)!r} stands for {len(found)} tests: {listed}.")
    return found[0]


def _is_drafted(name: str, draft: Draft | None) -> bool:
    """Whether the draft has a name's file, so that the baseline may not know the test."""
    return draft is not None and "::" in name and draft.text(name.partition("::")[0]) is not None


def _unknown(name: str, known: Sequence[NodeId]) -> str:
    near = near_tests(name, known)
    asked = one_line(name[:300])
    if not near:
        return f"There is no test {asked!r}, and none with a similar name."
    return "\n".join([f"There is no test {asked!r}. Near:", *(clean_text(test) for test in near)])


def near_tests(name: str, known: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """Return known tests like a name: the same function first, then the same letters."""
    function = name.rpartition("::")[2].partition("[")[0]
    same = [test for test in known if test.rpartition("::")[2].partition("[")[0] == function]
    within = [test for test in known if len(function) > 3 and function in test]  # noqa: PLR2004 - shorter ones are everywhere
    alike = difflib.get_close_matches(name[:300], known[:COMPARED], n=NEAR, cutoff=0.5)
    return tuple(dict.fromkeys(NodeId(test) for test in (*same, *within, *alike)))[:NEAR]
