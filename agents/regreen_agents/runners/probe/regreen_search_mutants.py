"""Put mutants in place: functions by their code, modules by the text that is imported.

Runs in the target's interpreter: Python 3.8+, no dependency. A mutated function is compiled alone
and installed by ``__code__`` on every function object that was made from it, so nothing is imported
again and whoever holds the function (a class, a decorator, a registry) holds the mutated one.
Modules that are not yet imported get the mutated text when they are. With a tank, mutated and
unmutated code of the mutants' files burns fuel.
"""

import __future__

import ast
import gc
import importlib.machinery
import os
import sys
import types
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

CodeKey = Tuple[str, int, str]
"""Real path, first line and name of a code object."""
Undo = List[Tuple[types.FunctionType, types.CodeType]]
LRU: Any = getattr(__import__("functools"), "_lru_cache_wrapper", None)


def text_of(path: str) -> str:
    """Return a file's text, newlines as they are."""
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def mutated_text(path: str, mutant: Dict[str, Any]) -> str:
    """Return the text of the mutant's file with the mutation in it."""
    text = text_of(path)
    return str(text[: mutant["start"]] + mutant["after"] + text[mutant["end"] :])


class Overlay:
    """Compiles some files differently when they are imported, in this process and its children."""

    def __init__(self, fuel: Any, tank: Any) -> None:
        """Compile with ticks where there is a tank; `fuel` is the module that does it."""
        self._fuel = fuel
        self._tank = tank
        self._files: Set[str] = set()
        self._texts: Dict[str, str] = {}
        self._is_on = False

    def cover(self, files: Iterable[str]) -> None:
        """Give these files ticks, too."""
        self._files.update(files)
        self._switch_on()

    def put(self, mutant: Dict[str, Any], tree: str) -> None:
        """Make every later import of the mutant's file compile the mutated text."""
        path = os.path.realpath(os.path.join(tree, mutant["path"]))
        self._texts[path] = mutated_text(path, mutant)
        self._switch_on()

    def _switch_on(self) -> None:
        if self._is_on:
            return
        self._is_on = True
        loader: Any = importlib.machinery.SourceFileLoader
        original = loader.get_code

        def get_code(loading: Any, fullname: str) -> Any:
            path = loading.get_filename(fullname)
            real = os.path.realpath(path)
            if real not in self._texts and real not in self._files:
                return original(loading, fullname)
            return self._code(loading, path, real)

        loader.get_code = get_code

    def _code(self, loading: Any, path: str, real: str) -> Any:
        text = self._texts.get(real)
        if self._tank is None:
            return loading.source_to_code(text_of(real) if text is None else text, path)
        if text is None:
            try:
                text = text_of(real)
            except ValueError:  # not UTF-8: no mutant of it, no fuel in it
                return loading.source_to_code(loading.get_data(path), path)
        return self._fuel.compiled(text, self._fuel.Place(path), self._tank)


def overlay(mutant: Dict[str, Any], tree: str) -> None:
    """Make every later import of the mutant's file, in this process, compile the mutated text."""
    Overlay(None, None).put(mutant, tree)


