"""Statements that write ``os.environ``, and what ``monkeypatch`` offers instead."""

from collections.abc import Collection, Mapping

import libcst as cst

from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import (
    SmallStatements,
    augmented,
    call,
    key_of,
    single_target,
)
from regreen_agents.repair.recipes.names import Names

_ENVIRON = "os.environ"
_Entry = tuple[cst.BaseExpression, cst.BaseExpression]


class EnvironmentWrites:
    """Rewrites the writes to some variables in one function.

    Args:
        names: What the names in the function stand for.
        constants: The module's names of texts, to see through ``os.environ[REGION]``.
        variables: The variables that leak.
        quote: The mark around new texts.
    """

    def __init__(
        self,
        names: Names,
        constants: Mapping[str, str],
        variables: Collection[str],
        quote: str = '"',
    ) -> None:
        """Know the names and variables of one function."""
        self._names = names
        self._constants = constants
        self._variables = frozenset(variables)
        self._quote = quote

    def __call__(self, statement: cst.BaseSmallStatement) -> SmallStatements | None:
        """Return the ``monkeypatch`` calls for a write, or None for any other statement."""
        if isinstance(statement, cst.Assign):
            return self._assignment(statement)
        if isinstance(statement, cst.AugAssign):
            return self._augmented(statement)
        if isinstance(statement, cst.Del):
            return self._deletion(statement)
        if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
            return self._call(statement.value)
        return None

    def _assignment(self, statement: cst.Assign) -> SmallStatements | None:
        target = single_target(statement)
        key = self._written_key(target) if target is not None else None
        return [call("monkeypatch.setenv", key, statement.value)] if key is not None else None

    def _augmented(self, statement: cst.AugAssign) -> SmallStatements | None:
        if isinstance(statement.operator, cst.BitOrAssign) and self._is_environ(statement.target):
            return self._several(_display_entries(statement.value))
        key, value = self._written_key(statement.target), augmented(statement)
        if key is None or value is None:
            return None
        return [call("monkeypatch.setenv", key, value)]

    def _deletion(self, statement: cst.Del) -> SmallStatements | None:
        key = self._written_key(statement.target)
        return [call("monkeypatch.delenv", key)] if key is not None else None

    def _call(self, node: cst.Call) -> SmallStatements | None:
        function = self._names.qualify(node.func)
        if function == f"{_ENVIRON}.update":
            return self._several(_update_entries(node, self._quote))
        arguments = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
        if not arguments or len(arguments) != len(node.args) or not self._leaks(arguments[0]):
            return None
        return _single_call(function, arguments, node.func)

    def _several(self, entries: list[_Entry] | None) -> SmallStatements | None:
        if not entries or not any(self._leaks(key) for key, _ in entries):
            return None
        return [call("monkeypatch.setenv", key, value) for key, value in entries]

    def _written_key(self, target: cst.BaseExpression) -> cst.BaseExpression | None:
        key = key_of(target)
        owner = target.value if isinstance(target, cst.Subscript) else None
        if key is None or owner is None or not self._is_environ(owner):
            return None
        return key if self._leaks(key) else None

    def _is_environ(self, node: cst.BaseExpression) -> bool:
        return self._names.qualify(node) == _ENVIRON

    def _leaks(self, key: cst.BaseExpression) -> bool:
        """Tell whether a key may name a leaking variable; a computed one may."""
        name = text_of(key)
        if name is None and isinstance(key, cst.Name):
            name = self._constants.get(key.value)
        return name is None or name in self._variables


def _single_call(
    function: str, arguments: list[cst.BaseExpression], original: cst.BaseExpression
) -> SmallStatements | None:
    key, rest = arguments[0], arguments[1:]
    if function == "os.putenv" and rest:
        return [call("monkeypatch.setenv", key, rest[0])]
    if function == f"{_ENVIRON}.setdefault" and rest and isinstance(original, cst.Attribute):
        get = original.with_changes(attr=cst.Name("get"))
        present = cst.Call(get, [cst.Arg(key), cst.Arg(rest[0])])
        return [call("monkeypatch.setenv", key, present)]
    if function == "os.unsetenv" or (function == f"{_ENVIRON}.pop" and rest):
        return [call("monkeypatch.delenv", key, raising=cst.Name("False"))]
    if function == f"{_ENVIRON}.pop":
        return [call("monkeypatch.delenv", key)]
    return None


def _display_entries(node: cst.BaseExpression) -> list[_Entry] | None:
    if not isinstance(node, cst.Dict):
        return None
    elements = [e for e in node.elements if isinstance(e, cst.DictElement)]
    if len(elements) != len(node.elements):
        return None
    return [(element.key, element.value) for element in elements]


def _update_entries(node: cst.Call, quote: str) -> list[_Entry] | None:
    entries: list[_Entry] = []
    for arg in node.args:
        if arg.star:
            return None
        if arg.keyword is not None:
            name = cst.SimpleString(f"{quote}{arg.keyword.value}{quote}")
            entries.append((name, arg.value))
            continue
        inner = _display_entries(arg.value)
        if inner is None:
            return None
        entries.extend(inner)
    return entries
