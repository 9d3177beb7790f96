"""Gates, marks and limits: policy decisions, run for real before and after."""

import subprocess
import sys
from pathlib import Path

import pytest

from recipe_cases import assert_repairs, at, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

IT = "tests/test_a.py::test_it"


def counts(root: Path, *arguments: str) -> str:
    """Return pytest's own summary of a tree's tests, without its time."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers"]
    environment = {
        "PYTHONPATH": str(root),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "",
    }
    done = subprocess.run(
        [*command, *(arguments or ("tests",))],
        cwd=root,
        env=environment,
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def applied(recipe: str, finding: Finding, root: Path) -> Proposal:
    proposal = propose(recipe, finding, SourceTree(root))
    assert proposal is not None
    assert proposal.policy_decision
    apply_edits(root, proposal.edits)
    assert propose(recipe, finding, SourceTree(root)) is None
    return proposal


READS = (
    "from pathlib import Path\n\n\ndef test_it():\n"
    "    assert (Path(__file__).parent / 'model.onnx').read_bytes()\n\n\n"
    "def test_other():\n    assert True\n"
)


def test_marked_tests_are_skipped_only_where_the_file_is_missing(tmp_path: Path) -> None:
    hooked = "def pytest_configure(config):\n    config.stash_me = 1\n"
    write_tree(tmp_path, {"tests/test_a.py": READS, "tests/conftest.py": hooked})
    finding = make_finding(Cause.MISSING_RESOURCE, IT, missing=("tests/model.onnx",))
    assert counts(tmp_path) == "1 failed, 1 passed"

    applied("gate_by_marker", finding, tmp_path)

    without = counts(tmp_path)
    (tmp_path / "tests/model.onnx").write_bytes(b"weights")
    assert (without, counts(tmp_path)) == ("1 passed, 1 skipped", "2 passed")
    assert counts(tmp_path, "-m", "needs_model_onnx") == "1 passed, 1 deselected"
    conftest = (tmp_path / "tests/conftest.py").read_text()
    assert conftest.count("def pytest_configure") == 1
    assert "config.stash_me = 1" in conftest


def test_several_files_are_one_need(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tests/test_a.py": READS})
    missing = ("tests/data/a.onnx", "tests/data/b.onnx")

    applied("gate_by_marker", make_finding(Cause.MISSING_RESOURCE, IT, missing=missing), tmp_path)

    assert counts(tmp_path) == "1 passed, 1 skipped"
    assert "@pytest.mark.needs_data" in (tmp_path / "tests/test_a.py").read_text()


def test_a_command_that_is_nowhere_gates_its_tests(tmp_path: Path) -> None:
    text = "import subprocess\n\n\ndef test_it():\n    subprocess.run(['dot-9'], check=True)\n"
    write_tree(tmp_path, {"tests/test_a.py": text})

    applied("gate_by_marker", make_finding(Cause.BARE_COMMAND, IT, missing=("dot-9",)), tmp_path)

    assert counts(tmp_path) == "1 skipped"


def test_a_command_the_project_asks_for_runs_by_its_module_or_skips(tmp_path: Path) -> None:
    text = (
        "import subprocess\n\n\ndef words(name):\n    return ['lintpy', name]\n\n\ndef test_it():\n"
        "    done = subprocess.run(words('x'), capture_output=True, text=True)\n"
        "    assert done.stdout == 'x'\n"
    )
    metadata = "[options.extras_require]\ntest =\n    lintpy >= 2\n"
    write_tree(tmp_path, {"tests/test_a.py": text, "setup.cfg": metadata})
    finding = make_finding(
        Cause.BARE_COMMAND, IT, missing=("lintpy",), locations=at("tests/test_a.py", 9)
    )
    assert counts(tmp_path) == "1 failed"

    proposal = applied("resolve_or_skip", finding, tmp_path)

    without = counts(tmp_path)
    (tmp_path / "lintpy.py").write_text("import sys\n\nprint(sys.argv[1], end='')\n")
    assert (without, counts(tmp_path)) == ("1 skipped", "1 passed")
    assert "The extra `test` of setup.cfg asks for lintpy" in proposal.strategy


def test_a_command_nobody_asks_for_is_not_taken_for_a_module(tmp_path: Path) -> None:
    text = "import subprocess\n\n\ndef test_it():\n    subprocess.run(['dot'])\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    finding = make_finding(
        Cause.BARE_COMMAND, IT, missing=("dot",), locations=at("tests/test_a.py", 5)
    )

    assert propose("resolve_or_skip", finding, tree) is None


def test_a_host_named_in_the_test_is_probed_before_it_runs(tmp_path: Path) -> None:
    text = "URL = 'http://nowhere.invalid/x'\n\n\ndef test_it():\n    fetch('https://nowhere.invalid/x')\n"
    write_tree(tmp_path, {"tests/test_a.py": text})
    missing = ("a connection to the network",)

    applied("gate_by_marker", make_finding(Cause.MISSING_RESOURCE, IT, missing=missing), tmp_path)

    assert '_can_reach("nowhere.invalid", 443)' in (tmp_path / "tests/conftest.py").read_text()
    assert counts(tmp_path) == "1 skipped"


CONFTEST = """
import locale

import pytest


@pytest.fixture
def in_qaa():
    old = locale.getlocale()
    yield locale.setlocale(locale.LC_ALL, "qaa_QQ.UTF-8")
    locale.setlocale(locale.LC_ALL, old)
