"""Suites that cannot be collected, have no tests, or are refused by pytest."""

from pathlib import Path

import pytest

from regreen_agents.domain.runs import RunEnd
from target_projects import given, make_project, outcomes, result

PASSES = "def test_a():\n    pass\n"
SKIPPED = 'import pytest\npytest.skip("no net", allow_module_level=True)\n'


def test_good_modules_run_beside_those_that_cannot_be_collected(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {
            "test_good.py": PASSES,
            "test_import.py": "import nowhere_to_be_found\n",
            "test_syntax.py": "def test_(:\n",
            "test_whole.py": SKIPPED,
        },
    )

    run = project.run()

    assert outcomes(run) == {
        "test_a": "passed",
        "test_import.py": "error",
        "test_syntax.py": "error",
        "test_whole.py": "skipped",
    }
    broken = result(run, "test_import.py").failure
    assert broken is not None
    assert (broken.phase, broken.type) == ("collect", "ModuleNotFoundError")
    assert "nowhere_to_be_found" in broken.message
    assert result(run, "test_whole.py").skip_reason == "Skipped: no net"
    assert (run.end, run.exit_code) == (RunEnd.COMPLETE, 1)


@pytest.mark.parametrize(
    ("files", "end", "status"),
    [
        ({"test_a.py": "import nowhere\n"}, RunEnd.COLLECTION_ERROR, 1),
        ({"test_a.py": SKIPPED}, RunEnd.NO_TESTS, 5),
        ({"shop.py": ""}, RunEnd.NO_TESTS, 5),
        (
            {"test_a.py": PASSES, "pytest.ini": "[pytest]\naddopts = --unheard-of\n"},
            RunEnd.USAGE_ERROR,
            4,
        ),
        ({"test_a.py": PASSES, "conftest.py": "import nowhere\n"}, RunEnd.USAGE_ERROR, 4),
        ({"test_a.py": "import os\nos._exit(3)\n"}, RunEnd.CRASHED, 3),
        (
            {"test_a.py": PASSES, "conftest.py": "def pytest_sessionstart():\n    1 / 0\n"},
            RunEnd.CRASHED,
            3,
        ),
    ],
    ids=["collection", "all skipped", "empty", "option", "conftest", "exit", "internal"],
)
def test_a_run_without_tests_says_why(
    tmp_path: Path, files: dict[str, str], end: RunEnd, status: int
) -> None:
    run = make_project(tmp_path, files).run()

    assert (run.end, run.exit_code, run.killer, run.segments) == (end, status, None, 1)
    assert not [r for r in run.results if r.position >= 0]


def test_doctests_are_tests_where_the_project_says_so(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {
            "pytest.ini": "[pytest]\naddopts = --doctest-modules --doctest-glob=*.md\n",
            "shop.py": 'def price():\n    """\n    >>> price()\n    2\n    """\n    return 1\n',
            "README.md": ">>> 1 + 1\n2\n",
        },
    )

    run = project.run()
    again = project.run(given("shop.py::shop.price", "README.md::README.md"))

    assert outcomes(run) == {"README.md": "passed", "shop.price": "failed"}
    assert outcomes(again) == outcomes(run)
    failure = result(run, "shop.price").failure
    assert failure is not None
    assert failure.type == "doctest.DocTestFailure"


def test_tests_of_a_file_that_is_gone_are_missing_and_the_others_run(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": PASSES})

    run = project.run(given("test_gone.py::test_x", "test_a.py::test_a"))

    assert outcomes(run) == {"test_a": "passed"}


def test_when_all_files_are_gone_nothing_passes(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_a.py": PASSES})

    run = project.run(given("test_gone.py::test_x"))

    assert (outcomes(run), run.end) == ({}, RunEnd.USAGE_ERROR)
