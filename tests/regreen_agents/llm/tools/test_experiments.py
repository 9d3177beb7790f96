from pathlib import Path

import pytest

from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec
from regreen_agents.lab.matrix_factors import CATALOGUE, SPEC_FIELDS
from regreen_agents.llm.messages import ToolUse
from regreen_agents.llm.tools.experiments import run_tests
from regreen_agents.llm.tools.knobs import VALUES, Knobs, Setting, spec_of
from regreen_agents.runners.factors import maker_of
from tool_benches import Ward, at_logs

TEN = "tests/test_parcels.py::test_ten_kilograms"
LIGHT = "tests/test_parcels.py::test_a_light_order"
CHOSEN = "tests/test_region.py::test_chosen_region"
DEFAULT = "tests/test_region.py::test_default_region"
LOUD = "tests/test_loud.py::test_loud"
DAY = "tests/test_loud.py::test_day"


def test_tests_run_in_the_order_given_and_leave_evidence(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    after = hands.use("run_tests", tests=[CHOSEN, DEFAULT], question="Does it leak?")
    before = hands.use("run_tests", tests=[DEFAULT, CHOSEN])

    assert after.text.splitlines()[:3] == [
        "1 failed, 1 passed (run: complete, exit 1)",
        f"passed  {CHOSEN}",
        f"failed  {DEFAULT}",
    ]
    assert "AssertionError: assert 'EU' == 'US'" in after.text
    assert before.text.startswith("2 passed")
    [page] = after.evidence
    assert page.question == "Does it leak?"
    assert page.conclusion == f"{DEFAULT}: failed."
    assert page.counts == "1 failed, 1 passed"


def test_a_file_stands_for_its_tests_and_each_may_run_alone(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    assert hands.does("run_tests", tests=["tests/test_region.py"]).startswith("1 failed, 1 passed")
    alone = hands.does("run_tests", tests=["tests/test_region.py"], each_alone=True)
    assert alone.startswith("2 passed")


def test_an_unknown_test_is_answered_with_near_ones(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    said = hands.fails("run_tests", tests=["tests/test_prices.py::test_ten_kilograms"])
    assert said.splitlines()[0].endswith("Near:")
    assert TEN in said
    assert TEN in hands.fails("run_tests", tests=["test_ten_kilogram"])
    assert "similar name" in hands.fails("run_tests", tests=["zzzz\x1b[2J"])


def test_every_knob_is_a_field_of_the_run(shop: Ward) -> None:
    knobs = Knobs(
        hash_seed=7,
        random_seed=3,
        repeats=2,
        cwd="./tests/",
        set_env={"B": "2", "A": "1"},
        unset_env=("LANG",),
        factors=(Setting(name="umask", value="077"), Setting(name="locale", value="C")),
    )

    spec = spec_of(knobs, (NodeId(TEN),), shop.bench("test_ten_kilograms"), alone=True)

    assert spec == RunSpec(
        order=OrderKind.ISOLATED,
        tests=(NodeId(TEN),),
        hash_seed="7",
        random_seed=3,
        repeats=2,
        cwd="tests",
        extra_env=(("A", "1"), ("B", "2")),
        drop_env=("LANG",),
        factors=(Factor(name="umask", value="077"), Factor(name="locale", value="C")),
    )


def test_repeats_times_and_variables_reach_the_run(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    twice = hands.use("run_tests", tests=[DEFAULT], repeats=2, times=2)
    leaked = hands.does("run_tests", tests=[DEFAULT], set_env={"SHOP_REGION": "EU"})

    rows = ["2 runs: 1 passed; 1 passed", f"passed,passed  {DEFAULT}"]
    assert twice.text.splitlines() == rows
    assert twice.evidence[0].conclusion == f"{DEFAULT}: passed 2 times."
    assert leaked.startswith("1 failed")


def test_the_clock_and_the_state_can_be_asked_about(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    later = hands.use(
        "run_tests", tests=[DAY], factors=[{"name": "date", "value": "2028-02-29T12:00"}]
    )
    state = hands.does("run_tests", tests=[CHOSEN], show_state=True)

    assert later.text.startswith("1 failed")
    assert f"{CHOSEN} changed environment SHOP_REGION: <absent> -> 'EU'" in state


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"set_env": {"PYTHONPATH": "/evil"}}, "may not be changed"),
        ({"set_env": {"LD_PRELOAD": "x.so"}}, "may not be changed"),
        ({"set_env": {"ld_preload": "x.so"}}, "may not be changed"),
        ({"set_env": {"PYTEST_ADDOPTS": "-p evil"}}, "may not be changed"),
        ({"set_env": {"PATH": "."}}, "may not be changed"),
        ({"set_env": {"ANTHROPIC_API_KEY": "x"}}, "may not be changed"),
        ({"unset_env": ["PYTHONHASHSEED"]}, "may not be changed"),
        ({"set_env": {"A B": "x"}}, "no name of a variable"),
        ({"set_env": {"A": "x\0y"}}, "NUL"),
        ({"cwd": "../.."}, ".."),
        ({"cwd": "/"}, "absolute"),
        ({"cwd": ".git"}, "git"),
        ({"cwd": "nowhere"}, "does not exist"),
        ({"factors": [{"name": "date", "value": "tomorrow"}]}, "no value of date"),
        (
            {"factors": [{"name": "time-zone", "value": "../../etc/passwd"}]},
            "no value of time-zone",
        ),
        ({"factors": [{"name": "workers", "value": "1 -p evil"}]}, "no value of workers"),
        ({"factors": [{"name": "minimal-path", "value": "."}]}, "no value of minimal-path"),
        ({"factors": [{"name": "gravity", "value": "0"}]}, "There is no factor 'gravity'"),
        ({"factors": [{"name": "locale", "value": "xx_XX"}]}, "cannot be tried"),
        ({"tests": []}, "tests:"),
        ({"times": 1000}, "times:"),
        ({"hash_seed": -1}, "hash_seed:"),
        ({"order": "random"}, "order:"),
    ],
)
def test_a_knob_that_cannot_be_turned_so_is_refused(
    shop: Ward, asked: dict[str, object], reason: str
) -> None:
    hands = shop.explorer("test_ten_kilograms")

    said = hands.fails("run_tests", **{"tests": [TEN], **asked})  # type: ignore[arg-type]  # wrong on purpose

    assert reason in said


def test_what_a_loud_test_prints_is_clean_and_the_same_on_every_machine(
    shop: Ward, tmp_path: Path
) -> None:
    one = shop.explorer("test_ten_kilograms").use("run_tests", tests=[LOUD])
    two = at_logs(shop, tmp_path / "others").explorer("test_ten_kilograms")

    assert one.is_error is False
    assert one == two.use("run_tests", tests=[LOUD])
    assert str(shop.tree) not in one.text
    assert str(shop.scratch.path) not in one.text
    assert "\x1b" not in one.text
    assert "\u202e" not in one.text
    assert "printed:" in one.text
    assert "cba . <object object at 0x...>" in one.text


def test_the_tree_is_as_committed_afterwards(shop: Ward) -> None:
    shop.explorer("test_ten_kilograms").does("run_tests", tests=[LOUD])

    assert not (shop.project / "left.txt").exists()


def test_a_long_answer_is_kept_whole_and_can_be_read_on(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")
    bench = shop.bench("test_ten_kilograms")
    text = "\n".join(f"{n} of {shop.project}/x" for n in range(20_000))

    shown = bench.answer(text).text

    assert str(shop.project) not in shown
    assert len(shown) <= 16_000
    name = shown.partition("read_output ")[2].partition(" ")[0]
    assert hands.does("read_output", path=name, first_line=15_001, last_line=15_001).endswith(
        "15001\t15000 of x\n[... line 15002 is the next ...]"
    )


def test_when_no_run_is_left_the_model_is_told(shop: Ward) -> None:
    bench = shop.bench("test_ten_kilograms")
    bench.lab.runs_made = 119
    answer = run_tests(bench).answer(
        ToolUse(id="1", name="run_tests", input={"tests": [TEN], "times": 2})
    )

    assert answer.is_error
    assert "The 120 runs allowed for one cluster are used up." in answer.text


def test_a_worktree_that_a_test_cut_off_from_git_is_told_and_never_searched_above(
    fresh_shop: Ward,
) -> None:
    link = fresh_shop.tree / ".git"
    content = link.read_text()
    hands = fresh_shop.explorer("test_ten_kilograms")
    link.unlink()
    try:
        for name, asked in (("list_files", {}), ("git_log", {}), ("search", {"pattern": "x"})):
            said = hands.fails(name, **asked)
            assert "no longer connected to its repository" in said
            assert str(fresh_shop.scratch.path) not in said
        said = hands.fails("run_tests", tests=[TEN])
    finally:
        link.write_text(content)

    assert "no longer connected" in said
    assert str(fresh_shop.scratch.path) not in said


def test_the_polluter_is_found_with_what_it_leaves(shop: Ward) -> None:
    answer = shop.explorer("test_default_region").use("find_polluter", test=DEFAULT)

    assert not answer.is_error
    assert f"polluters: {CHOSEN}" in answer.text
    assert "state: environment SHOP_REGION: <absent> -> 'EU'" in answer.text
    assert answer.evidence[0].conclusion == "Alone it passes."
    assert len(answer.evidence) >= 3


def test_where_order_does_not_decide_that_is_said(shop: Ward) -> None:
    hands = shop.explorer("test_ten_kilograms")

    said = hands.does("find_polluter", test=TEN)

    assert said.startswith("Order is not shown to decide: in no run of the baseline has it passed")
    assert "none of this cluster's tests" in hands.fails("find_polluter", test=DEFAULT)


def test_the_matrix_names_what_flips_a_test(shop: Ward) -> None:
    answer = shop.explorer("test_ten_kilograms").use(
        "perturbation_matrix", test=DAY, factors=["date"], max_runs=13
    )

    assert not answer.is_error
    assert "FLIPS: alone it fails in" in answer.text
    assert "with date=2028-02-29T12:00" in answer.text
    assert "no flip: date=+40d" in answer.text
    assert "not tried: date=-1d: its 13 runs were made before" in answer.text
    [page] = answer.evidence
    assert "date=2028-02-29T12:00" in page.conclusion


def test_a_factor_nobody_knows_is_refused(shop: Ward) -> None:
    said = shop.explorer("test_ten_kilograms").fails(
        "perturbation_matrix", test=DAY, factors=["gravity"]
    )

    assert "There is no factor 'gravity'" in said


def test_the_coverage_points_to_lines_that_few_passing_tests_run(shop: Ward) -> None:
    shown = shop.explorer("test_ten_kilograms").does("coverage_of_failure", test=TEN)

    assert f"{TEN} failed under the tracer" in shown
    assert "shop/price.py: 12, 14" in shown
    assert "shop/price.py:14 (1)" in shown


def test_factors_are_the_catalogues() -> None:
    assert set(VALUES) == set(CATALOGUE) - set(SPEC_FIELDS)
    for name in VALUES:
        maker_of(Factor(name=name, value="x"))
