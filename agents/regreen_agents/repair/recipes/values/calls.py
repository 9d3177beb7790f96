"""Reading and extending the arguments of one call."""

from collections.abc import Sequence

import libcst as cst

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def keyword_of(call: cst.Call, name: str) -> cst.BaseExpression | None:
    """Return the value of a keyword argument, or None."""
    values = (a.value for a in call.args if a.keyword is not None and a.keyword.value == name)
    return next(values, None)


def is_spread(call: cst.Call) -> bool:
    """Tell whether arguments come out of a list or a mapping, so that nobody sees which."""
    return any(arg.star for arg in call.args)


def positional(call: cst.Call) -> Sequence[cst.BaseExpression]:
    """Return the values of the positional arguments before any ``*arguments``."""
    found = []
    for arg in call.args:
        if arg.star or arg.keyword is not None:
            break
        found.append(arg.value)
    return found


def argument(call: cst.Call, index: int, name: str) -> cst.BaseExpression | None:
    """Return an argument given by its place or by its name."""
    by_place = positional(call)
    return by_place[index] if index < len(by_place) else keyword_of(call, name)


def with_keyword(call: cst.Call, name: str, value: cst.BaseExpression) -> cst.Call:
    """Return the call with a keyword argument more, in the layout of the others."""
    new = cst.Arg(value, keyword=cst.Name(name), equal=_TIGHT)
    if not call.args:
        return call.with_changes(args=[new])
    *front, last = call.args
    comma = _comma(call)
    if isinstance(last.comma, cst.Comma):
        end = last.comma
        closed = last.with_changes(comma=comma)
        return call.with_changes(args=[*front, closed, new.with_changes(comma=end)])
    tail = last.whitespace_after_arg
    closed = last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=[*front, closed, new.with_changes(whitespace_after_arg=tail)])


def _comma(call: cst.Call) -> cst.Comma:
    """Return the separator the arguments are written with, free of comments."""
    first = next(iter(call.args[:-1]), None)
    space: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    if first is not None and isinstance(first.comma, cst.Comma):
        space = first.comma.whitespace_after
    elif first is None and isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        space = call.whitespace_before_args
    if isinstance(space, cst.ParenthesizedWhitespace):
        space = space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
    elif not space.empty and not isinstance(space, cst.SimpleWhitespace):
        space = cst.SimpleWhitespace(" ")
    return cst.Comma(whitespace_after=space if not space.empty else cst.SimpleWhitespace(" "))
