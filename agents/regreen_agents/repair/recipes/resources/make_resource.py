"""A file the repository lacks: a fixture that makes it, with the content its tests ask for."""

import posixpath
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour, flavour_of
from regreen_agents.repair.recipes.imports import BLANK, end_of_imports, spaced
from regreen_agents.repair.recipes.resources.asserted import files_named, functions_about, said_in
from regreen_agents.repair.recipes.resources.file_writers import HELPERS
from regreen_agents.repair.recipes.resources.formats import Facts, Written, written
from regreen_agents.repair.recipes.resources.gate_by_marker import NO_MODULE
from regreen_agents.repair.recipes.snippets import quoted, statements
from regreen_agents.repair.source import Place, SourceTree, definition

_TABLE = "_GENERATED_FILES"
_LONG = 20
"""A content longer than this that several files share gets a name."""
_TOO_LONG = 48
"""Any longer content gets a name."""
_LINE = 88


class _Resource(NamedTuple):
    path: str
    """Relative to the folder of the file with the fixture."""
    how: Written


@dataclass(frozen=True)
class MakeResource:
    """Generates missing files before the tests that read them, and removes them afterwards."""

    name: str = "make_resource"
    causes: frozenset[Cause] = frozenset({Cause.MISSING_RESOURCE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return a fixture that makes every missing file, or None when one is of no known format.

        It goes into the file of the victims, or into the ``conftest.py`` of the folder they share.
        """
        home = _home(finding)
        missing = _inside(finding, tree)
        draft = Draft(tree)
        file = draft.file(home) if missing else None
        if file is None and not home.endswith("conftest.py"):
            return None
        file = file or SourceFile(tree, home, NO_MODULE)
        resources = _resources(finding, tree, home, missing)
        if not resources or _TABLE in file.names.used:
            return None
        changed = _with_fixture(file, resources, style=_style(file, finding))
        before = tree.read(home) if tree.exists(home) else ""
        edit = FileEdit(path=home, before=before, after=changed.module.code)
        return self._proposal(edit, resources, missing)

    def _proposal(
        self, edit: FileEdit, resources: list[_Resource], missing: tuple[str, ...]
    ) -> Proposal:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if missing[3:] else "")
        invented = [r.path for r in resources if not r.how.derived]
        doubt = (
            (f"No assertion says what is in {', '.join(invented[:3])}: any content will do there.",)
            if invented
            else ()
        )
        return Proposal(
            recipe=self.name,
            title=f"Generate {shown} in a fixture",
            strategy="A fixture makes each file that is not there, always with the same content, "
            "derived from what the tests assert about it, and removes it after the tests.",
            pros=(
                "The tests run everywhere, and nothing binary is added to the repository.",
                "A file that is there is used as it is.",
            ),
            cons=(
                "The content is no more than the tests ask for: where the original file can be "
                "had, adding it tests more.",
                *doubt,
            ),
            edits=(edit,),
            change_lines=tuple(f"{edit.path}:1 generate {path}" for path in missing),
        )


def _home(finding: Finding) -> str:
    files = sorted({node_id.partition("::")[0] for node_id in finding.victims})
    if len(files) == 1:
        return files[0]
    folder = posixpath.commonpath([posixpath.dirname(file) or "." for file in files])
    return posixpath.normpath(f"{folder}/conftest.py")


def _inside(finding: Finding, tree: SourceTree) -> tuple[str, ...]:
    """Return what is missing, if all of it belongs into the tree and none of it is there."""
    paths = tuple(str(PurePosixPath(m.replace("\\", "/"))) for m in finding.missing)
    relative = all(p and " or " not in p and not p.startswith(("/", "..")) for p in paths)
    return paths if relative and not any(tree.exists(p) for p in paths) else ()


def _resources(
    finding: Finding, tree: SourceTree, home: str, missing: tuple[str, ...]
) -> list[_Resource]:
    """Return how to write each file, or nothing when one is of no known format."""
    found = []
    for path in missing:
        how = written(path, _facts(finding, tree, path))
        if how is None:
            return []
        relative = posixpath.relpath(path, posixpath.dirname(home) or ".")
        found.append(_Resource(relative, how))
    return found


def _facts(finding: Finding, tree: SourceTree, path: str) -> Facts:
    tests: dict[str, list[NodeId]] = {}
    for node_id in finding.victims:
        tests.setdefault(node_id.partition("::")[0], []).append(node_id)
    functions = [
        function
        for file, node_ids in tests.items()
        if tree.parse(file) is not None
        for function in functions_about(
            tree.read(file), (n.split("[", 1)[0].rpartition("::")[2] for n in node_ids), path
        )
    ]
    return Facts(said_in(functions), files_named(functions))


class _Style(NamedTuple):
    is_unittest: bool
    scope: str


def _style(file: SourceFile, finding: Finding) -> _Style:
    """Tell whether the file is plain unittest, which knows no fixtures."""
    every = all(_is_method(file, node_id) for node_id in finding.victims)
    taken = any(definition(file.module, (), n) for n in ("setUpModule", "tearDownModule"))
    plain = every and not file.names.find("pytest") and not taken
    is_conftest = file.path.endswith("conftest.py")
    return _Style(plain and not is_conftest, "session" if is_conftest else "module")


def _is_method(file: SourceFile, node_id: NodeId) -> bool:
    """Tell whether a test is a TestCase's method, by the class that is collected."""
    _, *classes, function = node_id.split("[", 1)[0].split("::")
    place = Place(file.path, tuple(classes), function, 1)
    return flavour_of(file, place) is Flavour.UNITTEST


def _with_fixture(file: SourceFile, resources: list[_Resource], style: _Style) -> SourceFile:
    path_class, file = file.refer_name("pathlib", "Path")
    helpers = list(dict.fromkeys(r.how.helper for r in resources if r.how.helper))
    modules = {m for r in resources for m in r.how.imports}
    modules |= {m for helper in helpers for m in HELPERS[helper][0]}
    for module in sorted(modules):
        if not file.names.find(module):
            file = file.importing(f"import {module}")
    blocks = [list(HELPERS[helper][1]) for helper in helpers]
    shared, table = _table(resources)
    lines = [*shared, *table]
    if style.is_unittest:
        making = _for_unittest(path_class)
    else:
        pytest_name, file = file.refer("pytest")
        making = _for_pytest(path_class, pytest_name, style.scope)
    return _placed(file, [*blocks, lines, *making])


def _table(resources: list[_Resource]) -> tuple[list[str], list[str]]:
    """Return constants for contents that several files share, and the table of all files."""
    counted = Counter(r.how.content for r in resources if r.how.content)
    limit = {1: _TOO_LONG}
    shared = [c for c, n in counted.items() if "\n" in c or len(c) > limit.get(n, _LONG)]
    names = {c: "_CONTENT" + ("" if n == 0 else f"_{n + 1}") for n, c in enumerate(shared)}
    constants = [f"{name} = {content}" for content, name in names.items()]
    rows = []
    for resource in resources:
        content = resource.how.content
        call = resource.how.call.replace("{}", names.get(content, content), 1)
        row = f"    {quoted(resource.path)}: lambda path: {call},"
        if len(row) > _LINE:
            head, _, rest = row.partition("lambda path: ")
            row = f"{head}lambda path: (\n        {rest[:-1]}\n    ),"
        rows.extend(row.split("\n"))
    return constants, [f"{_TABLE} = {{", *rows, "}"]


_MAKING = (
    "for name, write in " + _TABLE + ".items():",
    "    path = {path}(__file__).parent / name",
    "    if not path.exists():",
    "        made.extend(f for f in reversed(path.parents) if not f.exists())",
    "        path.parent.mkdir(parents=True, exist_ok=True)",
    "        write(path)",
    "        made.append(path)",
)
_REMOVING = (
    "for path in reversed(made):",
    "    if path.is_dir():",
    "        path.rmdir()",
    "    else:",
    "        path.unlink()",
)


def _for_pytest(path_class: str, pytest_name: str, scope: str) -> list[list[str]]:
    making = [line.format(path=path_class) for line in _MAKING]
    return [
        [
            f'@{pytest_name}.fixture(scope="{scope}", autouse=True)',
            "def _generated_files():",
            '    """Make the files that the repository lacks; remove them after the tests."""',
            "    made = []",
            *(f"    {line}" for line in making),
            "    yield",
            *(f"    {line}" for line in _REMOVING),
        ]
    ]


def _for_unittest(path_class: str) -> list[list[str]]:
    making = [line.format(path=path_class).replace("made.", "_made.") for line in _MAKING]
    removing = [line.replace("(made)", "(_made)") for line in _REMOVING]
    return [
        ["_made = []"],
        [
            "def setUpModule():",
            '    """Make the files that the repository lacks."""',
            *(f"    {line}" for line in making),
        ],
        [
            "def tearDownModule():",
            '    """Remove the files that were made."""',
            *(f"    {line}" for line in removing),
            "    _made.clear()",
        ],
    ]


def _placed(file: SourceFile, blocks: list[list[str]]) -> SourceFile:
    """Return the file with blocks of code below its imports, two lines apart."""
    body = list(file.module.body)
    at = end_of_imports(body)
    new: list[cst.SimpleStatementLine | cst.BaseCompoundStatement] = []
    for lines in blocks:
        parsed = statements(file.module, lines)
        for number, node in enumerate(parsed):
            if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                above = 2 if new or isinstance(node, cst.BaseCompoundStatement) else 1
                blanks = [BLANK] * (0 if number else above)
                new.append(node.with_changes(leading_lines=blanks))
    if at < len(body):
        body[at] = spaced(body[at], 2)
    body[at:at] = new
    return SourceFile(file.tree, file.path, file.module.with_changes(body=body))
