from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, write_tree
from regreen_agents.domain.findings import Category, Cause
from regreen_agents.domain.spreads import Spread
from regreen_agents.repair.recipes.registry import proposals, propose
from regreen_agents.repair.recipes.values.widen_tolerance import wider_bound
from value_cases import TEST, outcomes, red_of, text_after

CHANCE = make_finding(Cause.UNSEEDED_RANDOMNESS, TEST)


@pytest.mark.parametrize(
    ("shop", "call", "given"),
    [
        (
            "import random\n\n\ndef f(rng=None):\n    return (rng or random.Random()).random()\n",
            "f()",
            "f(rng=random.Random(0))",
        ),
        (
            "import random\n\n\ndef f(n, *, rng=None):\n    rng = rng or random\n    return n\n",
            "f(1)",
            "f(1, rng=random.Random(0))",
        ),
        ("def f(n, random_state=None):\n    return n\n", "f(1)", "f(1, random_state=0)"),
        (
            "import numpy as np\n\n\ndef f(rng: np.random.Generator = None):\n    return 1\n",
            "f()",
            "f(rng=default_rng(0))",
        ),
        (
            "import random\n\n\nclass f:\n    def __init__(self, rng=None):\n"
            "        self.rng = rng or random.Random()\n",
            "f()",
            "f(rng=random.Random(0))",
        ),
    ],
)
def test_the_code_gets_a_seeded_generator(tmp_path: Path, shop: str, call: str, given: str) -> None:
    text = f"from shop import f\n\n\ndef test_it():\n    assert {call}\n"
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": text})

    proposal = propose("pass_rng=0", CHANCE, tree)

    assert proposal is not None
    assert f"assert {given}\n" in text_after(proposal)


def test_a_generator_the_test_makes_is_seeded(tmp_path: Path) -> None:
    text = """
        import random


        def test_it():
            rng = random.Random({})
            assert rng.random() < 0.9
        """
    tree = write_tree(tmp_path, {"tests/test_a.py": text.format("")})

    proposal = assert_repairs(tree, "pass_rng=3", CHANCE, {"tests/test_a.py": text.format("3")})

    assert proposal.recipe == "pass_rng=3"
    assert not red_of(outcomes(tmp_path))


@pytest.mark.parametrize("call", ["f(1)", "f(rng=1)", "f(*a)", "g()"])
def test_a_generator_that_is_given_is_left_alone(tmp_path: Path, call: str) -> None:
    shop = "import random\n\n\ndef f(rng=None):\n    rng = rng or random\n\n\n"
    shop += "def g(n=None):\n    pass\n"
    text = f"from shop import f, g\n\n\ndef test_it():\n    assert {call}\n"
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": text})

    assert propose("pass_rng=0", CHANCE, tree) is None


def test_a_generator_of_the_module_is_replaced_while_the_test_runs(tmp_path: Path) -> None:
    shop = "import random\n\n_RNG = random.Random()\n\n\ndef f():\n    return _RNG.random()\n"
    text = """
        {}from shop import f


        def test_it({}):
        {}    assert f() == 0.13436424411240122
        """
    tree = write_tree(tmp_path, {"shop.py": shop, "tests/test_a.py": text.format("", "", "")})
    line = '    monkeypatch.setattr("shop._RNG", random.Random(1))\n        '
    after = text.format("import random\n\n        ", "monkeypatch", line)

    assert_repairs(tree, "replace_rng=1", CHANCE, {"tests/test_a.py": after})

    assert not red_of(outcomes(tmp_path))


def test_torch_is_seeded_and_what_cannot_be_is_said(tmp_path: Path) -> None:
    text = (
        "import torch\nimport uuid\n\n\ndef test_it():\n    assert torch.rand(1) and uuid.uuid4()\n"
    )
    tree = write_tree(tmp_path, {"tests/test_a.py": text})

    proposal = propose("seed_random", CHANCE, tree)

    assert proposal is not None
    assert "    torch.manual_seed(0)\n" in text_after(proposal)
    assert proposal.cons[-1].startswith("uuid1, uuid4, secrets, os.urandom")


MEAN = "    assert abs(sample() - 0.5) < 0.05\n"


def spread(**changed: object) -> Spread:
    told = {
        "path": "tests/test_a.py",
        "line": 5,
        "column": 33,
        "value": "abs(sample() - 0.5)",
        "bound": 0.05,
        "upper": True,
        "runs": 200,
        "beyond": 30,
        "mean": 0.03,
        "deviation": 0.02,
        "worst": 0.1,
    }
    return Spread.model_validate({**told, **changed})


def test_a_bound_is_widened_by_what_was_measured_and_only_by_a_person(tmp_path: Path) -> None:
    text = f"from shop import sample\n\n\ndef test_it():\n{MEAN}"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    finding = make_finding(Cause.UNSEEDED_RANDOMNESS, TEST, spread=spread())

    proposal = propose("widen_tolerance", finding, tree)

    assert proposal is not None
    assert text_after(proposal) == text.replace("< 0.05", "< 0.15")
    assert proposal.policy_decision
    assert proposal.title == "Widen the bound to what was measured: 0.05 -> 0.15 = +200.0 %"
    assert "at most 1.5% are with 95 % confidence (rule of three)" in proposal.strategy
    assert proposals(finding, tree)[-1] == proposal


@pytest.mark.parametrize(
    "changed", [{"beyond": 0}, {"column": 3}, {"line": 99}, {"bound": 0.2}, {"path": "no.py"}]
)
def test_a_bound_that_is_not_the_reason_or_not_there_is_kept(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    text = f"from shop import sample\n\n\ndef test_it():\n{MEAN}"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    finding = make_finding(Cause.UNSEEDED_RANDOMNESS, TEST, spread=spread(**changed))

    assert propose("widen_tolerance", finding, tree) is None


@pytest.mark.parametrize(
    ("changed", "bound"),
    [
        ({}, 0.15),
        ({"worst": 0.5}, 0.55),
        ({"upper": False, "mean": 0.9, "deviation": 0.01, "worst": 0.87}, 0.84),
        ({"mean": 120.0, "deviation": 3.0, "worst": 129.0}, 140.0),
    ],
)
def test_the_new_bound_is_six_deviations_off_and_beyond_all_that_was_seen(
    changed: dict[str, object], bound: float
) -> None:
    assert wider_bound(spread(**changed)) == bound


def test_what_varies_by_itself_counts_as_chance_for_generators_only(tmp_path: Path) -> None:
    text = "import random\n\n\ndef test_it():\n    assert random.Random().random() < 0.5\n"
    tree = write_tree(tmp_path, {"tests/test_a.py": text})
    varies = make_finding(Cause.UNEXPLAINED, TEST, category=Category.NOD)
    constant = make_finding(Cause.UNEXPLAINED, TEST, category=Category.UD)

    assert [p.recipe for p in proposals(varies, tree)] == ["pass_rng=0"]
    assert not proposals(constant, tree)
