from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.repair.recipes.registry import proposals, propose
from value_cases import LOCALE, METHOD, TEST, failed, outcomes, red_of, repaired

TEXT = """
    from shop import save


    def test_it(tmp_path):
        save(tmp_path / "a", "\\xe9")
        assert (tmp_path / "a").read_bytes() == b"\\xc3\\xa9"
    """


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ('open(p, "w")', 'open(p, "w", encoding="utf-8")'),
        ("open(p)", 'open(p, encoding="utf-8")'),
        ('io.open(p, mode="rt")', 'io.open(p, mode="rt", encoding="utf-8")'),
        ("Path(p).read_text()", 'Path(p).read_text(encoding="utf-8")'),
        ("p.write_text(x)", 'p.write_text(x, encoding="utf-8")'),
        ('p.open("a")', 'p.open("a", encoding="utf-8")'),
        ("(p / x).open()", '(p / x).open(encoding="utf-8")'),
        (
            'tempfile.NamedTemporaryFile("w")',
            'tempfile.NamedTemporaryFile("w", encoding="utf-8")',
        ),
        ('gzip.open(p, "rt")', 'gzip.open(p, "rt", encoding="utf-8")'),
        ("logging.FileHandler(p)", 'logging.FileHandler(p, encoding="utf-8")'),
        (
            "RotatingFileHandler(filename=p, maxBytes=1)",
            'RotatingFileHandler(filename=p, maxBytes=1, encoding="utf-8")',
        ),
        (
            "subprocess.run(x, capture_output=True, text=True)",
            'subprocess.run(x, capture_output=True, text=True, encoding="utf-8")',
        ),
    ],
)
def test_a_text_without_an_encoding_gets_one(tmp_path: Path, call: str, named: str) -> None:
    head = "import gzip, io, logging, subprocess, tempfile\nfrom pathlib import Path\n"
    head += "from logging.handlers import RotatingFileHandler\n\n\ndef save(p, x):\n    return "
    tree = write_tree(tmp_path, {"shop.py": f"{head}{call}\n", "tests/test_a.py": TEXT})
    finding = make_finding(Cause.LOCALE, TEST)

    assert_repairs(tree, "name_encoding", finding, {"shop.py": f"{head}{named}\n"})


@pytest.mark.parametrize(
    "call",
    [
        'open(p, "rb")',
        'open(p, "w", -1, "latin-1")',
        'open(p, encoding="latin-1")',
        "open(p, mode)",
        "open(*p)",
        "open(p, **x)",
        "gzip.open(p)",
        "tempfile.NamedTemporaryFile()",
        'p.read_text("latin-1")',
        "webbrowser.open(p)",
        "subprocess.run(x)",
        'logging.FileHandler(p, "a", "latin-1")',
    ],
)
def test_bytes_and_named_encodings_are_left_alone(tmp_path: Path, call: str) -> None:
    text = (
        f"import gzip, logging, subprocess, tempfile, webbrowser\n\n\ndef save(p, x):\n    {call}\n"
    )
    tree = write_tree(tmp_path, {"shop.py": text, "tests/test_a.py": TEXT})

    assert propose("name_encoding", make_finding(Cause.LOCALE, TEST), tree) is None


WRITER = """
    def save(path, text):
        with open(path, "w") as file:
            file.write(text)
    """


def test_the_code_is_mended_first_and_holds_under_the_plain_locale(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"shop.py": WRITER, "tests/test_a.py": TEXT})
    failure = failed("ascii", ("tests/test_a.py", 5), ("shop.py", 3), kind="UnicodeEncodeError")
    finding = make_finding(Cause.LOCALE, TEST, failure=failure)
    before = outcomes(tmp_path, **LOCALE)

    titles = [p.title for p in proposals(finding, tree)]
    repaired(tmp_path, "name_encoding", finding)

    assert red_of(before) == {"test_it"}
    assert not red_of(outcomes(tmp_path, **LOCALE))
    assert not red_of(outcomes(tmp_path))
    assert titles == [
        "Name the encoding of the file at shop.py:2",
        "Run the failing test in the locale C.UTF-8",
        "Run every test of the failing file in the locale C.UTF-8",
    ]


@pytest.mark.parametrize(
    ("recipe", "test"),
    [("pin_locale", TEST), ("pin_locale=2", TEST), ("pin_locale", METHOD)],
)
def test_a_pinned_locale_holds_and_is_put_back(tmp_path: Path, recipe: str, test: str) -> None:
    body = "here = os.path.join(tempfile.mkdtemp(), 'a')\nsave(here, '\\xe9')\n"
    body += "assert open(here, 'rb').read() == b'\\xc3\\xa9'\n"
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = "import os\nimport tempfile\nimport unittest\n\nfrom shop import save\n\n\n"
    plain = f"{head}def test_it():\n{lines}"
    method = head + "class TestIt(unittest.TestCase):\n    def test_it(self):\n"
    method += "".join(f"    {line}\n" for line in lines.splitlines())
    later = (
        "import locale\n\n\ndef test_later():\n    assert locale.setlocale(0) in ('C', 'POSIX')\n"
    )
    later = later.replace("setlocale(0)", "setlocale(locale.LC_CTYPE)")
    text = plain if test == TEST else method
    write_tree(tmp_path, {"shop.py": WRITER, "tests/test_a.py": text, "tests/test_later.py": later})
    before = outcomes(tmp_path, **LOCALE)

    repaired(tmp_path, recipe, make_finding(Cause.LOCALE, test))

    assert red_of(before) == {"test_it"}
    assert not red_of(outcomes(tmp_path, **LOCALE))


def test_processes_get_the_locale_by_the_variable(tmp_path: Path) -> None:
    text = 'import subprocess\n\n\ndef test_it():\n    subprocess.run(["true"])\n'
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    proposal = propose("pin_locale", make_finding(Cause.LOCALE, TEST), tree)

    assert proposal is not None
    assert 'patch.setenv("LC_ALL", "C.UTF-8")' in proposal.edits[0].after
