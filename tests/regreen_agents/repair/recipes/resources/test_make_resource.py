from pathlib import Path

import pytest

from recipe_cases import make_finding, pytest_exit, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

HERE = "HERE = Path(__file__).parent\n"
READERS = {
    "menu.json": (
        "import json\nfrom pathlib import Path\n\n" + HERE,
        '    menu = json.loads((HERE / "menu.json").read_text())\n'
        '    assert menu["soup"]["price"] == 4\n    assert menu["days"] == ["mon", "tue"]\n'
        '    assert len(menu["guests"]) == 3\n',
    ),
    "prices.csv": (
        "import csv\nfrom pathlib import Path\n\n" + HERE,
        '    with open(HERE / "prices.csv", newline="") as file:\n'
        "        rows = list(csv.DictReader(file))\n"
        '    assert rows[0]["name"] == "tea"\n    assert rows[1]["cents"] == "250"\n',
    ),
    "grid.tsv": (
        "import csv\nfrom pathlib import Path\n\n" + HERE,
        '    with open(HERE / "grid.tsv", newline="") as file:\n'
        '        rows = list(csv.reader(file, delimiter="\\t"))\n'
        '    assert rows == [["a", "b"], ["1", "2"]]\n',
    ),
    "shop.ini": (
        "import configparser\nfrom pathlib import Path\n\n" + HERE,
        "    parser = configparser.ConfigParser()\n"
        '    parser.read_file(open(HERE / "shop.ini"))\n'
        '    assert parser.get("server", "host") == "localhost"\n'
        '    assert parser.getint("server", "port") == 8080\n',
    ),
    "shop.toml": (
        "import tomllib\nfrom pathlib import Path\n\n" + HERE,
        '    table = tomllib.loads((HERE / "shop.toml").read_text())\n'
        '    assert table["title"] == "shop"\n    assert table["server"]["port"] == 80\n'
        '    assert table["server"]["debug"] is not None\n'
        '    assert table["server"]["debug"] == True\n',
    ),
    "poem.txt": (
        "from pathlib import Path\n\n" + HERE,
        '    lines = (HERE / "poem.txt").read_text().splitlines()\n'
        '    assert lines[1] == "second"\n    assert len(lines) == 3\n',
    ),
    "log.txt.gz": (
        "import gzip\nfrom pathlib import Path\n\n" + HERE,
        '    with gzip.open(HERE / "log.txt.gz", "rt") as file:\n        text = file.read()\n'
        '    assert "started" in text\n',
    ),
    "noise.bin": (
        "from pathlib import Path\n\n" + HERE,
        '    data = (HERE / "noise.bin").read_bytes()\n    assert len(data) == 64\n',
    ),
    "rates.pickle": (
        "import pickle\nfrom pathlib import Path\n\n" + HERE,
        '    rates = pickle.loads((HERE / "rates.pickle").read_bytes())\n'
        '    assert rates == {"EUR": 1.1, "USD": 1.0}\n',
    ),
    "shop.db": (
        "import sqlite3\nfrom pathlib import Path\n\n" + HERE,
        '    (HERE / "shop.db").stat()\n    base = sqlite3.connect(str(HERE / "shop.db"))\n'
        '    row = base.execute("SELECT name, cents FROM goods").fetchone()\n    base.close()\n'
        '    assert row == ("tea", 250)\n',
    ),
    "logo.png": (
        "import struct\nfrom pathlib import Path\n\n" + HERE,
        '    data = (HERE / "logo.png").read_bytes()\n'
        '    size = struct.unpack(">II", data[16:24])\n    assert size == (12, 7)\n',
    ),
    "beep.wav": (
        "import wave\nfrom pathlib import Path\n\n" + HERE,
        '    with wave.open(str(HERE / "beep.wav")) as sound:\n'
        "        assert sound.getframerate() == 44100\n        assert sound.getnframes() == 200\n",
    ),
    "parts.zip": (
        "import zipfile\nfrom pathlib import Path\n\n" + HERE + "\n\ndef names(path):\n"
        "    with zipfile.ZipFile(path) as parts:\n        return sorted(parts.namelist())\n",
        '    assert names(HERE / "parts.zip") == ["1.txt", "2.txt"]\n',
    ),
    "bag.zip": (
        "import zipfile\nfrom pathlib import Path\n\n" + HERE,
        '    with zipfile.ZipFile(HERE / "bag.zip") as bag:\n'
        '        assert sorted(bag.namelist()) == ["a.txt", "b/c.txt"]\n',
    ),
    "deep/bag.tar.xz": (
        "import tarfile\nfrom pathlib import Path\n\n" + HERE,
        '    with tarfile.open(HERE / "deep/bag.tar.xz") as bag:\n'
        "        bag.extractall(tmp_path)\n"
        '    assert (tmp_path / "one.txt").is_file()\n'
        '    assert (tmp_path / "two" / "three.txt").exists()\n',
    ),
}


