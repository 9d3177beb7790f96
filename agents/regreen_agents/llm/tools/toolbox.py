"""Who gets which tools. What is not in a box cannot be done: safety is a missing tool."""

from typing import Any

from regreen_agents.domain.findings import TestSignature
from regreen_agents.domain.plans import Plan
from regreen_agents.llm.draft import Draft
from regreen_agents.llm.tools.base import Tool
from regreen_agents.llm.tools.coverage import coverage_of_failure
from regreen_agents.llm.tools.editing import (
    create_file,
    delete_file,
    edit_file,
    show_diff,
    validate,
)
from regreen_agents.llm.tools.experiments import last_evidence, run_tests
from regreen_agents.llm.tools.history import git_blame, git_log, git_show
from regreen_agents.llm.tools.reading import list_files, read_file, read_output
from regreen_agents.llm.tools.searching import search
from regreen_agents.llm.tools.suspects import find_polluter, perturbation_matrix
from regreen_agents.llm.tools.workbench import Toolbench
from regreen_agents.runners.base import capabilities_of

AnyTool = Tool[Any]
"""A tool, whatever it is asked."""


def explorer_tools(bench: Toolbench) -> tuple[AnyTool, ...]:
    """Return what an explorer may do: read, and run experiments. None of them can write a file.

    The tree is brought back to its commit first, so that the first read sees nothing else. The
    order is the same every time: the tools are the beginning of every request.
    """
    bench.lab.bench.reset()
    reading: tuple[AnyTool, ...] = (
        *(read_file(bench), search(bench), list_files(bench)),
        *(git_log(bench), git_blame(bench), git_show(bench), last_evidence(bench)),
    )
    running: tuple[AnyTool, ...] = (read_output(bench), run_tests(bench))
    if capabilities_of(bench.lab.bench.runner.policy.suite).is_python:
        python = (find_polluter(bench), perturbation_matrix(bench), coverage_of_failure(bench))
        running = (*running, *python)
    return (*reading, *running)


def implementer_tools(
    bench: Toolbench, plan: Plan, signatures: tuple[TestSignature, ...]
) -> tuple[AnyTool, ...]:
    """Return what an implementer may do: an explorer's tools, on the draft, and edits of it.

    Args:
        bench: With a draft, whose scope is the plan's.
        plan: As approved.
        signatures: The baseline's, of the whole suite.

    Raises:
        ValueError: The bench has no draft, or one with another scope.
    """
    draft = bench.draft
    if not isinstance(draft, Draft) or tuple(draft.scope) != plan.scope:
        raise ValueError("an implementer needs a draft with the plan's scope")
    return (
        *explorer_tools(bench),
        edit_file(bench, draft),
        create_file(bench, draft),
        delete_file(bench, draft),
        show_diff(bench, draft),
        validate(bench, draft, plan, signatures),
    )
