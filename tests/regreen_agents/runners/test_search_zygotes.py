"""Mutants of code that runs at import: judged in children forked before the import."""

from pathlib import Path

from search_projects import SearchProject, build, mutant_of, verdicts

CODE = """
import functools

LIMIT = 4

def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def inner(n):
            return function(n) * by
        return inner
    return decorate

class Box:
    sides = 3

    @property
    def is_cube(self):
        return self.sides == 4

@scaled(3)
def double(n):
    return n

def fits(parcels):
    return len(parcels) < LIMIT
"""
TESTS = """
from shop.core import Box, double, fits
def test_four(): assert fits("abcd")
def test_five(): assert not fits("abcde")
def test_double(): assert double(2) == 4
def test_cube(): assert Box().is_cube
"""


def made(folder: Path) -> SearchProject:
    return build(folder, CODE, TESTS)


def test_constants_decorators_and_class_bodies_are_judged(tmp_path: Path) -> None:
    project = made(tmp_path)
    cases = {
        "test_four": ("LIMIT = 4", ("LIMIT = 6", "LIMIT = 5", "LIMIT")),
        "test_double": ("@scaled(3)", ("@scaled(4)", "@scaled(2)", "@1")),
        "test_cube": ("sides = 3", ("sides = 2", "sides = 4", "pass")),
    }

    for name, (before, afters) in cases.items():
        mutants = project.mutants(*[(before, after) for after in afters], tests=["test_five"])
        report = project.judge(project.suite([name], ["test_five"]), mutants)

        assert all(mutant.unit is None for mutant in mutants)
        assert verdicts(report) == ["red", "plausible", "red"], name
        assert report.ended == "all"


def test_import_time_and_other_mutants_keep_their_order_for_any_number_of_workers(
    tmp_path: Path,
) -> None:
    project = made(tmp_path)
    suite = project.suite(["test_four"], ["test_five"])
    mutants = project.mutants(
        ("len(parcels) < LIMIT", "len(parcels) <= LIMIT"),
        ("LIMIT = 4", "LIMIT = 5"),
        ("len(parcels) < LIMIT", "len(parcels) > LIMIT"),
        ("LIMIT = 4", "while True: pass"),
        ("LIMIT = 4", "import os; os._exit(0)"),
        ("len(parcels) < LIMIT", "len(parcels) - 1 < LIMIT"),
        tests=["test_five"],
    )

    reports = [
        project.runner.judge(suite, mutants, seconds=600, enough=10, workers=workers)
        for workers in (1, 2)
    ]

    assert reports[0] == reports[1]
    told = verdicts(reports[0])
    assert [told[n] for n in (0, 1, 2, 5)] == ["plausible", "plausible", "red", "plausible"]
    assert told[3] != "plausible"
    assert told[4] == "died"


def test_a_file_that_conftest_imports_is_judged_by_an_earlier_process(tmp_path: Path) -> None:
    project = made(tmp_path)
    (project.tree / "conftest.py").write_text("import shop.core\n")
    mutants = project.mutants(("LIMIT = 4", "LIMIT = 3"), ("LIMIT = 4", "LIMIT = 5"))

    report = project.judge(project.suite(["test_four"]), mutants)

    assert verdicts(report) == ["red", "plausible"]


def test_only_the_files_of_the_tests_are_collected(tmp_path: Path) -> None:
    project = made(tmp_path)
    other = project.tree / "tests" / "test_other.py"
    other.write_text("import shop.core\nassert shop.core.LIMIT == 4\ndef test_other(): pass\n")
    (project.tree / "tests" / "sub").mkdir()
    mutants = (mutant_of(project.tree, "shop/core.py", 0, ("LIMIT = 4", "LIMIT = 5")),)

    report = project.judge(project.suite(["test_four"], ["test_five"]), mutants)

    assert verdicts(report) == ["plausible"]
