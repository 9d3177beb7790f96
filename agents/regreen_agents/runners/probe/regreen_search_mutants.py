"""Put mutants in place and judge them, each in a forked child.

Runs in the target's interpreter: Python 3.8+, no dependency. A mutated function is compiled alone
and installed by ``__code__`` on every function object that was made from it, so nothing is imported
again and whoever holds the function (a class, a decorator, a registry) holds the mutated one.
Modules that are not yet imported get the mutated text when they are.
"""

import __future__

import ast
import gc
import importlib.machinery
import os
import sys
import types
from typing import Any, Callable, Dict, List, Set, Tuple

CodeKey = Tuple[str, int, str]
"""Real path, first line and name of a code object."""


def mutated_text(path: str, mutant: Dict[str, Any]) -> str:
    """Return the text of the mutant's file with the mutation in it."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    return str(text[: mutant["start"]] + mutant["after"] + text[mutant["end"] :])


def overlay(mutant: Dict[str, Any], tree: str) -> None:
    """Make every later import of the mutant's file, in this process, compile the mutated text."""
    target = os.path.realpath(os.path.join(tree, mutant["path"]))
    text = mutated_text(target, mutant)
    loader: Any = importlib.machinery.SourceFileLoader
    original = loader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        if os.path.realpath(path) != target:
            return original(self, fullname)
        return self.source_to_code(text, path)

    loader.get_code = get_code


class Functions:
    """Every Python function alive after collection, by the code it was made from."""

    def __init__(self, tree: str) -> None:
        """Walk the heap once, for functions of files below `tree`."""
        self._real: Dict[str, str] = {}
        self._by_code: Dict[CodeKey, List[types.FunctionType]] = {}
        self._loaded: Set[str] = set()
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType:
                key = self._key(thing.__code__)
                if key[0].startswith(tree + os.sep):
                    self._by_code.setdefault(key, []).append(thing)
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str):
                self._loaded.add(os.path.realpath(path))

    def _key(self, code: types.CodeType) -> CodeKey:
        name = code.co_filename
        if name not in self._real:
            self._real[name] = os.path.realpath(name)
        return (self._real[name], code.co_firstlineno, code.co_name)

    def reaches(self, mutant: Dict[str, Any], path: str) -> bool:
        """Whether the mutant can be put in place without importing its file again."""
        if path not in self._loaded:
            return True
        unit = mutant["unit"]
        return bool(unit) and (path, unit["line"], unit["names"][-1]) in self._by_code

    def install(self, mutant: Dict[str, Any], path: str) -> None:
        """Give the mutated code to every function made from the original.

        Lambdas and nested functions that share line and name cannot be told apart; those that exist
        already keep their code.
        """
        if not mutant["unit"] or path not in self._loaded:
            return
        codes = list(code_tree(compile_unit(mutant["unit"], path)))
        keys = [self._key(code) for code in codes]
        for code, key in zip(codes, keys):
            if keys.count(key) > 1:
                continue
            for function in self._by_code.get(key, []):
                try:
                    function.__code__ = code
                except ValueError:
                    continue  # the mutation changed which outer variables it uses


def compile_unit(unit: Dict[str, Any], path: str) -> types.CodeType:
    """Compile the outermost function of a mutant alone, at its own lines, and return its code."""
    flags = 0
    for name in unit["futures"]:
        flags |= getattr(__future__, name).compiler_flag
    tree = ast.parse(unit["text"], path)
    ast.increment_lineno(tree, unit["shift"])
    code: types.CodeType = compile(tree, path, "exec", flags, True)
    for name in unit["names"]:
        code = next(
            inner
            for inner in code.co_consts
            if isinstance(inner, types.CodeType) and inner.co_name == name
        )
    return code


def code_tree(code: types.CodeType) -> List[types.CodeType]:
    """Return a code object and all those nested in it."""
    found = [code]
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            found.extend(code_tree(inner))
    return found


