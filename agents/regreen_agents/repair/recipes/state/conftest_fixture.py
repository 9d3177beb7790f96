"""The same state leaks from several files: one restoring fixture for all, in their conftest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.environment_inventory import test_files
from regreen_agents.repair.recipes.fixtures import fixture_decorator
from regreen_agents.repair.recipes.functions import is_docstring
from regreen_agents.repair.recipes.monkeypatching import polluters_of
from regreen_agents.repair.recipes.saved_state import write_piece
from regreen_agents.repair.recipes.state.restore_fixture import changes_in, with_restoring
from regreen_agents.repair.source import SourceTree, definition


@dataclass(frozen=True)
class ConftestFixture:
    """Puts one autouse fixture into the conftest of all polluters, and drops its twins below."""

    name: str = "conftest_fixture"
    causes: frozenset[Cause] = frozenset(
        {Cause.ENVIRONMENT_LEAK, Cause.GLOBAL_STATE, Cause.CWD_LEAK}
    )

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the conftest's edit, or None for one polluting file, or a state that resists."""
        paths = list(dict.fromkeys(n.partition("::")[0] for n in polluters_of(finding)))
        if len(paths) < 2:  # noqa: PLR2004 - one file has its own fixture
            return None
        draft = Draft(tree)
        home = f"{_common_folder(paths)}conftest.py"
        file = draft.file(home)
        if file is None:
            if tree.exists(home):
                return None
            file = SourceFile(tree, home, cst.parse_module(""))
        changes = changes_in(finding, home)
        if not changes or any(write_piece(c, "saved", file) is None for c in changes):
            return None
        placed = with_restoring(file, changes, "function")
        if placed is None:
            return None
        draft.put(placed.file)
        fixture = definition(placed.file.module, (), placed.name)
        dropped = list(_dropped(draft, tree, home, fixture)) if fixture is not None else []
        return self._proposal(draft, f"{home}:1 restore {placed.subjects}", dropped)

    def _proposal(self, draft: Draft, line: str, dropped: list[str]) -> Proposal:
        what = line.partition(" restore ")[2]
        twins = (f"Replaces {len(dropped)} like it.",) if dropped else ()
        return Proposal(
            recipe=self.name,
            title=f"Restore {what} after every test, in one place",
            strategy=f"Several files leave {what} changed. One automatic fixture in their "
            "conftest.py saves it before each test and puts it back, instead of one in each file.",
            pros=("Protects the files added tomorrow too.", "One fixture to maintain.", *twins),
            cons=(
                "Runs for every test below that folder.",
                "The tests themselves keep writing shared state.",
            ),
            edits=draft.edits(),
            change_lines=(f"{line} after each test", *dropped),
        )


def _common_folder(paths: list[str]) -> str:
    """Return the folder that holds all the files, with a slash, or an empty text."""
    common = PurePosixPath(paths[0]).parent
    while any(common not in PurePosixPath(path).parents for path in paths):
        common = common.parent
    return "" if common == PurePosixPath() else f"{common}/"


def _dropped(draft: Draft, tree: SourceTree, home: str, fixture: cst.FunctionDef) -> Iterator[str]:
    """Take the fixtures that do the same out of the files below, and yield a line for each."""
    folder = home.removesuffix("conftest.py")
    wanted = _shape(fixture)
    for path in test_files(tree):
        file = draft.file(path) if path.startswith(folder) and path != home else None
        for node in list(file.module.body) if file is not None else ():
            if file is None or not isinstance(node, cst.FunctionDef):
                continue
            if fixture_decorator(file, node) is None or _shape(node) != wanted:
                continue
            body = [one for one in file.module.body if one is not node]
            file = SourceFile(file.tree, path, file.module.with_changes(body=body))
            draft.put(file)
            yield f"{path}:1 leave {node.name.value} to the conftest"


def _shape(function: cst.FunctionDef) -> str:
    """Return the code of a fixture without its docstring, the names it binds, and its layout."""
    module = cst.Module([])
    body = [s for s in function.body.body if not is_docstring(s)]
    decorators = " ".join(module.code_for_node(one.decorator) for one in function.decorators)
    code = " ".join(" ".join(module.code_for_node(one).split()) for one in body)
    names = dict.fromkeys(re.findall(r"\b(\w+) = ", code))
    for number, name in enumerate(names):
        code = re.sub(rf"(?<![.\w]){name}\b", f"_{number}", code)
    return f"{decorators} {code}".replace("'", '"')
