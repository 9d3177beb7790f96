"""Reading the value of texts written in source."""

import libcst as cst


def text_of(node: cst.CSTNode) -> str | None:
    """Return the text a literal stands for, or None when it is no plain text."""
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    value = node.evaluated_value
    return value if isinstance(value, str) else None


def text_constants(module: cst.Module) -> dict[str, str]:
    """Return the module's names that are assigned one text, and nothing else, at its top."""
    found: dict[str, str] = {}
    again: set[str] = set()
    for line in module.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if not isinstance(small, cst.Assign):
                continue
            value = text_of(small.value)
            for target in small.targets:
                if isinstance(target.target, cst.Name):
                    name = target.target.value
                    again.update({name} & found.keys())
                    found[name] = value if value is not None else ""
                    again.update({name} if value is None else ())
    return {name: value for name, value in found.items() if name not in again}


def elements_of(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the entries of a list, tuple or set display."""
    if isinstance(node, cst.List | cst.Tuple | cst.Set):
        return [element.value for element in node.elements]
    return []
