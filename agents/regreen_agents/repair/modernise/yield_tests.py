"""Tests that yield their cases, which pytest 4 took away, as tests that call them."""

import libcst as cst
import libcst.matchers as m

from regreen_agents.repair.modernise.sources import Source, code_of, transformed
from regreen_agents.repair.recipes.imports import IsOurs, with_import


def yield_tests(source: Source) -> str | None:
    """Rewrite generator tests: one loop of one yield is parametrised, any other calls its cases."""
    return transformed(source, _Yields(source.is_ours)) if "yield" in source.text else None


class _Yields(cst.CSTTransformer):
    def __init__(self, is_ours: IsOurs) -> None:
        super().__init__()
        self._is_ours = is_ours
        self._parametrised = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False

    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if not _is_yield_test(original_node):
            return updated_node
        if made := _parametrised(updated_node):
            self._parametrised = True
            return made
        body = updated_node.body.visit(_Called())
        return (
            updated_node.with_changes(body=body)
            if isinstance(body, cst.BaseSuite)
            else updated_node
        )

    def leave_Module(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Module,  # noqa: ARG002
        updated_node: cst.Module,
    ) -> cst.Module:
        if not self._parametrised:
            return updated_node
        return with_import(updated_node, "import pytest", self._is_ours)


def _is_yield_test(function: cst.FunctionDef) -> bool:
    """Whether it is named as a test and all its yields are statements with a callable first."""
    if not function.name.value.startswith("test") or function.decorators:
        return False
    yields = m.findall(function.body, m.Yield())
    spoken = m.findall(function.body, m.Expr(value=m.Yield()))
    if not yields or len(yields) != len(spoken):
        return False
    return all(isinstance(y, cst.Yield) and _case(y) is not None for y in yields)


def _case(node: cst.Yield) -> tuple[str, list[str]] | None:
    """Return the callable and its arguments; a leading text is only a description."""
    value = node.value
    if isinstance(value, cst.From) or value is None:
        return None
    parts = (
        [code_of(e.value) for e in value.elements]
        if isinstance(value, cst.Tuple)
        else [code_of(value)]
    )
    if isinstance(value, cst.Tuple) and any(
        isinstance(e, cst.StarredElement) for e in value.elements
    ):
        parts = [
            ("*" if isinstance(e, cst.StarredElement) else "") + code_of(e.value)
            for e in value.elements
        ]
    if parts and parts[0][:1] in "'\"" and len(parts) > 1:
        parts = parts[1:]
    called = parts[0] if parts and parts[0][:1].isidentifier() else ""
    is_lambda = called.startswith("lambda")
    return (f"({called})" if is_lambda else called, parts[1:]) if called else None


class _Called(cst.CSTTransformer):
    def leave_Expr(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Expr,  # noqa: ARG002
        updated_node: cst.Expr,
    ) -> cst.Expr:
        if not isinstance(updated_node.value, cst.Yield):
            return updated_node
        case = _case(updated_node.value)
        if case is None:
            return updated_node
        call = cst.parse_expression(f"{case[0]}({', '.join(case[1])})")
        return updated_node.with_changes(value=call)


def _parametrised(function: cst.FunctionDef) -> cst.FunctionDef | None:
    """Return ``for x in CASES: yield check, x`` as a parametrised test, where CASES is constant."""
    body = [s for s in function.body.body if not _is_docstring(s)]
    loop = body[0] if len(body) == 1 else None
    if not isinstance(loop, cst.For) or len(loop.body.body) != 1 or loop.orelse is not None:
        return None
    if function.params.params or not _is_constant(loop.iter):
        return None
    names = _targets(loop.target)
    block = loop.body.visit(_Called())
    if not names or not isinstance(block, cst.IndentedBlock):
        return None
    shown = ", ".join(names)
    mark = f'pytest.mark.parametrize("{shown}", {code_of(loop.iter)})'
    params = [cst.Param(cst.Name(name)) for name in names]
    docstrings = [s for s in function.body.body if _is_docstring(s)]
    return function.with_changes(
        decorators=[cst.Decorator(cst.parse_expression(mark))],
        params=cst.Parameters(params=params),
        body=block.with_changes(body=[*docstrings, *block.body]),
    )


def _is_docstring(node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)


def _is_constant(node: cst.BaseExpression) -> bool:
    """Whether an expression is a display of literals: nothing in it has to be looked up."""
    names = [n for n in m.findall(node, m.Name()) if isinstance(n, cst.Name)]
    is_display = isinstance(node, cst.List | cst.Tuple)
    return is_display and all(n.value in ("True", "False", "None") for n in names)


def _targets(node: cst.BaseExpression) -> list[str]:
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, cst.Tuple) and all(isinstance(e.value, cst.Name) for e in node.elements):
        return [code_of(e.value) for e in node.elements]
    return []
