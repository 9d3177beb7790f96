"""nose's assertions, decorators and exceptions as pytest's: nose does not run since Python 3.10.

Each becomes what nose itself did with it: plain assertions for the comparisons, `unittest`'s own
method where that has rules of its own (rounding, regular expressions).
"""

import re
from collections.abc import Mapping

import libcst as cst

from regreen_agents.repair.modernise.rename_imports import unused, without_imports
from regreen_agents.repair.modernise.sources import Source, code_of, parsed
from regreen_agents.repair.modernise.yield_tests import yield_tests
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names, dotted

_COMPARED: Mapping[str, str] = {
    **dict.fromkeys(
        ("eq_", "assert_equal", "assert_equals", "assert_list_equal", "assert_dict_equal"), "=="
    ),
    **dict.fromkeys(("assert_tuple_equal", "assert_set_equal", "assert_sequence_equal"), "=="),
    **dict.fromkeys(("assert_multi_line_equal",), "=="),
    **dict.fromkeys(("assert_not_equal", "assert_not_equals"), "!="),
    "assert_in": "in",
    "assert_not_in": "not in",
    "assert_is": "is",
    "assert_is_not": "is not",
    "assert_greater": ">",
    "assert_greater_equal": ">=",
    "assert_less": "<",
    "assert_less_equal": "<=",
}
_ALONE: Mapping[str, str] = {
    **dict.fromkeys(("ok_", "assert_true", "assert_"), "{0}"),
    "assert_false": "not {0}",
    "assert_is_none": "{0} is None",
    "assert_is_not_none": "{0} is not None",
}
_LOOSER = cst.Comparison | cst.BooleanOperation | cst.Lambda | cst.IfExp | cst.NamedExpr | cst.Yield
_RENAMED = {
    "nose.SkipTest": "unittest.SkipTest",
    "nose.plugins.skip.SkipTest": "unittest.SkipTest",
    "nose.tools.SkipTest": "unittest.SkipTest",
}


def nose_to_pytest(source: Source) -> str | None:
    """Rewrite what a file takes from nose; None when something of it has no counterpart."""
    if "nose" not in source.text:
        return None
    text = yield_tests(source) or source.text
    module = parsed(text)
    if module is None:
        return None
    names = _with_star(module, source.names(module))
    if not any(q == "nose" or q.startswith("nose.") for q in names.bindings.values()):
        return None
    converter = _Nose(names)
    changed = module.visit(converter)
    for line in sorted(converter.imports):
        changed = with_import(changed, line, source.is_ours)
    ours = {k for k, q in names.bindings.items() if q == "nose" or q.startswith("nose.")}
    changed = without_imports(changed, unused(changed, ours), star_of="nose.tools")
    return changed.code if changed.code != source.text else None


def _with_star(module: cst.Module, names: Names) -> Names:
    """``from nose.tools import *`` binds all of them."""
    star = re.search(r"^\s*from nose\.tools import \*", module.code, re.MULTILINE)
    if star is None:
        return names
    known = (*_COMPARED, *_ALONE, "raises", "with_setup", "assert_raises", "assert_almost_equal")
    every = {name: f"nose.tools.{name}" for name in known}
    return Names({**every, **names.bindings}, names.modules, names.used)


