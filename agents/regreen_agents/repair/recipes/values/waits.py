"""What a test waits for, read from its text: threads, futures, processes, conditions."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from regreen_agents.repair.recipes.names import Names
from regreen_agents.repair.recipes.values.calls import positional

LIMIT_SECONDS = 10
_MADE = {
    "threading.Thread": "join",
    "threading.Timer": "join",
    "multiprocessing.Process": "join",
    "subprocess.Popen": "wait",
}
_STARTED = frozenset({"start"})
_ENDED = frozenset({"join", "wait", "communicate", "result", "terminate", "kill", "cancel"})
_TRUTHS = {"assertTrue": "{0}", "assert_": "{0}"}
_PAIRS = {
    "assertEqual": "{0} == {1}",
    "assertEquals": "{0} == {1}",
    "assertIs": "{0} is {1}",
    "assertIn": "{0} in {1}",
    "assertGreater": "{0} > {1}",
    "assertGreaterEqual": "{0} >= {1}",
    "assertListEqual": "{0} == {1}",
    "assertDictEqual": "{0} == {1}",
}


class Pending(NamedTuple):
    """Something that runs beside the test and can be waited for."""

    name: str
    wait: str
    """``join``, ``wait`` or ``result``."""
    several: str = ""
    """The name of one, where the first is that of a list."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The statement that waits for it, or for each."""
        call = f"{self.several or self.name}.{self.wait}(timeout={LIMIT_SECONDS})"
        return (f"for {self.several} in {self.name}:", f"    {call}") if self.several else (call,)


def pending_after(before: Sequence[cst.BaseStatement], names: Names) -> list[Pending]:
    """Return what some statements have started and not waited for, in that order."""
    made: dict[str, Pending] = {}
    running: dict[str, Pending] = {}
    for statement in before:
        new = _new(statement, names)
        if new is not None:
            made[new.name] = new
            if new.wait in ("wait", "result"):
                running[new.name] = new
        for owner, method, one in _called_methods(statement):
            known = made.get(owner)
            if known is not None and method in _STARTED:
                running[owner] = known._replace(several=one)
            elif method in _ENDED:
                running.pop(owner, None)
    return list(running.values())


def _new(statement: cst.BaseStatement, names: Names) -> Pending | None:
    """Return what a statement makes that will run: one thing, or a list of them."""
    name, value = _assigned(statement), _value(statement)
    if not name or value is None:
        return None
    several = isinstance(value, cst.ListComp)
    call = value.elt if isinstance(value, cst.ListComp) else value
    wait = _kind(call, names) if isinstance(call, cst.Call) else ""
    one = {"join": "thread", "wait": "process", "result": "future"}.get(wait, "")
    return Pending(name, wait, one if several else "") if wait else None


def _called_methods(statement: cst.BaseStatement) -> Iterator[tuple[str, str, str]]:
    """Yield owner and method of each call; the owner of those in a loop is what it goes over."""
    calls = _Calls()
    statement.visit(calls)
    loop = ("", "")
    if isinstance(statement, cst.For) and isinstance(statement.iter, cst.Name):
        target = statement.target
        loop = (target.value if isinstance(target, cst.Name) else "", statement.iter.value)
    for call in calls.found:
        owner, method = _method(call)
        if owner and owner == loop[0]:
            yield loop[1], method, owner
        elif owner:
            yield owner, method, ""


def is_sleep(statement: cst.CSTNode, names: Names) -> bool:
    """Tell whether a statement only sleeps."""
    value = _lone_call(statement)
    return value is not None and names.qualify(value.func) in ("time.sleep", "asyncio.sleep")


def condition_of(statement: cst.CSTNode, module: cst.Module) -> str:
    """Return what an assertion waits for, or an empty text where it denies something."""
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        if isinstance(small, cst.Assert):
            return _positive(small.test, module)
    call = _lone_call(statement)
    if call is None or not isinstance(call.func, cst.Attribute):
        return ""
    pattern = _TRUTHS.get(call.func.attr.value) or _PAIRS.get(call.func.attr.value, "")
    sides = [module.code_for_node(side) for side in positional(call)]
    needed = pattern.count("{")
    return pattern.format(*sides) if pattern and len(sides) >= needed else ""


def is_assertion(statement: cst.CSTNode) -> bool:
    """Tell whether a statement is an assertion of pytest or unittest."""
    if isinstance(statement, cst.SimpleStatementLine):
        if any(isinstance(small, cst.Assert) for small in statement.body):
            return True
        call = _lone_call(statement)
        return call is not None and _method(call)[1].startswith("assert")
    return False


def _positive(test: cst.BaseExpression, module: cst.Module) -> str:
    """Return a condition that becomes true; "nothing has happened" is true from the start."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return ""
    if isinstance(test, cst.Comparison):
        negative = (cst.NotEqual, cst.NotIn, cst.IsNot, cst.LessThan, cst.LessThanEqual)
        if any(isinstance(target.operator, negative) for target in test.comparisons):
            return ""
        if "time" in module.code_for_node(test):
            return ""
    return module.code_for_node(test)


class _Calls(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Call] = []

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        self.found.append(node)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002 - LibCST's name
        return False


def _kind(call: cst.Call, names: Names) -> str:
    if known := _MADE.get(names.qualify(call.func), ""):
        return known
    return "result" if _method(call)[1] == "submit" else ""


def _method(call: cst.Call) -> tuple[str, str]:
    """Return ``owner`` and ``method`` of ``owner.method(...)``; the owner a plain name."""
    if not isinstance(call.func, cst.Attribute):
        return "", ""
    owner = call.func.value
    return (owner.value if isinstance(owner, cst.Name) else "", call.func.attr.value)


def _assigned(statement: cst.CSTNode) -> str:
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        if isinstance(small, cst.Assign) and len(small.targets) == 1:
            target = small.targets[0].target
            return target.value if isinstance(target, cst.Name) else ""
    return ""


def _value(statement: cst.CSTNode) -> cst.BaseExpression | None:
    if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign):
        return statement.body[0].value
    return None


def _lone_call(statement: cst.CSTNode) -> cst.Call | None:
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        if isinstance(small, cst.Expr):
            value = small.value
            value = value.expression if isinstance(value, cst.Await) else value
            return value if isinstance(value, cst.Call) else None
    return None
