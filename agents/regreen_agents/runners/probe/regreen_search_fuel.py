"""Fuel: a count of loop iterations and function entries that ends what would never end.

Runs in the target's interpreter: Python 3.8+, no dependency. Code is compiled from its syntax tree
with a *tick* at the head of every loop and function. A tick is one call of a C iterator held in the
code's constants, about a tenth of a microsecond; no tracer is set. What runs out of fuel does so at
the same place in every run, however busy the machine is.
"""

import ast
import itertools
import operator
import types
import warnings
from typing import Any, List, NamedTuple

MARK = "\0regreen fuel"
"""Stands for the tank in the constants of instrumented code until `plumbed` puts it there."""
ENDLESS = 1 << 60
LOOPS = (ast.For, ast.While, ast.AsyncFor)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


ANYWHERE: Any = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
"""Where a tick stands: only the traceback of what runs dry tells, and nobody reads it."""
TICK: Any = ast.Expr(
    ast.Call(
        ast.Attribute(ast.Constant(MARK, **ANYWHERE), "tick", ast.Load(), **ANYWHERE),
        [], [], **ANYWHERE
    ),
    **ANYWHERE
)  # fmt: skip
"""The statement that burns one tick: one node for all places, a compiler only reads it."""


class OutOfFuel(BaseException):
    """Raised by every tick once the tank is empty: no ``except Exception`` holds it up."""


class Empty:
    """An iterator that never gives anything."""

    def __init__(self, tank: "Tank") -> None:
        """Keep the tank to tell."""
        self._tank = tank

    def __iter__(self) -> "Empty":
        """Be an iterator."""
        return self

    def __next__(self) -> Any:
        """Say that the tank is empty."""
        self._tank.is_dry = True
        raise OutOfFuel


class Tank:
    """The fuel of one process; code compiled with it holds it by reference."""

    __slots__ = ("_left", "_size", "is_dry", "tick")

    def __init__(self) -> None:
        """Begin with more than anything can burn."""
        self.fill(ENDLESS)

    def fill(self, ticks: int) -> None:
        """Hold so many ticks from now on."""
        self._size = ticks
        self._left = itertools.repeat(None, ticks)
        self.is_dry = False
        self.tick = itertools.chain(self._left, Empty(self)).__next__

    def used(self) -> int:
        """Return the ticks burnt since it was filled."""
        return self._size - operator.length_hint(self._left)


class Place(NamedTuple):
    """Where a text to compile is from."""

    path: str
    shift: int = 0
    """Added to the text's line numbers."""
    flags: int = 0
    """Of ``from __future__`` imports outside the text."""
    is_deep: bool = True
    """Whether it may hold comprehensions or lambdas: looking for them takes as long as the rest."""


def compiled(text: str, place: Place, tank: Tank) -> types.CodeType:
    """Compile a text with ticks in it that burn the tank's fuel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(text, place.path, "exec", place.flags | ast.PyCF_ONLY_AST, True)
        instrument(tree, is_deep=place.is_deep)
        code: types.CodeType = compile(tree, place.path, "exec", place.flags, True)
    return plumbed(code, tank, place.shift)


def instrument(tree: ast.Module, *, is_deep: bool) -> None:
    """Put a tick at the head of every function and loop of a syntax tree, in place."""
    if is_deep:
        for node in list(ast.walk(tree)):
            instrument_expression(node)
    waiting: List[Any] = [tree]
    while waiting:
        node = waiting.pop()
        for field in BODIES:
            waiting.extend(getattr(node, field, ()))
        if isinstance(node, LOOPS):
            node.body.insert(0, TICK)
        elif isinstance(node, FUNCTIONS):
            node.body.insert(int(has_docstring(node)), TICK)


def instrument_expression(node: Any) -> None:
    """Put ticks into a comprehension or a lambda."""
    if isinstance(node, COMPREHENSIONS):
        for generator in node.generators:
            generator.ifs.insert(0, ast.UnaryOp(ast.Not(), TICK.value, **ANYWHERE))
    elif isinstance(node, ast.Lambda):
        node.body = ast.BoolOp(ast.Or(), [TICK.value, node.body], **ANYWHERE)


def lines_of_expressions(text: str) -> List[int]:
    """Return the lines with comprehensions or lambdas, sorted; none for what is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    kinds = (*COMPREHENSIONS, ast.Lambda)
    return sorted({node.lineno for node in ast.walk(tree) if isinstance(node, kinds)})


def has_docstring(node: Any) -> bool:
    """Whether a function begins with a string, which has to stay at its head."""
    first = node.body[0]
    held = first.value if isinstance(first, ast.Expr) else None
    return isinstance(held, ast.Constant) and isinstance(held.value, str)


def plumbed(code: types.CodeType, tank: Tank, shift: int = 0) -> types.CodeType:
    """Return the code, its lines shifted, with the tank in place of its mark; nested code too."""
    held: List[Any] = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            held.append(plumbed(constant, tank, shift))
        else:
            held.append(tank if type(constant) is str and constant == MARK else constant)
    first = code.co_firstlineno + shift  # the line table is relative to it
    return code.replace(co_consts=tuple(held), co_firstlineno=first)
