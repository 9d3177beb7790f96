"""A victim that passes after a cleaner: let the polluters' file make the cleaner's own call."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.carried_names import meaning_of
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.fixtures import with_fixture_above
from regreen_agents.repair.recipes.monkeypatching import Site, polluters_of, site_of
from regreen_agents.repair.recipes.names import bound_in, dotted
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import SourceTree

_CLEANING = re.compile(
    r"(^|_)(reset|clear|restore|stop|undo|flush|clean|cleanup|remove|unregister|close|shutdown"
    r"|teardown|tear_down|deactivate|disable|uninstall|unload|release|cache_clear)(_|$|all|All)"
)


@dataclass(frozen=True)
class CallCleaner:
    """Calls after each test of the polluting files what a cleaner calls to clean up."""

    name: str = "call_cleaner"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a fixture for each polluting file, or None when no cleaner makes such a call."""
        draft = Draft(tree)
        call = next(_cleaning_calls(finding, draft), "")
        if not call:
            return None
        lines: list[str] = []
        for path in dict.fromkeys(n.partition("::")[0] for n in polluters_of(finding)):
            file = draft.file(path)
            changed = _with_call(file, call) if file is not None else None
            if changed is None:
                return None
            draft.put(changed)
            lines.append(f"{path}:1 call {call}() after each test")
        return self._proposal(call, draft, tuple(lines)) if lines else None

    def _proposal(self, call: str, draft: Draft, lines: tuple[str, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Call {call}() after each test of the polluting file",
            strategy=f"The victim passes when a test that calls {call}() runs in between: an "
            "automatic fixture makes the same call after each test.",
            pros=(
                "Uses the project's own way to clean up, so it follows the project's changes.",
                "Protects later tests of the file too.",
            ),
            cons=("It goes back to a known state, not to the state before the test.",),
            edits=draft.edits(),
            change_lines=lines,
        )


def _cleaning_calls(finding: Finding, draft: Draft) -> Iterator[str]:
    """Yield the full names of calls without arguments that clean up, by their name."""
    for node_id in finding.cleaners:
        site = site_of(draft, node_id)
        if site is not None:
            found = _Calls(site)
            site.function.body.visit(found)
            yield from found.names


class _Calls(cst.CSTVisitor):
    """Collects calls of imported functions by names that say they clean up."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._names = site.file.names_in(site.function)
        self._local = bound_in(site.function) - self._names.bindings.keys()
        self.names: list[str] = []

    def visit_Expr(self, node: cst.Expr) -> None:  # noqa: N802 - LibCST's name
        if not isinstance(node.value, cst.Call) or node.value.args:
            return
        head, dot, rest = dotted(node.value.func).partition(".")
        if not _CLEANING.search((rest or head).rpartition(".")[2]) or head in self._local:
            return
        meaning = self._names.bindings.get(head) or meaning_of(self._site.file, head)
        if meaning:
            self.names.append(meaning + dot + rest)


def _with_call(file: SourceFile, call: str) -> SourceFile | None:
    module, path = call, list[str]()
    while module and file.tree.module_path(module) is None and "." in module:
        module, _, last = module.rpartition(".")
        path.insert(0, last)
    if not path:
        return None
    name = f"_{path[-1]}_after_each_test"
    if name in file.names.used:
        return None
    pytest_name, file = file.refer("pytest")
    written, file = file.refer(module, path)
    text = [
        f"@{pytest_name}.fixture(autouse=True)",
        f"def {name}():",
        "    yield",
        f"    {written}()",
    ]
    (fixture,) = statements(file.module, text)
    if not isinstance(fixture, cst.FunctionDef):
        return None
    return with_fixture_above(file, fixture, None)