class _Nose(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self.imports: set[str] = set()
        self._raised: set[str] = set()

    def _tool(self, node: cst.CSTNode) -> str:
        owner, _, name = self._names.qualify(node).rpartition(".")
        return name if owner in ("nose.tools", "nose.tools.trivial") else ""

    def leave_Expr(  # noqa: N802 - LibCST's name
        self, original_node: cst.Expr, updated_node: cst.Expr
    ) -> cst.BaseSmallStatement:
        call = updated_node.value
        if not isinstance(original_node.value, cst.Call) or not isinstance(call, cst.Call):
            return updated_node
        text = self._assertion(self._tool(original_node.value.func), call)
        if not text:
            return updated_node
        made = cst.parse_statement(text)
        small = made.body[0] if isinstance(made, cst.SimpleStatementLine) else updated_node
        return small.with_changes(semicolon=updated_node.semicolon)

    def _assertion(self, tool: str, call: cst.Call) -> str:
        """Return the assertion a call stands for, or nothing."""
        args = [a.value for a in call.args]
        named = [a.keyword.value for a in call.args if a.keyword is not None]
        if any(a.star for a in call.args) or named not in ([], ["msg"]):
            return ""
        if tool in _COMPARED and len(args) in (2, 3):
            left, right = (_operand(arg) for arg in args[:2])
            return f"assert {left} {_COMPARED[tool]} {right}" + _message(args[2:])
        if tool in _ALONE and len(args) in (1, 2):
            held = _whole(args[0]) if _ALONE[tool] == "{0}" else _operand(args[0])
            return f"assert {_ALONE[tool].format(held)}" + _message(args[1:])
        if tool == "assert_is_instance" and len(args) == 2:  # noqa: PLR2004 - object and class
            return f"assert isinstance({code_of(args[0])}, {code_of(args[1])})"
        return ""

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.Call:
        tool = self._tool(original_node.func)
        if tool == "assert_raises":
            self.imports.add("import pytest")
            return updated_node.with_changes(func=cst.parse_expression("pytest.raises"))
        if tool in ("assert_raises_regex", "assert_raises_regexp") and len(updated_node.args) == 2:  # noqa: PLR2004
            self.imports.add("import pytest")
            kind, pattern = (code_of(a.value) for a in updated_node.args)
            made = cst.parse_expression(f"pytest.raises({kind}, match={pattern})")
            return made if isinstance(made, cst.Call) else updated_node
        qualified = self._names.qualify(original_node.func)
        if qualified in ("nose.main", "nose.runmodule", "nose.run", "nose.core.runmodule"):
            self.imports.add("import pytest")
            made = cst.parse_expression("pytest.main([__file__])")
            return made if isinstance(made, cst.Call) else updated_node
        if tool.startswith("assert_") and tool not in _COMPARED and tool not in _ALONE:
            self.imports.add("import unittest")
            method = re.sub(r"_(\w)", lambda found: found[1].upper(), tool)
            func = cst.parse_expression(f"unittest.TestCase().{_MODERN.get(method, method)}")
            is_instance = tool == "assert_is_instance"
            return updated_node if is_instance else updated_node.with_changes(func=func)
        return updated_node

    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        if original_node.attr.value == "exception" and self._is_raised(original_node.value):
            return updated_node.with_changes(attr=cst.Name("value"))
        new = _RENAMED.get(self._names.qualify(original_node))
        if new is None:
            return updated_node
        self.imports.add("import unittest")
        return cst.parse_expression(new)

    def leave_Raise(self, original_node: cst.Raise, updated_node: cst.Raise) -> cst.Raise:  # noqa: N802
        raised = original_node.exc
        named = raised.func if isinstance(raised, cst.Call) else raised
        if not isinstance(named, cst.Name) or self._names.qualify(named) not in _RENAMED:
            return updated_node
        self.imports.add("import unittest")
        new = cst.parse_expression("unittest.SkipTest")
        made = (
            updated_node.exc.with_changes(func=new)
            if isinstance(updated_node.exc, cst.Call)
            else new
        )
        return updated_node.with_changes(exc=made)

    def visit_With(self, node: cst.With) -> None:  # noqa: N802 - LibCST's name
        for item in node.items:
            tool = self._tool(item.item.func) if isinstance(item.item, cst.Call) else ""
            if item.asname is not None and tool.startswith("assert_raises"):
                self._raised.add(dotted(item.asname.name))

    def _is_raised(self, node: cst.CSTNode) -> bool:
        return dotted(node) in self._raised

    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef:
        kept: list[cst.Decorator] = []
        body = updated_node.body
        for decorator in updated_node.decorators:
            new = self._decorated(decorator, body)
            if new is None:
                kept.append(self._marked(decorator))
            else:
                body = new
        changed = updated_node.with_changes(decorators=kept, body=body)
        if not kept and updated_node.decorators:
            above = [
                *updated_node.decorators[0].leading_lines,
                *updated_node.lines_after_decorators,
            ]
            changed = changed.with_changes(
                leading_lines=updated_node.leading_lines or above, lines_after_decorators=[]
            )
        return changed

    def _decorated(self, decorator: cst.Decorator, body: cst.BaseSuite) -> cst.BaseSuite | None:
        """Return the body a decorator's effect is written into; None to keep the decorator."""
        call = decorator.decorator
        tool = self._tool(call.func) if isinstance(call, cst.Call) else self._tool(call)
        if tool == "istest":
            return body
        if not isinstance(call, cst.Call) or not isinstance(body, cst.IndentedBlock):
            return None
        texts = [code_of(a.value) for a in call.args]
        if tool == "raises":
            self.imports.add("import pytest")
            kinds = texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
            return _around(f"with pytest.raises({kinds}):\n    pass\n", body)
        if tool == "with_setup":
            return self._set_up(call, body)
        return None

    def _set_up(self, call: cst.Call, body: cst.IndentedBlock) -> cst.BaseSuite:
        named = {a.keyword.value if a.keyword else index: a for index, a in enumerate(call.args)}
        setup = named.get("setup", named.get(0))
        teardown = named.get("teardown", named.get(1))
        new: cst.BaseSuite = body
        if teardown is not None and code_of(teardown.value) != "None":
            end = f"finally:\n    {code_of(teardown.value)}()\n"
            new = _around(f"try:\n    pass\n{end}", body)
        if (
            setup is not None
            and code_of(setup.value) != "None"
            and isinstance(new, cst.IndentedBlock)
        ):
            first = cst.parse_statement(f"{code_of(setup.value)}()")
            new = new.with_changes(body=[first, *new.body])
        return new

    def _marked(self, decorator: cst.Decorator) -> cst.Decorator:
        """``@attr('slow')`` -> ``@pytest.mark.slow``."""
        call = decorator.decorator
        if not isinstance(call, cst.Call) or len(call.args) != 1:
            return decorator
        value = call.args[0].value
        if self._names.qualify(call.func) != "nose.plugins.attrib.attr":
            return decorator
        if call.args[0].keyword is not None or not isinstance(value, cst.SimpleString):
            return decorator
        self.imports.add("import pytest")
        mark = f"pytest.mark.{value.raw_value}"
        return decorator.with_changes(decorator=cst.parse_expression(mark))


_MODERN = {
    "assertItemsEqual": "assertCountEqual",
    "assertRegexpMatches": "assertRegex",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
}


def _operand(node: cst.BaseExpression) -> str:
    is_not = isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not)
    looser = (isinstance(node, _LOOSER) and not node.lpar) or is_not
    return f"({code_of(node)})" if looser else _whole(node)


def _whole(node: cst.BaseExpression) -> str:
    """Return a text that may stand outside of a call's brackets, over several lines too."""
    text = code_of(node)
    broken = (cst.ConcatenatedString, cst.BinaryOperation, cst.BooleanOperation, cst.Comparison)
    loose = isinstance(node, (*broken, cst.IfExp))
    return f"({text})" if "\n" in text and loose and not node.lpar else text


def _message(rest: list[cst.BaseExpression]) -> str:
    return f", {_whole(rest[0])}" if rest else ""


def _around(header: str, body: cst.IndentedBlock) -> cst.IndentedBlock:
    """Put a compound statement around a body; its docstring stays outside."""
    statements = list(body.body)
    first = statements[0]
    has_docstring = isinstance(first, cst.SimpleStatementLine) and (
        isinstance(first.body[0], cst.Expr) and isinstance(first.body[0].value, cst.SimpleString)
    )
    kept = statements[:1] if has_docstring and len(statements) > 1 else []
    inner = body.with_changes(body=statements[len(kept) :], header=cst.TrailingWhitespace())
    made = cst.parse_statement(header).with_changes(body=inner)
    return body.with_changes(body=[*kept, made])
