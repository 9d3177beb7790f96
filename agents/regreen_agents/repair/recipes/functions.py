"""Edits of one function: a parameter more, statements at its start."""

from collections.abc import Mapping, Sequence

import libcst as cst


def with_parameter(function: cst.FunctionDef, name: str) -> cst.FunctionDef:
    """Return the function with a positional parameter more, in the layout of the others."""
    params = function.params
    every = (*params.posonly_params, *params.params, *params.kwonly_params)
    if any(param.name.value == name for param in every):
        return function
    plain = [param for param in params.params if param.default is None]
    rest = params.params[len(plain) :]
    new = cst.Param(cst.Name(name))
    if rest or not plain or _more_follows(params):
        changed = [*plain, new.with_changes(comma=_comma(function) if rest else new.comma), *rest]
    else:
        changed = [*plain[:-1], *_appended(plain[-1], new, _comma(function))]
    return function.with_changes(params=params.with_changes(params=changed))


def with_first_statements(
    function: cst.FunctionDef, new: Sequence[cst.BaseStatement]
) -> cst.FunctionDef:
    """Return the function with statements at its start, below the docstring."""
    body = _block(function.body)
    old = list(body.body)
    at = 1 if old and is_docstring(old[0]) else 0
    added = list(new)
    if at < len(old):
        follower = old[at]
        lines = list(_leading_lines(follower))
        blanks = _blank_prefix(lines)
        added[0] = added[0].with_changes(leading_lines=lines[:blanks])
        defines = isinstance(follower, cst.FunctionDef | cst.ClassDef)
        apart = [cst.EmptyLine(indent=False)] if defines else []
        old[at] = follower.with_changes(leading_lines=[*apart, *lines[blanks:]])
    return function.with_changes(body=body.with_changes(body=[*old[:at], *added, *old[at:]]))


def is_docstring(node: cst.CSTNode) -> bool:
    """Tell whether a statement is only a text."""
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)


def contains(module: cst.Module, function: cst.FunctionDef, statement: cst.CSTNode) -> bool:
    """Tell whether a function's text holds a statement, however it is laid out."""
    body, wanted = (
        " ".join(module.code_for_node(node).split()) for node in (function.body, statement)
    )
    return wanted in body


def replaced(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> cst.Module:
    """Return the module with one node exchanged."""
    changed = module.deep_replace(old, new)
    if not isinstance(changed, cst.Module):
        raise TypeError("A module was replaced by something else.")
    return changed


def is_decorated_with(function: cst.FunctionDef, name: str) -> bool:
    """Tell whether a decorator of that (last) name stands on the function."""
    for decorator in function.decorators:
        node: cst.CSTNode = decorator.decorator
        node = node.func if isinstance(node, cst.Call) else node
        node = node.attr if isinstance(node, cst.Attribute) else node
        if isinstance(node, cst.Name) and node.value == name:
            return True
    return False


def _more_follows(params: cst.Parameters) -> bool:
    return bool(params.kwonly_params or params.star_kwarg) or isinstance(
        params.star_arg, cst.Param | cst.ParamStar
    )


def _comma(function: cst.FunctionDef) -> cst.Comma:
    """Return the separator the parameters are written with, free of comments."""
    first = next(iter(function.params.params[:-1]), None)
    space = (
        first.comma.whitespace_after
        if first is not None and isinstance(first.comma, cst.Comma)
        else function.whitespace_before_params
    )
    if isinstance(space, cst.ParenthesizedWhitespace):
        bare = space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
        return cst.Comma(whitespace_after=bare)
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _appended(last: cst.Param, new: cst.Param, separator: cst.Comma) -> list[cst.Param]:
    """Return the last parameter and the new one; a trailing comma stays trailing."""
    if not isinstance(last.comma, cst.Comma):
        tail = last.whitespace_after_param
        closed = last.with_changes(whitespace_after_param=cst.SimpleWhitespace(""), comma=separator)
        return [closed, new.with_changes(whitespace_after_param=tail)]
    end, between = last.comma.whitespace_after, separator.whitespace_after
    if isinstance(end, cst.ParenthesizedWhitespace) and isinstance(
        between, cst.ParenthesizedWhitespace
    ):
        between = between.with_changes(first_line=end.first_line)
        end = end.with_changes(first_line=cst.TrailingWhitespace())
    return [
        last.with_changes(comma=separator.with_changes(whitespace_after=between)),
        new.with_changes(comma=last.comma.with_changes(whitespace_after=end)),
    ]


def _block(suite: cst.BaseSuite) -> cst.IndentedBlock:
    if isinstance(suite, cst.IndentedBlock):
        return suite
    if isinstance(suite, cst.SimpleStatementSuite):
        line = cst.SimpleStatementLine(suite.body, trailing_whitespace=suite.trailing_whitespace)
        return cst.IndentedBlock([line])
    raise TypeError(f"A function's body is a block, not {type(suite).__name__}.")


def _leading_lines(node: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        return node.leading_lines
    return ()


def _blank_prefix(lines: Sequence[cst.EmptyLine]) -> int:
    return next((n for n, line in enumerate(lines) if line.comment is not None), len(lines))


class Swap(cst.CSTTransformer):
    """Exchanges several nodes at once, told apart by identity; the outermost wins."""

    def __init__(self, instead: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
        """Take a map from a node of the tree to what stands instead."""
        super().__init__()
        self._instead = instead

    def on_leave(  # type: ignore[override]  # LibCST declares the type of each node apart
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode:
        """Return what stands instead of a node."""
        return self._instead.get(original_node, updated_node)


def swapped(module: cst.Module, instead: Mapping[cst.CSTNode, cst.CSTNode]) -> cst.Module:
    """Return the module with several nodes exchanged."""
    changed = module.visit(Swap(instead))
    if not isinstance(changed, cst.Module):
        raise TypeError("A module was replaced by something else.")
    return changed