class Judging:
    """Runs the killing tests, then the covering ones, on one mutant after the other."""

    def __init__(self, job: Any) -> None:
        """Find the functions of the tree; measure comes next."""
        self.job = job
        self.functions = Functions(job.tree)
        self.failing: List[Any] = []
        self.seconds: Dict[str, float] = {}
        self.plausible = 0
        self._slowest = 0.0
        self._how = ""

    def measure(self) -> bool:
        """Run all tests without a mutant; return whether a failing one fails here too.

        A failing test that passes in a child proves nothing about a mutant, and a passing one that
        is not green here cannot show that a mutant breaks it: both are left out, and told.
        """
        limit = self.job.asked["test_seconds"]
        wanted = self._needed()
        passing = self.job.chosen(wanted)
        while passing and not self.job.is_over():
            ended = self._run(passing, None, limit)
            green = [one for one in ended if one["outcome"] == "passed"]
            self.seconds.update({one["test"]: one["seconds"] for one in green})
            passing = passing[len(green) + 1 :]  # the one after the green ones was red, or hung
        limit = min(limit, 0.5 + 10 * max([0.0, *self.seconds.values()]))
        for item in self.job.chosen(self.job.asked["failing"]):
            if self.job.is_over():
                break
            ended = self._run([item], None, limit)
            self._slowest = max([self._slowest] + [one["seconds"] for one in ended])
            if not ended or ended[0]["outcome"] != "passed":
                self.failing.append(item)
        left_out = [test for test in wanted if test not in self.seconds]
        failing = [item.nodeid for item in self.failing]
        steady = [test for test in self.job.asked["failing"] if test not in failing]
        self.job.tell({"unsteady": left_out, "green": steady})
        return bool(failing)

    def _needed(self) -> List[str]:
        """Return the passing tests that will have a say on some mutant."""
        needed: Set[str] = set()
        for mutant in self.job.asked["mutants"]:
            if self.functions.reaches(mutant, self._path_of(mutant)):
                needed.update(mutant["tests"])
        return [test for test in self.job.asked["passing"] if test in needed]

    def _path_of(self, mutant: Dict[str, Any]) -> str:
        return os.path.realpath(os.path.join(str(self.job.tree), mutant["path"]))

    def judge(self, mutant: Dict[str, Any], patience: float) -> str:
        """Judge one mutant, tell the verdict, and return it."""
        path = self._path_of(mutant)
        if not self.functions.reaches(mutant, path):
            self.job.tell({"mutant": mutant["id"], "verdict": "cold", "test": ""})
            return "cold"
        covering = [test for test in mutant["tests"] if test in self.seconds]
        items = self.failing + self.job.chosen(covering)
        slowest = max([self._slowest] + [self.seconds[test] for test in covering])
        limit = min(patience * (0.75 + 6 * slowest), self.job.asked["test_seconds"])

        def prepare() -> None:
            overlay(mutant, self.job.tree)
            self.functions.install(mutant, path)

        ended = self._run(items, prepare, limit)
        verdict, test = self._verdict(items, ended)
        self.plausible += verdict == "plausible"
        self.job.tell({"mutant": mutant["id"], "verdict": verdict, "test": test})
        return verdict

    def _verdict(self, items: List[Any], ended: List[Dict[str, Any]]) -> Tuple[str, str]:
        reds = [one["test"] for one in ended if one["outcome"] != "passed"]
        if reds:
            return "red", str(reds[0])
        if len(ended) == len(items):
            return "plausible", ""
        return self._how, str(items[len(ended)].nodeid)

    def _run(self, items: List[Any], prepare: Any, limit: float) -> List[Dict[str, Any]]:
        """Run tests up to the first red one in a child; return those that came to their end."""

        def work(tell: Callable[[Dict[str, Any]], None]) -> None:
            if prepare is not None:
                prepare()
            self.job.run_until_red(items, tell)

        ended = []
        children, asked = self.job.children, self.job.asked
        for answer in children.answers_of(work, limit, asked["scratch"], items[0].config):
            if "end" in answer:
                self._how = answer["end"]
            else:
                ended.append(answer)
        return ended