def missing(name: str, *tests: str) -> Finding:
    return make_finding(Cause.MISSING_RESOURCE, *tests, missing=(f"tests/{name}",))


def proposed(finding: Finding, tree: SourceTree) -> Proposal:
    proposal = propose("make_resource", finding, tree)
    assert proposal is not None
    return proposal


def test_a_file_of_every_known_format_is_made_with_what_the_tests_assert(tmp_path: Path) -> None:
    names = {name: f"tests/test_{n}.py" for n, name in enumerate(READERS)}
    tests = {
        names[name]: f"{head}\n\ndef test_it(tmp_path):\n{body}"
        for name, (head, body) in READERS.items()
    }
    tree = write_tree(tmp_path, tests)
    assert pytest_exit(tmp_path, "tests") == 1

    for name, file in names.items():
        proposal = proposed(missing(name, f"{file}::test_it"), tree)
        assert not proposal.policy_decision
        apply_edits(tmp_path, proposal.edits)

    assert pytest_exit(tmp_path, "tests") == 0
    left = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {".py", ".pyc"}
    assert not (tmp_path / "tests/deep").exists()


MIXIN = """import os
import tarfile
import unittest
import zipfile
from os.path import isfile, join

HERE = os.path.dirname(os.path.realpath(__file__))


class Extracts(object):
    name = None

    def check(self, folder):
        self.assertTrue(isfile(join(folder, '1')))
        self.assertTrue(isfile(join(folder, 'foo', '2')))

    def test_extract(self):
        import tempfile

        folder = tempfile.mkdtemp()
        path = join(HERE, 'files', self.name)
        opener = zipfile.ZipFile if path.endswith('.zip') else tarfile.open
        with opener(path) as archive:
            archive.extractall(folder)
        self.check(folder)


class TestZip(Extracts, unittest.TestCase):
    name = 'bag.zip'


class TestTar(Extracts, unittest.TestCase):
    name = 'bag_tar_gz'
"""


def test_a_unittest_file_gets_module_hooks_in_its_own_style(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": MIXIN})
    tests = ("tests/test_a.py::TestZip::test_extract", "tests/test_a.py::TestTar::test_extract")
    paths = ("tests/files/bag.zip", "tests/files/bag_tar_gz")
    finding = make_finding(Cause.MISSING_RESOURCE, *tests, missing=paths)

    proposal = proposed(finding, tree)
    apply_edits(tmp_path, proposal.edits)

    text = tree.read("tests/test_a.py")
    assert "def setUpModule():" in text
    assert "pytest" not in text
    assert "_write_zip(path, _CONTENT)" not in text  # short enough to be written twice
    assert pytest_exit(tmp_path, "tests") == 0
    assert not (tmp_path / "tests/files").exists()
    assert propose("make_resource", finding, SourceTree(tmp_path)) is None


def test_files_of_several_modules_are_made_once_in_their_conftest(tmp_path: Path) -> None:
    body = (
        "from pathlib import Path\n\n\ndef test_it():\n"
        '    assert (Path(__file__).parent / "x.txt").read_text() == "hello\\n"\n'
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": body, "tests/test_b.py": body})

    proposal = proposed(
        missing("x.txt", "tests/test_a.py::test_it", "tests/test_b.py::test_it"), tree
    )
    apply_edits(tmp_path, proposal.edits)

    assert [edit.path for edit in proposal.edits] == ["tests/conftest.py"]
    assert pytest_exit(tmp_path, "tests") == 0
    assert not (tmp_path / "tests/x.txt").exists()


def test_a_content_no_assertion_speaks_of_is_said_to_be_invented(tmp_path: Path) -> None:
    body = 'def test_it():\n    assert open("tests/x.json").read()\n'
    tree = write_tree(tmp_path, {"tests/test_a.py": body})

    proposal = proposed(missing("x.json", "tests/test_a.py::test_it"), tree)

    assert any("No assertion says what is in x.json" in con for con in proposal.cons)


@pytest.mark.parametrize("name", ["model.onnx", "data", "../outside.txt"])
def test_a_file_of_unknown_format_or_place_is_not_made_up(tmp_path: Path, name: str) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    read()\n"})
    finding = make_finding(Cause.MISSING_RESOURCE, "tests/test_a.py::test_it", missing=(name,))

    assert propose("make_resource", finding, tree) is None
