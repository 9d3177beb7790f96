"""Taking away an import that nothing uses any more."""

from collections.abc import Sequence

import libcst as cst

from regreen_agents.repair.recipes.draft import SourceFile


def without_unused(file: SourceFile, modules: Sequence[str]) -> SourceFile:
    """Take away plain ``import x`` lines of these modules that the edits left without a use."""
    before = file.tree.parse(file.path)
    if before is None:
        return file
    for name in modules:
        earlier, count = _Count(name), _Count(name)
        before.module.visit(earlier)
        file.module.visit(count)
        body = list(file.module.body)
        lone = [n for n in body if _is_import_of(n, name)]
        if earlier.uses > count.uses == 1 and len(lone) == 1:
            body.remove(lone[0])
            file = SourceFile(file.tree, file.path, file.module.with_changes(body=_tidy(body)))
    return file


def _tidy(
    body: list[cst.SimpleStatementLine | cst.BaseCompoundStatement],
) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
    """Return the statements without blank lines above the first one."""
    if body:
        lines = [line for line in body[0].leading_lines if line.comment is not None]
        body[0] = body[0].with_changes(leading_lines=lines)
    return body


def _is_import_of(node: cst.CSTNode, name: str) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or len(node.body) != 1:
        return False
    small = node.body[0]
    return (
        isinstance(small, cst.Import)
        and len(small.names) == 1
        and small.names[0].evaluated_name == name
        and small.names[0].asname is None
    )


class _Count(cst.CSTVisitor):
    """Counts how often a name occurs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.uses = 0

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        self.uses += node.value == self._name