class Functions:
    """Every Python function alive after collection, by the code it was made from."""

    def __init__(self, tree: str, fuel: Any = None, tank: Any = None) -> None:
        """Walk the heap once, for functions of files below `tree`; a tank gives code ticks."""
        self._fuel = fuel
        self._tank = tank
        self._real: Dict[str, str] = {}
        self._by_code: Dict[CodeKey, List[types.FunctionType]] = {}
        self._loaded: Set[str] = set()
        self._deep: Dict[str, List[int]] = {}
        """Lines with comprehensions or lambdas, of each file with ticks."""
        self.caches: List[Any] = []
        """The tree's functions in ``functools.lru_cache``."""
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType:
                key = self._key(thing.__code__)
                if key[0].startswith(tree + os.sep):
                    self._by_code.setdefault(key, []).append(thing)
            elif type(thing) is LRU:
                code = getattr(getattr(thing, "__wrapped__", None), "__code__", None)
                if code is not None and self._key(code)[0].startswith(tree + os.sep):
                    self.caches.append(thing)
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str):
                self._loaded.add(os.path.realpath(path))

    def _key(self, code: types.CodeType) -> CodeKey:
        name = code.co_filename
        if name not in self._real:
            self._real[name] = os.path.realpath(name)
        return (self._real[name], code.co_firstlineno, code.co_name)

    def is_loaded(self, path: str) -> bool:
        """Whether a file's module is imported."""
        return path in self._loaded

    def unit_function(self, unit: Dict[str, Any], path: str) -> Optional[types.FunctionType]:
        """Return a function made from a unit: ``{"line", "names"}``."""
        found = self._by_code.get((path, unit["line"], unit["names"][-1]))
        return found[0] if found else None

    def reaches(self, mutant: Dict[str, Any], path: str) -> bool:
        """Whether the mutant can be put in place without importing its file again."""
        if path not in self._loaded:
            return True
        unit = mutant["unit"]
        return bool(unit) and self.unit_function(unit, path) is not None

    def instrument(self, path: str) -> None:
        """Give ticks to the functions of a file that is imported already."""
        if path not in self._loaded:
            return
        try:
            text = text_of(path)
            code = self._fuel.compiled(text, self._fuel.Place(path), self._tank)
            self._deep[path] = self._fuel.lines_of_expressions(text)
        except (OSError, ValueError, SyntaxError, RecursionError):
            return  # then no mutant of it can be compiled either
        self._give(list(code_tree(code)))

    def install(self, mutant: Dict[str, Any], path: str) -> Undo:
        """Give the mutated code to every function made from the original; return what to undo.

        Lambdas and nested functions that share line and name cannot be told apart; those that exist
        already keep their code.
        """
        if not mutant["unit"] or path not in self._loaded:
            return []
        return self._give(code_tree(self._compiled(mutant, path)))

    def _give(self, codes: List[types.CodeType]) -> Undo:
        keys = [self._key(code) for code in codes]
        undo: Undo = []
        for code, key in zip(codes, keys):
            if keys.count(key) > 1:
                continue
            for function in self._by_code.get(key, ()):
                before = function.__code__
                try:
                    function.__code__ = code
                except ValueError:
                    continue  # the mutation changed which outer variables it uses
                undo.append((function, before))
        return undo

    def _compiled(self, mutant: Dict[str, Any], path: str) -> types.CodeType:
        """Compile a mutant's outermost function alone, at its own lines, and return its code."""
        unit = mutant["unit"]
        if self._tank is None:
            return compile_unit(unit, path)
        lines, last = self._deep.get(path), unit["line"] + unit["text"].count("\n")
        is_deep = lines is None or any(unit["line"] <= line <= last for line in lines)
        is_deep = is_deep or " for " in mutant["after"] or "lambda" in mutant["after"]
        place = self._fuel.Place(path, unit["shift"], future_flags(unit), is_deep)
        code = self._fuel.compiled(unit["text"], place, self._tank)
        return code_named(code, unit["names"])


def compile_unit(unit: Dict[str, Any], path: str) -> types.CodeType:
    """Compile the outermost function of a mutant alone, at its own lines, without ticks."""
    flags = future_flags(unit)
    tree = compile(unit["text"], path, "exec", flags | ast.PyCF_ONLY_AST, True)
    ast.increment_lineno(tree, unit["shift"])
    return code_named(compile(tree, path, "exec", flags, True), unit["names"])


def future_flags(unit: Dict[str, Any]) -> int:
    """Return the compiler's flags for the ``from __future__`` imports of a unit's file."""
    flags = 0
    for name in unit["futures"]:
        flags |= getattr(__future__, name).compiler_flag
    return flags


def code_named(code: Any, names: List[str]) -> types.CodeType:
    """Return the code of a function from that of the text around it."""
    for name in names:
        code = next(
            inner
            for inner in code.co_consts
            if isinstance(inner, types.CodeType) and inner.co_name == name
        )
    found: types.CodeType = code
    return found


def take_back(undo: Undo) -> None:
    """Give functions the code they had."""
    for function, code in undo:
        function.__code__ = code


def code_tree(code: types.CodeType) -> List[types.CodeType]:
    """Return a code object and all those nested in it."""
    found = [code]
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            found.extend(code_tree(inner))
    return found
