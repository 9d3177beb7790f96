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


NUMPY = '''
    def __getattr__(name):
        """As numpy 2: what draws is imported when it is asked for."""
        if name != "random":
            raise AttributeError(name)
        import importlib
        return importlib.import_module("numpy.random")
'''
NUMPY_RANDOM = """
    import random as python
    import struct


    class Words(tuple):
        def tobytes(self):
            return struct.pack("624I", *self)


    class RandomState:
        def __init__(self, seed=None):
            self.generator = python.Random(seed)

        def get_state(self):
            words = self.generator.getstate()[1]
            return ("MT19937", Words(words[:-1]), words[-1], 0, 0.0)

        def set_state(self, state):
            self.generator.setstate((3, (*state[1], state[2]), None))

        def bytes(self, length):
            return self.generator.getrandbits(8 * length)

        def seed(self, seed=None):
            self.generator.seed(seed)

        def random(self):
            return self.generator.random()


    own = RandomState()
    get_state, set_state, seed, random = own.get_state, own.set_state, own.seed, own.random
"""
"""The parts of numpy's interface that matter here; the package itself is none of ours."""


def test_numbers_from_numpy_are_drawn_though_it_imports_their_source_late(tmp_path: Path) -> None:
    source = """
        import numpy

        def test_is_rarely_high():
            assert numpy.random.random() < 0.9

        def test_draws_nothing():
            assert True
    """
    files = {"test_a.py": source, "numpy/__init__.py": NUMPY, "numpy/random.py": NUMPY_RANDOM}
    found = measured(make_project(tmp_path, files), sweeping=True)
    alone = found.measured.isolated

    finding = found.diagnosed("test_is_rarely_high")

    assert alone is not None
    assert [name.partition("::")[2] for name in alone.drawing] == ["test_is_rarely_high"]
    assert finding.cause is Cause.UNSEEDED_RANDOMNESS
