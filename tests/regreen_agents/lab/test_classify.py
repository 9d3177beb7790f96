import pytest

from regreen_agents.domain.findings import Category
from regreen_agents.domain.identity import NodeId
from regreen_agents.lab.classify import (
    RULES,
    Fact,
    IsolatedMatrix,
    classify,
    facts_of_runs,
    isolated_matrix,
)
from suite_runs import run

A, B, C, D = (NodeId(f"test_{name}.py::test") for name in "abcd")


@pytest.mark.parametrize(
    ("facts", "category"),
    [
        ({Fact.TIMES_OUT, Fact.RED_ALONE}, Category.TIMEOUT),
        ({Fact.CRASHES, Fact.RED_IN_FULL}, Category.INFRASTRUCTURE),
        ({Fact.RANDOM_SEED_FLIPS, Fact.RED_IN_FULL, Fact.GREEN_IN_FULL}, Category.NOD),
        ({Fact.HASH_SEED_FLIPS, Fact.GREEN_ALONE}, Category.ID),
        ({Fact.ORDER_FLIPS, Fact.GREEN_ALONE, Fact.RED_IN_FULL}, Category.OD_VICTIM),
        ({Fact.ORDER_FLIPS, Fact.RED_ALONE, Fact.GREEN_IN_FULL}, Category.OD_BRITTLE),
        ({Fact.AGAIN_FLIPS, Fact.GREEN_ALONE, Fact.GREEN_IN_FULL}, Category.NIO),
        ({Fact.CLOCK_FLIPS, Fact.GREEN_ALONE}, Category.TD),
        ({Fact.CLOCK_FLIPS, Fact.RED_ALONE, Fact.RED_IN_FULL}, Category.TD),
        ({Fact.ZONE_FLIPS, Fact.GREEN_ALONE}, Category.TZD),
        ({Fact.LISTING_FLIPS, Fact.GREEN_ALONE}, Category.ID),
        ({Fact.SURROUNDINGS_FLIP, Fact.RED_ALONE, Fact.RED_IN_FULL}, Category.ENVIRONMENT),
        ({Fact.MISSING, Fact.RED_ALONE, Fact.RED_IN_FULL}, Category.RESOURCE),
        ({Fact.VARIES, Fact.RED_IN_FULL, Fact.GREEN_IN_FULL}, Category.NOD),
        ({Fact.UNSUPPORTED, Fact.RED_ALONE, Fact.RED_IN_FULL}, Category.ENVIRONMENT),
        ({Fact.NOT_COLLECTED, Fact.RED_IN_FULL}, Category.REAL_BUG),
        ({Fact.RED_ALONE, Fact.RED_IN_FULL}, Category.REAL_BUG),
        ({Fact.RED_IN_FULL, Fact.GREEN_IN_FULL}, Category.UD),
        ({Fact.GREEN_ALONE, Fact.RED_IN_FULL}, Category.UD),
        ({Fact.RED_ALONE, Fact.GREEN_IN_FULL}, Category.UD),
        ({Fact.GREEN_ALONE, Fact.GREEN_IN_FULL}, None),
        (set(), None),
    ],
)
def test_facts_have_one_class(facts: set[Fact], category: Category | None) -> None:
    assert classify(frozenset(facts)).category is category


def test_every_rule_can_be_the_one_that_decides() -> None:
    deciding = {classify(rule.all_of).rule for rule in RULES}

    assert deciding == {str(rule) for rule in RULES}


def test_the_rule_is_told_in_words() -> None:
    told = classify(frozenset({Fact.RED_ALONE, Fact.RED_IN_FULL})).rule

    assert told == (
        "red alone, red in a run of the suite, not: green alone, not: green in a run of the suite"
    )


def test_passing_alone_clears_no_test() -> None:
    facts = facts_of_runs(A, [run({A: "F"}), run({A: "F"})], run({A: "P"}))

    assert facts == {Fact.RED_IN_FULL, Fact.GREEN_ALONE}
    assert classify(facts).category is Category.UD


@pytest.mark.parametrize("letter", ["S", "-", "?"])
def test_a_run_that_did_not_judge_a_test_tells_no_fact(letter: str) -> None:
    assert facts_of_runs(A, [run({A: letter})], None) == frozenset()


def test_what_is_missing_may_be_the_machines_or_the_repositorys() -> None:
    said = classify(frozenset({Fact.MISSING}))

    assert said.agrees_with(Category.RESOURCE)
    assert said.agrees_with(Category.ENVIRONMENT)
    assert not said.agrees_with(Category.REAL_BUG)


def test_the_isolated_matrix_has_every_test_in_one_cell() -> None:
    full = [run({A: "P", B: "P", C: "S", D: "P"}), run({A: "P", B: "F", C: "P", D: "-"})]

    matrix = isolated_matrix(full, run({A: "F", B: "P", C: "P"}))

    assert matrix == IsolatedMatrix(
        {
            ("fails", "passes"): (A,),
            ("passes", "fails"): (B,),
            ("passes", "passes"): (C,),
            ("not measured", "passes"): (D,),
        }
    )
    assert matrix.count("passes", "fails") == 1
    assert matrix.count("fails", "fails") == 0
    assert matrix.disagreeing() == (A, B)


def test_without_an_isolated_run_nothing_is_said_about_tests_alone() -> None:
    matrix = isolated_matrix([run({A: "F", B: "P"})], None)

    assert matrix.cells == {("not measured", "fails"): (A,), ("not measured", "passes"): (B,)}
