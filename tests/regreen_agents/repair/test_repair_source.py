from pathlib import Path

import pytest

from recipe_cases import write_tree
from regreen_agents.domain.identity import NodeId
from regreen_agents.errors import RepositoryError
from regreen_agents.repair.source import Place

TEXT = """
    import unittest


    class Base(unittest.TestCase):
        def test_inherited(self):
            pass


    class TestA(Base):
        class TestInner:
            async def test_deep(self):
                pass


    if True:
        def test_plain():
            pass


    def test_plain():
        pass
    """


@pytest.mark.parametrize(
    ("node_id", "classes", "function", "line"),
    [
        ("test_plain", (), "test_plain", 20),
        ("test_plain[a::b[c]]", (), "test_plain", 20),
        ("TestA::TestInner::test_deep", ("TestA", "TestInner"), "test_deep", 11),
        ("TestA::test_inherited", ("Base",), "test_inherited", 5),
    ],
)
def test_a_node_id_leads_to_the_function_that_runs(
    tmp_path: Path, node_id: str, classes: tuple[str, ...], function: str, line: int
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": TEXT})

    place = tree.test_function(NodeId(f"tests/test_a.py::{node_id}"))

    assert place == Place("tests/test_a.py", classes, function, line)


@pytest.mark.parametrize(
    "node_id",
    ["tests/test_a.py", "tests/test_a.py::gone", "gone.py::test_plain", "README.md::README.md"],
)
def test_a_node_id_without_a_function_is_not_found(tmp_path: Path, node_id: str) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": TEXT, "README.md": ""})

    assert tree.test_function(NodeId(node_id)) is None


def test_classes_that_inherit_from_each_other_end_the_search(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"a.py": "class A(B): ...\nclass B(A): ...\n"})

    assert tree.test_function(NodeId("a.py::A::test_it")) is None


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("shop", "shop/__init__.py"),
        ("shop.tax", "shop/tax.py"),
        ("core", "src/core.py"),
        ("helper", "tests/helper.py"),
        ("gone", None),
        ("../secret", None),
        ("", None),
    ],
)
def test_modules_are_found_below_every_plausible_import_root(
    tmp_path: Path, module: str, path: str | None
) -> None:
    files = ("shop/__init__.py", "shop/tax.py", "src/core.py", "tests/helper.py", "build/gone.py")
    tree = write_tree(tmp_path, dict.fromkeys(files, ""))

    assert tree.module_path(module) == path


def test_imports_are_followed_through_the_tree_nearest_first(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "tests/test_a.py": "import os\nfrom shop import (tax as t, cart)\n",
            "shop/__init__.py": "",
            "shop/tax.py": "from .rates import RATES\n",
            "shop/cart.py": "from . import tax\n",
            "shop/rates.py": "import shop.cart, json\n",
        },
    )

    assert tree.imports_of("tests/test_a.py") == (
        "shop/__init__.py",
        "shop/tax.py",
        "shop/cart.py",
        "shop/rates.py",
    )


def test_nothing_outside_the_tree_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("x = 1\n")
    tree = write_tree(tmp_path / "tree", {"a.py": ""})

    assert not tree.exists("../secret.py")
    assert tree.parse("../secret.py") is None
    with pytest.raises(RepositoryError, match="not in the tree"):
        tree.read("../secret.py")
