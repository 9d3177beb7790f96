"""Notice a diff that weakens a suite: deleted tests, fewer assertions, skips, retries, sleeps."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from regreen_agents.domain.changes import FileEdit, PolicyFlag
from regreen_agents.lab.signatures import is_test_path

SKIPS = (
    *("skip", "skipif", "skipIf", "skipUnless", "skipTest", "xfail"),
    *("importorskip", "expectedFailure"),
)
RETRIES = ("flaky", "reruns", "rerun")
SLEEPS = ("sleep",)
LOOSE = ("approx", "assertAlmostEqual", "isclose", "allclose")
CONFIGURATION = ("conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml")


def policy_flags(edit: FileEdit) -> tuple[PolicyFlag, ...]:
    """Return what in one edit a person should see before it may pass, by line."""
    if PurePosixPath(edit.path).name in CONFIGURATION:
        return (_flag(edit, 1, "test-configuration", "changes how the suite is configured or run"),)
    if not edit.path.endswith(".py") or not is_test_path(edit.path):
        return ()
    try:
        before, after = ast.parse(edit.before), ast.parse(edit.after)
    except SyntaxError:
        return (_flag(edit, 1, "weaker-assertions", "cannot be parsed, so it cannot be compared"),)
    flags = [*_tests(edit, before, after), *_words(edit, before, after)]
    return tuple(sorted(flags, key=lambda flag: (flag.line, flag.rule)))


def _flag(edit: FileEdit, line: int, rule: str, detail: str) -> PolicyFlag:
    return PolicyFlag(path=edit.path, line=line, rule=rule, detail=detail)


def _tests(edit: FileEdit, before: ast.AST, after: ast.AST) -> Iterator[PolicyFlag]:
    """Compare tests by name: gone, or with fewer assertions."""
    old, new = _functions(before), _functions(after)
    for name, function in old.items():
        now = new.get(name)
        if now is None:
            yield _flag(edit, function.lineno, "deleted-test", f"{name} is no longer there")
        elif _assertions(now) < _assertions(function):
            detail = f"{name} had {_assertions(function)} assertions, now {_assertions(now)}"
            yield _flag(edit, now.lineno, "weaker-assertions", detail)


def _words(edit: FileEdit, before: ast.AST, after: ast.AST) -> Iterator[PolicyFlag]:
    """Count the names that skip, retry, wait or loosen; more of them is a flag."""
    rules = (("new-skip", SKIPS), ("new-retry", RETRIES), ("new-sleep", SLEEPS))
    for rule, words in (*rules, ("weaker-assertions", LOOSE)):
        old, new = _named(before, words), _named(after, words)
        for word, lines in new.items():
            if len(lines) > len(old.get(word, [])):
                detail = f"`{word}` {len(old.get(word, []))} -> {len(lines)} times"
                yield _flag(edit, lines[-1], rule, detail)


def _functions(tree: ast.AST) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "test" in node.name:
            found[node.name] = node
    return found


def _assertions(function: ast.AST) -> int:
    counted = Counter(
        "assert"
        for node in ast.walk(function)
        if (isinstance(node, ast.Assert) and not _says_nothing(node.test))
        or (isinstance(node, ast.Call) and _name(node.func).startswith(("assert", "raises")))
    )
    return counted["assert"]


def _says_nothing(test: ast.expr) -> bool:
    """Whether an assertion holds whatever the code does: it names nothing, or itself twice."""
    if isinstance(test, ast.Compare) and len(test.comparators) == 1:
        [other] = test.comparators
        if isinstance(test.ops[0], ast.Eq | ast.Is) and ast.dump(test.left) == ast.dump(other):
            return True
    return not any(isinstance(node, ast.Name | ast.Await) for node in ast.walk(test))


def _named(tree: ast.AST, words: tuple[str, ...]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for node in ast.walk(tree):
        name = _name(node)
        if name in words and isinstance(node, ast.Name | ast.Attribute):
            found.setdefault(name, []).append(node.lineno)
    return found


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
