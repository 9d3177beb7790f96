from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.registry import proposals, propose


def random_finding(seed: int | None = None, test: str = "tests/test_a.py::test_it") -> Finding:
    return make_finding(Cause.UNSEEDED_RANDOMNESS, test, random_seed=seed)


def test_the_generator_is_seeded_below_the_docstring(tmp_path: Path) -> None:
    before = '''
        import os

        from shop import draw


        def test_it():
            """Draws."""
            assert draw()
        '''
    after = '''
        import os
        import random

        from shop import draw


        def test_it():
            """Draws."""
            random.seed(0)
            assert draw()
        '''
    shop = "import random\n\n\ndef draw():\n    return random.choice([0, 1])\n"
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": before})

    assert_repairs(tree, "seed_random", random_finding(), {"tests/test_a.py": after})


def test_a_seed_that_is_known_to_fail_is_not_proposed(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"tests/test_a.py": "import random\n\n\ndef test_it():\n    pass\n"}
    )

    proposal = propose("seed_random", random_finding(seed=0), tree)
    third = propose("seed_random=3", random_finding(seed=0), tree)

    assert proposal is not None
    assert "random.seed(1)" in proposal.edits[0].after
    assert third is not None
    assert third.recipe == "seed_random=3"
    assert "random.seed(3)" in third.edits[0].after
    assert propose("seed_random=0", random_finding(seed=0), tree) is None


@pytest.mark.parametrize(
    ("head", "uses", "expected"),
    [
        ("import numpy as np", "np.random.rand()", ["np.random.seed(0)"]),
        (
            "import random\nimport numpy as np",
            "np.random.rand() + random.random()",
            ["random.seed(0)", "np.random.seed(0)"],
        ),
        ("import numpy as np", "np.random.default_rng()", ["random.seed(0)"]),
        (
            "from numpy import random",
            "random.rand()",
            ["random_module.seed(0)", "numpy.random.seed(0)"],
        ),
        ("from random import choice", "choice([1])", ["random.seed(0)"]),
    ],
)
def test_the_generators_in_use_are_seeded_by_the_files_own_names(
    tmp_path: Path, head: str, uses: str, expected: list[str]
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": f"{head}\n\n\ndef test_it():\n    {uses}\n"})

    proposal = propose("seed_random", random_finding(), tree)

    assert proposal is not None
    body = proposal.edits[0].after.partition("def test_it():\n")[2].splitlines()
    assert [line.strip() for line in body[:-1]] == expected


def test_a_method_and_a_one_line_body_are_seeded_too(tmp_path: Path) -> None:
    before = "import random\nclass TestA:\n  def test_it(self): pass\n"
    after = (
        "import random\nclass TestA:\n  def test_it(self):\n    random.seed(0)\n    pass\n".replace(
            "    ", "    "
        )
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": before})

    assert_repairs(
        tree,
        "seed_random",
        random_finding(test="tests/test_a.py::TestA::test_it"),
        {"tests/test_a.py": after},
    )


def test_the_cons_say_that_a_seed_hides_failures(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})

    (proposal,) = proposals(random_finding(), tree)

    assert "check that the assertion holds" in proposal.cons[0]
