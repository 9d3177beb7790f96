"""From tests as texts to the test modules of one case, in the manner drawn for it."""

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Sequence

from repair_cases.drawing import Manner, Words
from repair_cases.situations import Test

STANDARD = [
    "array",
    "asyncio",
    "base64",
    "collections",
    "contextlib",
    "csv",
    "datetime",
    "decimal",
    "fractions",
    "glob",
    "inspect",
    "io",
    "json",
    "locale",
    "logging",
    "math",
    "os",
    "random",
    "re",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "string",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "unittest",
    "warnings",
    "zipfile",
]
FROM = {"Path": "pathlib", "mock": "unittest"}
METHODS: dict[type[ast.cmpop], str] = {
    ast.Eq: "assertEqual",
    ast.NotEq: "assertNotEqual",
    ast.In: "assertIn",
    ast.NotIn: "assertNotIn",
}


def test_module(tests: Sequence[Test], head: str, words: Words, manner: Manner) -> str:
    """Return the text of a test module."""
    plain = manner.style == "functions"
    parts = [_function(test, words, manner.style) for test in tests]
    code = ("\n\n" if plain else "\n").join(parts)
    if not plain:
        base = "(unittest.TestCase)" if manner.style == "unittest" else ""
        code = f"class {class_name(words)}{base}:\n" + textwrap.indent(code, "    ")
    return finished(f"{head}\n\n{code}" if head else code, words, manner)


def finished(code: str, words: Words, manner: Manner) -> str:
    """Return code with its imports, names filled in and quotes as drawn."""
    code = words.fill(code)
    own = [line for line in code.splitlines() if re.match(r"(import|from) \S", line)]
    code = "\n".join(line for line in code.splitlines() if line not in own).strip("\n") + "\n"
    code, line = _imported(code, words, manner)
    theirs = [f"import {name}" for name in STANDARD if re.search(rf"(?<![\w.])\b{name}\.", code)]
    for name, module in FROM.items():
        if re.search(rf"(?<![\w.]){name}[.(]", code):
            theirs.append(f"from {module} import {name}")
    theirs = sorted({*theirs, *own}, key=lambda text: (text.startswith("from"), text))
    third = ["import pytest"] if re.search(r"\bpytest\.", code) else []
    blocks = ["\n".join(block) for block in (theirs, third, [line] if line else []) if block]
    text = "\n\n".join(blocks) + ("\n\n\n" if blocks else "") + code
    return single_quoted(text) if manner.single_quotes else text


def class_name(words: Words) -> str:
    """Return the name of a case's test class."""
    return words.fill("Test<N>")


def _function(test: Test, words: Words, style: str) -> str:
    own = ["self"] if style != "functions" else []
    body = words.fill(test.body)
    if style == "unittest":
        body = "\n".join(_for_unittest(line) for line in body.splitlines()) + "\n"
    name, parameters = words.fill(test.name), words.fill(", ".join([*own, *test.fixtures]))
    return f"def test_{name}({parameters}):\n" + textwrap.indent(body, "    ")


def _imported(code: str, words: Words, manner: Manner) -> tuple[str, str]:
    """Resolve ``M.name``; return the code and the line that imports what it uses."""
    names = sorted(set(re.findall(r"(?<![\w.])M\.(\w+)", code)))
    if not re.search(r"(?<![\w.])M\b", code):
        return code, ""
    bare = re.search(r"(?<![\w.])M\b(?!\.\w)", code)
    if manner.imports == "names" and names and not bare:
        line = f"from {words.package}.{words.module} import {', '.join(names)}"
        return re.sub(r"(?<![\w.])M\.(?=\w)", "", code), line
    name, line = words.module, f"from {words.package} import {words.module}"
    if manner.imports == "alias":
        name = words.module[:3] + "_mod"
        line = f"import {words.package}.{words.module} as {name}"
    return re.sub(r"(?<![\w.])M\b", name, code), line


def _for_unittest(line: str) -> str:
    """Write a plain assertion as a method of a TestCase."""
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    if text.startswith("with pytest.raises("):
        return indent + text.replace("with pytest.raises(", "with self.assertRaises(")
    if not text.startswith("assert "):
        return line
    statement = ast.parse(text).body[0]
    assert isinstance(statement, ast.Assert)
    return indent + _method(statement.test, text)


def _method(test: ast.expr, text: str) -> str:
    def source(node: ast.expr) -> str:
        return ast.get_source_segment(text, node) or ""

    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in METHODS:
        name = METHODS[type(test.ops[0])]
        return f"self.{name}({source(test.left)}, {source(test.comparators[0])})"
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return f"self.assertFalse({source(test.operand)})"
    return f"self.assertTrue({source(test)})"


def single_quoted(code: str) -> str:
    """Turn double quotes into single ones where the string has neither quotes nor backslashes."""
    lines = code.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(code).readline))):
        text = token.string
        if token.type != tokenize.STRING or token.start[0] != token.end[0]:
            continue
        prefix, _, rest = text.partition('"')
        if not text.endswith('"') or rest.startswith('""') or re.search(r"['\\\"]", rest[:-1]):
            continue
        row, first, last = token.start[0] - 1, token.start[1], token.end[1]
        quoted = f"{prefix}'{rest[:-1]}'"
        lines[row] = lines[row][:first] + quoted + lines[row][last:]
    return "".join(lines)
