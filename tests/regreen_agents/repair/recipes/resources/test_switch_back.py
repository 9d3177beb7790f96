import subprocess
import sys
from pathlib import Path

import pytest

from recipe_cases import env_change, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT
from regreen_agents.repair.means import need_of
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.workspace.patching import apply_edits

PLAIN = """
    import py_compile
    import sys


    def test_it(tmp_path):
        (tmp_path / "a.py").write_text("")
        sys.path.insert(0, str(tmp_path))
        __import__("a")
        sys.path.remove(str(tmp_path))
        assert (tmp_path / "__pycache__").exists()
    """
METHODS = """
    import sys
    import tempfile
    import unittest
    from pathlib import Path


    class TestA(unittest.TestCase):
        def test_it(self):
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "a.py").write_text("")
                sys.path.insert(0, folder)
                __import__("a")
                sys.path.remove(folder)
                self.assertTrue(Path(folder, "__pycache__").exists())
    """


def failing_with(variable: str, test: str) -> Finding:
    state = (env_change(variable, test, after=ABSENT),)
    return make_finding(Cause.ENVIRONMENT_VARIABLE, test, state=state)


def exit_without_bytecode(root: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, timeout=60, check=False, capture_output=True
    )
    return done.returncode


@pytest.mark.parametrize(
    ("text", "test", "line"),
    [
        (PLAIN, "tests/test_a.py::test_it", "monkeypatch.setattr(sys, 'dont_write_bytecode'"),
        (METHODS, "tests/test_a.py::TestA::test_it", "patch.object(sys, 'dont_write_bytecode'"),
    ],
)
def test_what_python_read_when_it_started_is_switched_back(
    tmp_path: Path, text: str, test: str, line: str
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    assert exit_without_bytecode(tmp_path) == 1

    proposal = propose("switch_back", failing_with("PYTHONDONTWRITEBYTECODE", test), tree)

    assert proposal is not None
    apply_edits(tmp_path, proposal.edits)
    assert exit_without_bytecode(tmp_path) == 0
    assert line in tree.read("tests/test_a.py").replace('"', "'")


def test_what_nothing_can_switch_back_is_said(tmp_path: Path) -> None:
    test = "tests/test_a.py::test_it"
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    assert not __debug__\n"})
    finding = failing_with("PYTHONOPTIMIZE", test)

    assert propose("switch_back", finding, tree) is None
    unset = propose("unset_variable", finding, tree)
    assert unset is not None
    assert any("when it starts" in con for con in unset.cons)
    assert "no edit of a test helps" in need_of(finding, "")
    assert "no edit" not in need_of(failing_with("SHOP_REGION", test), "")
