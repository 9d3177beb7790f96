"""``addCleanup`` calls of unittest, made from how a fixture would save and restore a state."""

from collections.abc import Sequence

import libcst as cst

from regreen_agents.repair.recipes.saved_state import Piece


def cleanup_lines(piece: Piece, saved: str, receiver: str = "self") -> list[str] | None:
    """Return the calls that put a state back when the test ends, or None when it takes more.

    unittest calls the last cleanup first, so the lines stand in the reverse order of the
    fixture's.

    Args:
        piece: What a fixture would do around its ``yield``.
        saved: The variable of the piece; its value is written in its place.
        receiver: The name of the TestCase.
    """
    value = _saved_value(piece.save, saved)
    if value is None:
        return None
    calls: list[str] = []
    for line in piece.restore:
        written = _cleanup(line, saved, value, receiver)
        if written is None:
            return None
        calls.append(written)
    return calls[::-1]


def _saved_value(save: Sequence[str], saved: str) -> str | None:
    """Return the expression that is saved; empty when nothing is."""
    if not save:
        return ""
    start = f"{saved} = "
    return save[0].removeprefix(start) if len(save) == 1 and save[0].startswith(start) else None


def _cleanup(line: str, saved: str, value: str, receiver: str) -> str | None:
    if line.startswith(("if ", "else", "elif ", "    ", "del ")):
        return None
    parsed = cst.parse_statement(line)
    small = parsed.body[0] if isinstance(parsed, cst.SimpleStatementLine) else None
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        parts = _call_parts(small.value)
    elif isinstance(small, cst.Assign):
        parts = _assignment_parts(small)
    else:
        parts = None
    if parts is None:
        return None
    shown = [value if part == saved else part for part in parts]
    return f"{receiver}.addCleanup({', '.join(shown)})"


def _call_parts(node: cst.Call) -> list[str] | None:
    module = cst.Module([])
    if any(arg.star for arg in node.args):
        return None
    arguments = [
        (f"{arg.keyword.value}=" if arg.keyword is not None else "")
        + module.code_for_node(arg.value)
        for arg in node.args
    ]
    return [module.code_for_node(node.func), *arguments]


def _assignment_parts(node: cst.Assign) -> list[str] | None:
    module = cst.Module([])
    target, value = node.targets[0].target, module.code_for_node(node.value)
    if isinstance(target, cst.Attribute):
        return ["setattr", module.code_for_node(target.value), f'"{target.attr.value}"', value]
    if isinstance(target, cst.Subscript):
        owner = module.code_for_node(target.value)
        return [f"{owner}.__setitem__", "slice(None)", value]
    return None
