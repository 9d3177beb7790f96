from pathlib import Path

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding


def missing(
    what: str, cause: Cause = Cause.MISSING_RESOURCE, test: str = "tests/test_a.py::test_it"
) -> Finding:
    return make_finding(cause, test, missing=(what,))


def test_a_missing_file_gates_the_test_as_a_policy_decision(tmp_path: Path) -> None:
    before = "import pytest\n\n\n@pytest.mark.slow\ndef test_it():\n    pass\n"
    after = (
        "from pathlib import Path\n\nimport pytest\n\n\n@pytest.mark.slow\n"
        '@pytest.mark.skipif(\n    not (Path(__file__).parent / "data/x.bin").exists(), '
        'reason="data/x.bin is missing"\n)\ndef test_it():\n    pass\n'
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    proposal = assert_repairs(
        tree, "missing_resource", missing("tests/data/x.bin"), {"tests/test_a.py": after}
    )

    assert proposal.policy_decision


def test_a_path_of_another_copy_of_the_tree_is_written_from_the_files_folder(
    tmp_path: Path,
) -> None:
    text = "import pathlib\n\nimport pytest\n\n\n{}def test_it():\n    pass\n"
    gate = (
        '@pytest.mark.skipif(\n    not (pathlib.Path(__file__).parent / "x/y").exists(), '
        'reason="x/y is missing"\n)\n'
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("")})

    assert_repairs(
        tree,
        "missing_resource",
        missing("/elsewhere/tests/x/y"),
        {"tests/test_a.py": text.format(gate)},
    )


def test_a_missing_command_is_looked_up_on_path(tmp_path: Path) -> None:
    text = (
        "import shutil\n\nimport pytest\n\n\nclass TestA:\n{}    def test_it(self):\n        pass\n"
    )
    gate = '    @pytest.mark.skipif(shutil.which("dot") is None, reason="dot is missing")\n'
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("")})

    assert_repairs(
        tree,
        "missing_resource",
        missing("dot", test="tests/test_a.py::TestA::test_it"),
        {"tests/test_a.py": text.format(gate)},
    )


def test_a_missing_module_skips_the_file_before_its_import(tmp_path: Path) -> None:
    before = "import pytest\n\nimport yaml\n\n\ndef test_it():\n    pass\n"
    after = (
        'import pytest\n\npytest.importorskip("yaml")\nimport yaml\n\n\ndef test_it():\n    pass\n'
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    assert_repairs(
        tree,
        "missing_resource",
        missing("yaml", Cause.MISSING_DEPENDENCY, "tests/test_a.py"),
        {"tests/test_a.py": after},
    )


def test_a_module_imported_by_the_code_under_test_skips_the_test(tmp_path: Path) -> None:
    before = "def test_it():\n    run()\n"
    after = 'import pytest\n\n\ndef test_it():\n    pytest.importorskip("yaml")\n    run()\n'
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    assert_repairs(
        tree,
        "missing_resource",
        missing("yaml", Cause.MISSING_DEPENDENCY),
        {"tests/test_a.py": after},
    )
