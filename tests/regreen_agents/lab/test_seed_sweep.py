from pathlib import Path

from measured_projects import measured
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.runs import Outcome
from regreen_agents.lab.validation import setting_of
from target_projects import make_project

DICE = {
    "test_dice.py": """
        import random

        def test_is_rarely_high():
            assert random.Random(random.random()).random() < 0.9

        def test_is_seeded():
            random.seed(3)
            assert random.random() < 0.3

        def test_any_number_will_do():
            assert random.random() < 2

        def test_draws_nothing():
            assert True
    """
}


def test_a_rare_failure_of_a_test_that_draws_shows_under_one_of_many_seeds(tmp_path: Path) -> None:
    found = measured(make_project(tmp_path, DICE), sweeping=True)
    alone = found.measured.isolated
    names = {name.partition("::")[2] for name in (alone.drawing if alone is not None else ())}

    finding = found.diagnosed("test_is_rarely_high")

    assert names == {"test_is_rarely_high", "test_any_number_will_do"}
    assert all(r.outcome is Outcome.PASSED for run in found.measured.runs for r in run.results)
    assert [len(run.results) for run in found.measured.sweeps if not run.spec.repeats > 1] == [1]
    assert (finding.category, finding.cause) == (Category.NOD, Cause.UNSEEDED_RANDOMNESS)
    shown = setting_of(finding)
    assert shown is not None
    assert shown.random_seed == finding.random_seed


def test_a_test_that_draws_is_not_said_to_follow_the_hash_seed(tmp_path: Path) -> None:
    source = """
        import random

        def test_all_sides_are_seen():
            assert len({random.choice("abc") for _ in range(9)}) == 3
    """
    found = measured(make_project(tmp_path, {"test_a.py": source}), runs=2, sweeping=True)

    finding = found.diagnosed("test_all_sides_are_seen")

    assert finding.cause is Cause.UNSEEDED_RANDOMNESS
