import ast
from collections.abc import Callable

import pytest

from measured_projects import Measurement, measured
from recipe_cases import make_finding
from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.lab.spread import bounded_at, measured_spread
from target_projects import TargetProject, make_project
from value_cases import failed

FEW = range(60)
MEAN = """
    import random

    import pytest


    def sample(n):
        return sum(random.random() for _ in range(n)) / n


    def test_mean():
        assert abs(sample(100) - 0.5) < 0.02


    def test_approx():
        values = [sample(100) for _ in range(3)]
        for value in values:
            assert value == pytest.approx(
                0.5,
                abs=0.02,
            )


    def test_equal():
        assert sample(1) == 0.5
"""


def chance(name: str, line: int, **more: object) -> Finding:
    failure = failed("assert", ("test_mean.py", line))
    found = make_finding(Cause.UNSEEDED_RANDOMNESS, f"test_mean.py::{name}", failure=failure)
    return found.model_copy(update=more)


@pytest.fixture(scope="module")
def means(tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    project = make_project(tmp_path_factory.mktemp("means"), {"test_mean.py": MEAN})
    return measured(project, reset=_back(project))


def _back(project: TargetProject) -> Callable[[], None]:
    path = project.path / "test_mean.py"
    text = path.read_text()

    def back() -> None:
        path.write_text(text)

    return back


def test_the_compared_value_is_measured_over_many_seeds(means: Measurement) -> None:
    lab = means.lab()

    spread = measured_spread(chance("test_mean", 12), lab, FEW)

    assert spread is not None
    assert spread.runs == len(FEW)
    assert spread.value == "abs(sample(100) - 0.5)"
    assert spread.bound == 0.02
    # The mean of 100 uniform numbers has a standard deviation of 0.0289; its half-normal
    # distance a mean of 0.0230, and 49 % of it is beyond 0.02.
    assert 0.015 < spread.mean < 0.031
    assert 0.25 < spread.beyond / spread.runs < 0.75
    assert lab.runs_made == 1
    assert "open(" not in (means.project.path / "test_mean.py").read_text()
    assert not list(lab.bench.logs.glob("spread*"))


def test_of_several_values_in_one_run_the_worst_counts(means: Measurement) -> None:
    spread = measured_spread(chance("test_approx", 18), means.lab(), FEW)

    assert spread is not None
    assert spread.value == "abs(value - 0.5)"
    assert spread.line == 20
    assert spread.runs == len(FEW)


@pytest.mark.parametrize(
    "finding",
    [
        chance("test_equal", 25),
        chance("test_mean", 99),
        chance("test_mean", 12, failure=None),
        chance("test_mean", 12, cause=Cause.CODE_BUG),
        chance("test_mean", 12, cause=Cause.UNEXPLAINED, category=Category.UD),
    ],
)
def test_without_chance_or_a_bound_nothing_is_run(means: Measurement, finding: Finding) -> None:
    lab = means.lab()

    assert measured_spread(finding, lab) is None
    assert lab.runs_made == 0


@pytest.mark.parametrize(
    ("assertion", "value", "upper"),
    [
        ("assert abs(a - b) < 5", "abs(a - b)", True),
        ("assert a <= 5", "a", True),
        ("assert a > 5", "a", False),
        ("assert 5 < a", "a", False),
        ("assert a == approx(b, abs=5)", "abs(a - b)", True),
        ("assert pytest.approx(b, rel=5) == a", "abs(a - b) / abs(b)", True),
        ("assert math.isclose(a, b, abs_tol=5)", "abs(a - b)", True),
        ("self.assertLess(a, 5)", "a", True),
        ("self.assertGreaterEqual(a, 5)", "a", False),
        ("self.assertAlmostEqual(a, b, delta=5)", "abs(a - b)", True),
        ("self.assertTrue(abs(a) < 5)", "abs(a)", True),
    ],
)
def test_the_bounds_of_both_frameworks_are_read(assertion: str, value: str, upper: bool) -> None:
    found = bounded_at(f"def test_it():\n    {assertion}\n", 2)

    assert found is not None
    assert ast.dump(ast.parse(found.value)) == ast.dump(ast.parse(value))
    assert found.bound.value == 5
    assert found.upper is upper


@pytest.mark.parametrize(
    "assertion",
    [
        "assert a == 5",
        "assert a < b",
        "assert 1 < a < 5",
        "assert a == approx(b)",
        "self.assertAlmostEqual(a, b, places=5)",
        "assert True < a",
        "a < 5",
        "x = a < 5",
    ],
)
def test_other_assertions_have_no_bound(assertion: str) -> None:
    assert bounded_at(f"def test_it():\n    {assertion}\n", 2) is None


def test_a_file_that_does_not_parse_has_none() -> None:
    assert bounded_at("def test_it(:\n", 1) is None
