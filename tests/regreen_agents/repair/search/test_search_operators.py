"""Which edits the operators propose, as texts."""

import ast
import bisect

import pytest

from regreen_agents.domain.runs import FailureDetail
from regreen_agents.repair.search.file_scope import FileScope
from regreen_agents.repair.search.scope import Crash, Scope, Site, crash_of
from regreen_agents.repair.search.source import SourceFile, parse
from regreen_agents.repair.search.tiers import OPERATORS
from regreen_agents.repair.search.tiers import mutations as all_mutations
from regreen_agents.repair.search.units import places


def edits(text: str) -> list[str]:
    """Return the text after each mutation of it."""
    return [after for _, after in mutations(parse("shop.py", text))]


def mutations(source: SourceFile, crash: Crash | None = None) -> list[tuple[str, str]]:
    """Return (operator, text after it) for each mutation of a file."""
    text, file = source.text, FileScope(source)
    return [
        (found.operator, text[: found.start] + found.after + text[found.end :])
        for place in places(source)
        for tier in OPERATORS
        for found in all_mutations(tier, Site(Scope(file, place.function, crash or Crash()), place))
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


BODIES = [
    ("return a % b", "return a + b"),
    ("return a == b", "return a in b"),
    ("return '{}{'.format(a, b)", "return '{}{}'.format(a, b)"),
    ("return a.f('ZZ')", "return a.f('Z')"),
    ("return 'of %s'", "return 'of %s' % a"),
    ("return 100 in (11, 12)", "return a % 100 in (11, 12)"),
    ("return a.f('x', g(b)), a.f('x')", "return a.f('x', g(b)), a.f('x', g(b))"),
    ("f(a + b)\nreturn second", "f(a + b)\nreturn second - (a + b)"),
    ("while a:\n  f(a)\n  x = a", "while a:\n  f(a)\n  x = a\n  a //= b"),
    ("return [f(x) for x in a]", "return b + [f(x) for x in a]"),
    ("return (f(x) for x in a)", "return tuple(f(x) for x in a)"),
    ("return a.found(b)", "return not a.found(b)"),
    ("return str(a)", "return repr(a)"),
    ("return (b, a(b))", "return (a(b), a(b))"),
    ("raise 'no'\nraise ValueError('x')", "raise ValueError('no')\nraise ValueError('x')"),
    ("return (a < b, a.next())", "return (a.next() < b, a.next())"),
    ("return [a[0], b]", "return [max(b, a[0]), b]"),
    ("f(a)\ng(a, mode=b)\ng(a)", "f(a)\ng(a, mode=b)\ng(a, mode=b)"),
    ("other.go(a)", "other.go(b, a)"),
    ("a = b\nx = y = 0\na[x] = b[y]\nreturn a[y]", "a = b\nx = y = 0\na[x] = b[y]\nreturn b[x]"),
    (
        "i = j = 0\na.f(i)\nb.f(j)\nx.add(a[i])",
        "i = j = 0\na.f(i)\nb.f(j)\nx.add(a[i])\nx.add(b[j])",
    ),
    ("x = a", "x += a"),
    ("a += b", "a = b"),
    ("if a:\n  f()", "while a:\n  f()"),
    ("if a:\n  f()\nif b:\n  f()", "if a:\n  f()\nelif b:\n  f()"),
    ("yield f(a)", "yield from f(a)"),
    ("f(a)", "return f(a)"),
    ("return f(a)", "return f(a) + 1"),
    ("return a + b * b", "return (a + b) * b"),
    ("return (a + b) * b", "return a + b * b"),
    ("return a + b", "return b"),
    ("if a:\n  f()", "if a is not None:\n  f()"),
    ("if a is None:\n  f()", "if not a:\n  f()"),
    ("if a == 0:\n  f()", "if a <= 1:\n  f()"),
    ("return re.match('a.b', a)", "return re.match(r'a\\.b', a)"),
    ("return re.match('a', a)", "return re.match('a$', a)"),
    ("return a[:b]", "return a[b:]"),
    ("return []", "return [[]]"),
    ("return []", "return [a]"),
    ("return a", "return b"),
    ("return g(a, b)", "return g(b, a)"),
    ("return g(a, b)", "return g(a)"),
    ("return g(a)", "return g(a, b)"),
    ("return g(a)", "return g(a, second=b)"),
    ("return sorted(a)", "return sorted(a, reverse=True)"),
    ("while True:\n  f()", "while a:\n  f()"),
    ("return a[0][b]", "return a[b][0]"),
    ("return f(a)", "return a"),
    ("return a", "return list(a)"),
    ("return a.b()", "return a.b"),
    ("return a", "return a.lower()"),
    ("return a[b]", "return a.get(b, 0)"),
    ("return a.get(b)", "return a.get(b, [])"),
    ("return a.b", "return getattr(a, 'b', None)"),
    ("return a or b", "return a if a is not None else b"),
    ("return f(a)", "return f(a[1:])"),
    ("a = f(b)", "a = max(a, f(b))"),
    ("return f(a)", "return f(a - b)"),
    ("return f(a) or b", "return f(a) and b"),
    ("if a > b:\n  f()", "if a > b or not a:\n  f()"),
    ("return True", "return not a"),
    ("f(a)\nreturn b", "return b"),
    ("f(a)\nb = a", "b = a\nf(a)"),
    ("for x in a:\n  f(x)\n  return b", "for x in a:\n  f(x)\nreturn b"),
    ("for x in a:\n  f(x)\nb = a", "for x in a:\n  f(x)\n  b = a"),
    ("while a:\n  f(a)", "while a:\n  f(a)\n  a -= 1"),
    ("b = []\nfor x in a:\n  f(x)", "b = []\nfor x in a:\n  f(x)\n  b.append(x)"),
    ("return f(a)", "if not a:\n  return []\nreturn f(a)"),
    ("for x in a:\n  f(x)", "for x in a:\n  if x is None:\n    continue\n  f(x)"),
    ("f(a)", "if a is not None:\n  f(a)"),
    ("if a:\n  f(a)\nf(b)", "if a:\n  f(a)\nelse:\n  f(b)"),
]


@pytest.mark.parametrize(("wrong", "right"), BODIES)
def test_the_right_body_is_among_the_edits(wrong: str, right: str) -> None:
    assert function(right) in edits(function(wrong))


def function(body: str) -> str:
    return "def g(a, b=1, second=2):\n  " + body.replace("\n", "\n  ") + "\n"


CLASS = """\
class Cart:
    def __init__(self, items, total):
        self.items = items
        self.total = total

    def count(self):
        return {}

    def cost(self):
        return self.total
"""


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("len(self.total)", "len(self.items)"),
        ("self.total", "self.total()"),
        ("self.count()", "self.cost()"),
        ("0", "self.total"),
    ],
)
def test_what_the_class_has_is_tried_on_the_instance(wrong: str, right: str) -> None:
    assert CLASS.format(right) in edits(CLASS.format(wrong))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            "try:\n  f(a)\nexcept KeyError:\n  pass",
            "try:\n  f(a)\nexcept (KeyError, IndexError):\n  pass",
        ),
        ("return isinstance(a, list)", "return isinstance(a, (list, tuple))"),
        ("f(a)", "try:\n  f(a)\nexcept IndexError:\n  pass"),
        ("f(a)", "if not a:\n  raise ValueError\nf(a)"),
    ],
)
def test_types_in_the_failures_are_caught_accepted_and_raised(wrong: str, right: str) -> None:
    crash = crash_of(
        [
            failure("IndexError", "list index out of range"),
            failure("TypeError", "unsupported type 'tuple'"),
            failure("Failed", "DID NOT RAISE <class 'ValueError'>"),
            failure("AssertionError", "assert 1 == 2"),
        ]
    )

    found = [after for _, after in mutations(parse("shop.py", function(wrong)), crash)]

    assert crash.types == ("IndexError", "TypeError")
    assert function(right) in found


