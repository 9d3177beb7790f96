from pathlib import Path

from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.kinship import Kinship

FIRST = """
import store

def test_sets():
    store.price = 9
    assert store.price

def test_other(tmp_path):
    assert tmp_path

class TestBox:
    def test_reads(self):
        assert store.price == 5

    async def test_key(self):
        assert store.key("left-hand")
"""
SECOND = """
import pytest, os

@pytest.mark.parametrize("n", [1, 2])
def test_variable(n):
    os.environ["left-hand"] = str(n)
"""
SETS, OTHER, READS, KEY = (
    NodeId(f"test_first.py::{name}")
    for name in ("test_sets", "test_other", "TestBox::test_reads", "TestBox::test_key")
)
ONE, TWO = (NodeId(f"test_second.py::test_variable[{n}]") for n in (1, 2))


def suite(folder: Path) -> list[NodeId]:
    (folder / "test_first.py").write_text(FIRST)
    (folder / "test_second.py").write_text(SECOND)
    common = "\n".join(f"def test_{n}():\n    assert store, str\n" for n in range(200))
    (folder / "test_common.py").write_text(common)
    many = [NodeId(f"test_common.py::test_{n}") for n in range(200)]
    return [SETS, OTHER, READS, KEY, ONE, TWO, *many]


def test_tests_that_name_the_same_rare_things_are_kin(tmp_path: Path) -> None:
    kin = Kinship(tmp_path, suite(tmp_path))

    assert kin.of(READS) == {SETS, KEY}  # by `price`; by `self`, which is rare in this suite
    assert kin.of(SETS) == {READS}
    assert kin.of(KEY) == {READS, ONE, TWO}
    assert kin.of(ONE) == {TWO, KEY}
    assert kin.of(OTHER) == frozenset()


def test_a_test_whose_source_cannot_be_read_has_no_kin(tmp_path: Path) -> None:
    tests = suite(tmp_path)
    (tmp_path / "test_first.py").write_text("def test_sets(:\n")
    gone = NodeId("test_gone.py::test_a")

    kin = Kinship(tmp_path, [*tests, gone])

    assert kin.of(SETS) == kin.of(gone) == kin.of(NodeId("test_new.py::test_b")) == frozenset()
    assert kin.of(ONE) == {TWO}
