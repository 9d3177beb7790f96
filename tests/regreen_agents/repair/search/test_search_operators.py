"""Which edits the operators propose, as texts."""

import ast

import pytest

from regreen_agents.repair.search.candidates import OPERATORS
from regreen_agents.repair.search.source import SourceFile, parse
from regreen_agents.repair.search.units import places


def edits(text: str) -> list[str]:
    """Return the text after each mutation of it."""
    source = parse("shop.py", text)
    return [after for _, after in mutations(source)]


def mutations(source: SourceFile) -> list[tuple[str, str]]:
    """Return (operator, text after it) for each mutation of a file."""
    text = source.text
    return [
        (found.operator, text[: found.start] + found.after + text[found.end :])
        for place in places(source)
        for node in place.nodes
        for operator in OPERATORS
        for found in operator(source, node)
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("a < b", "a <= b"),
        ("a>=b", "a>b"),
        ("a == b", "a != b"),
        ("a is not b", "a is b"),
        ("a not  in b", "a in b"),
        ("0 < a < b", "0 < a <= b"),
        ("(a) > (b)", "(a) >= (b)"),
        ("a + b", "a - b"),
        ("a * b", "a / b"),
        ("a // b", "a / b"),
        ("a & b", "a | b"),
        ("x -= a", "x += a"),
        ("x = [3]", "x = [4]"),
        ("x = True", "x = False"),
        ("f(reverse=False)", "f(reverse=True)"),
        ("a and b", "a or b"),
        ("a and b and c", "a and b or c"),
        ("a and b", "a"),
        ("not (a or b)", "(a or b)"),
        ("-a", "a"),
        ("if a: pass", "if not a: pass"),
        ("if a or b: pass", "if not (a or b): pass"),
        ("[i for i in a if f(i)]", "[i for i in a if not f(i)]"),
        ("range(n)", "range(n + 1)"),
        ("range(n)", "range(1, n)"),
        ("range(len(n) - 1)", "range(len(n))"),
        ("a[i]", "a[i - 1]"),
        ("a[i if b else c]", "a[(i if b else c) + 1]"),
        ("a[i:j]", "a[i:j + 1]"),
        ("a[:j]", "a[1:j]"),
        ("a[i:]", "a[i:-1]"),
        ("a[i:-1]", "a[i:]"),
        ("x = (a) + 1", "x = (a)"),
        ("x = len(a)", "x = len(a) - 1"),
        ("min(a)", "max(a)"),
        ("a.b.startswith(c)", "a.b.endswith(c)"),
        ("f(a, b)", "f(b, a)"),
        ("a - b", "b - a"),
        ("while a: break", "while a: continue"),
        ('x = "ü"; a < b', 'x = "ü"; a <= b'),
    ],
)
def test_the_right_text_is_among_the_edits(wrong: str, right: str) -> None:
    assert right in edits(wrong)


@pytest.mark.parametrize(
    "text",
    [
        '"""Text with 1 < 2 and more."""',
        "def f(a: 'x < 1', b: Literal[1]) -> Tuple[2]: pass",
        "a: Literal[1]",
        'f"{a < 1:>3}"',
        "import a",
        "x = 'and'",
        "x = 1.5",
    ],
)
def test_text_that_no_run_depends_on_is_left_alone(text: str) -> None:
    assert edits(text) == []


def test_a_comment_between_operands_is_never_taken_for_an_operator() -> None:
    text = "x = (a  # less < than\n     < b)"

    assert all("# less < than" in after for after in edits(text))


def test_almost_every_edit_of_a_real_module_is_python_again() -> None:
    with open(ast.__file__, encoding="utf-8") as file:  # noqa: PTH123 - a file of the library
        source = parse("ast.py", file.read())
    sample = mutations(source)[::31]

    broken = [name for name, after in sample if not is_python(after)]

    assert len(sample) > 30
    assert len(broken) <= 0.02 * len(sample), broken


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