def failure(kind: str, message: str) -> FailureDetail:
    return FailureDetail(phase="call", type=kind, message=message)


def test_inserted_lines_keep_the_files_newlines_and_indentation() -> None:
    text = "def g(a):\r\n\twhile a:\r\n\t\tf(a)\r\n"

    found = [after for after in edits(text) if after.count("\n") > text.count("\n")]

    assert text + "\t\ta -= 1\r\n" in found
    assert all("\n" not in after.replace("\r\n", "") for after in found)
    assert all("    " not in after for after in found)


def test_words_near_those_of_the_tests_are_corrected() -> None:
    crash = crash_of([], ["assert greeting() == 'hello world'"])
    found = [after for _, after in mutations(parse("s.py", function("return 'helo '")), crash)]

    assert function("return 'hello '") in found


def test_an_idiom_of_the_file_is_inserted_where_its_names_are_known() -> None:
    other = "def h(a):\n  if a in CACHE:\n    return CACHE[a]\n  return f(a)\nCACHE = {}\n"
    right = function("if a in CACHE:\n  return CACHE[a]\nreturn a")

    assert other + right in edits(other + function("return a"))


@pytest.mark.parametrize(
    "text",
    [
        '"""Text with 1 < 2 and more."""',
        "def f(a: 'x < 1', b: Literal[1]) -> Tuple[2]: ...",
        "a: Literal[1]",
        'f"{a < 1:>3}"',
        "import a",
    ],
)
def test_text_that_no_run_depends_on_is_left_alone(text: str) -> None:
    assert edits(text) == []


def test_a_comment_between_operands_is_never_taken_for_an_operator() -> None:
    text = "x = (a  # less < than\n     < b)"

    found = mutations(parse("shop.py", text))

    assert all("# less < than" in after for operator, after in found if operator != "delete")


def test_almost_every_edit_of_a_real_module_is_python_again() -> None:
    with open(bisect.__file__, encoding="utf-8") as file:  # noqa: PTH123 - a file of the library
        source = parse("bisect.py", file.read())
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