"""


def test_a_fixture_skips_where_its_locale_is_not_installed(tmp_path: Path) -> None:
    test = "def test_it(in_qaa):\n    pass\n\n\ndef test_other():\n    pass\n"
    write_tree(tmp_path, {"tests/conftest.py": CONFTEST, "tests/test_a.py": test})
    failure = FailureDetail(
        phase="setup",
        type="locale.Error",
        message="unsupported locale setting",
        frames=(Frame(path="tests/conftest.py", line=9, function="in_qaa"),),
    )
    finding = make_finding(
        Cause.MISSING_RESOURCE,
        IT,
        missing=("a locale the operating system does not have (qaa_QQ.UTF-8)",),
        failure=failure,
    )
    assert counts(tmp_path) == "1 passed, 1 error"

    proposal = propose("gate_unsupported", finding, SourceTree(tmp_path))
    assert proposal is not None
    apply_edits(tmp_path, proposal.edits)

    assert proposal.policy_decision
    assert counts(tmp_path) == "1 passed, 1 skipped"
    text = (tmp_path / "tests/conftest.py").read_text()
    assert "except locale.Error:" in text
    assert "old = locale.setlocale(locale.LC_ALL)" in text  # what getlocale() tells cannot be set


LOOP = """
def work(n):
    return n


def test_it():
    offset = 1
    for n in [3, 4]:
        assert work(n) + offset == n + 1


def test_other():
    assert work(0) == 0
"""


def late(test: str = IT) -> Finding:
    said = FailureDetail(
        phase="call", type="Failed", message="Timeout (>905.0s) from pytest-timeout."
    )
    return make_finding(Cause.TIME_LIMIT, test, failure=said)


def test_a_loop_over_cases_becomes_a_test_for_each(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tests/test_a.py": LOOP})

    applied("split_loop", late(), tmp_path)

    assert counts(tmp_path) == "3 passed"
    assert '@pytest.mark.parametrize("n", [3, 4])' in (tmp_path / "tests/test_a.py").read_text()


@pytest.mark.parametrize(
    "body",
    [
        "    total = 0\n    for n in [3, 4]:\n        total += n\n",
        "    for n in [3, 4]:\n        if n:\n            break\n",
        "    for n in work(3):\n        assert n\n",
        "    for n in [3, 4]:\n        assert n\n    assert work(1)\n",
    ],
)
def test_rounds_that_hang_together_stay_one_test(tmp_path: Path, body: str) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": f"def test_it():\n{body}"})

    assert propose("split_loop", late(), tree) is None


def test_slow_tests_leave_the_suite_for_a_chunk_of_their_own(tmp_path: Path) -> None:
    write_tree(tmp_path, {"tests/test_a.py": LOOP})

    applied("isolate_slow", late(), tmp_path)

    assert counts(tmp_path) == "1 passed, 1 deselected"
    assert counts(tmp_path, "-m", "slow") == "1 passed, 1 deselected"


def test_a_test_gets_a_limit_of_its_own_with_the_inflation_told(tmp_path: Path) -> None:
    before = "def test_it():\n    pass\n"
    after = "import pytest\n\n\n@pytest.mark.timeout(1204)\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    proposal = propose("raise_limit=33", late(), tree)

    assert proposal is not None
    assert proposal.edits[0].after == after
    assert proposal.title == "Raise the limit from 905 s to 1204 s (+33.0 %)"
    assert proposal.policy_decision


def test_the_number_of_the_tests_own_mark_is_raised(tmp_path: Path) -> None:
    text = "import pytest\n\n\n@pytest.mark.timeout({})\ndef test_it():\n    pass\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format(5)})

    proposal = propose("raise_limit", late(), tree)

    assert proposal is not None
    assert proposal.edits[0].after == text.format(10)


STALE = """
import sys
import unittest

import pytest


@pytest.mark.skip(reason="needs the new parser")
def test_it():
    assert True


@pytest.mark.{mark}
def test_kept():
    assert True
"""


@pytest.mark.parametrize(
    "mark",
    [
        'skip(reason="slow: ten minutes")',
        'skipif(sys.platform == "linux", reason="Windows paths")',
        'skipif("CI" in __import__("os").environ, reason="not in CI")',
    ],
)
def test_a_mark_comes_off_only_where_its_reason_can_be_gone(tmp_path: Path, mark: str) -> None:
    before = STALE.format(mark=mark)
    after = before.replace('@pytest.mark.skip(reason="needs the new parser")\n', "")
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    kept = propose(
        "remove_mark", make_finding(Cause.STALE_MARK, "tests/test_a.py::test_kept"), tree
    )
    proposal = assert_repairs(
        tree, "remove_mark", make_finding(Cause.STALE_MARK, IT), {"tests/test_a.py": after}
    )

    assert kept is None
    assert not proposal.policy_decision


def test_an_import_only_the_mark_used_goes_with_it(tmp_path: Path) -> None:
    before = "import pytest\n\n\n@pytest.mark.xfail\ndef test_it():\n    assert True\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    proposal = propose("remove_mark", make_finding(Cause.STALE_MARK, IT), tree)

    assert proposal is not None
    assert proposal.edits[0].after.lstrip("\n") == "def test_it():\n    assert True\n"
