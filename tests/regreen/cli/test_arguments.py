"""What a person types is read as meant, or refused with an example."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.cli import arguments
from regreen.cli.commit import subjects
from regreen_agents.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("45s", 45), ("30m", 1800), ("1h", 3600), ("1.5h", 5400), (" 2M ", 120)],
)
def test_a_duration_is_read_in_its_unit(text: str, expected: float) -> None:
    assert arguments.seconds(text, option="--time-budget") == expected


@pytest.mark.parametrize(
    "text", ["", "0", "0m", "-5", "5 m", "1d", "abc", "1e3", "nan", "inf", "٣m", "1h30m", "9" * 400]
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments.seconds(text, option="--time-budget")

    assert "--time-budget 30m" in caught.value.fix


@given(
    st.integers(min_value=1, max_value=10**9), st.sampled_from([("s", 1), ("m", 60), ("h", 3600)])
)
def test_every_whole_number_with_a_unit_is_a_duration(number: int, unit: tuple[str, int]) -> None:
    assert arguments.seconds(f"{number}{unit[0]}", option="--x") == number * unit[1]


@pytest.mark.parametrize("amount", [float("inf"), float("nan")])
def test_an_endless_amount_is_no_budget(amount: float) -> None:
    with pytest.raises(UsageError, match="no amount"):
        arguments.usd(amount)


def test_a_tape_is_named_by_its_absolute_path() -> None:
    assert Path(arguments.tape(Path("tapes/one.jsonl"))).is_absolute()
    assert arguments.tape(None) == ""


def test_a_plan_id_may_be_typed_in_lower_case_and_counts_once() -> None:
    assert arguments.plan_ids(["pr2", "PR1", "PR2"]) == ("PR2", "PR1")


@pytest.mark.parametrize("text", ["", "PR", "PR0", "C1", "../PR1", "PR1.md", "PR1\n"])
def test_what_is_no_plan_id_never_becomes_a_path(text: str) -> None:
    if text.strip() == "PR1":
        assert arguments.plan_id(text) == "PR1"
        return
    with pytest.raises(UsageError, match="no plan id"):
        arguments.plan_id(text)


def test_options_are_chosen_by_plan() -> None:
    chosen = arguments.choices(["PR2=B", "pr1=a", "PR2=B"], ("PR1", "PR2"))

    assert chosen == {"PR2": "B", "PR1": "A"}


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["PR2"], "equals sign"),
        (["PR2="], "equals sign"),
        (["=B"], "equals sign"),
        (["PR2=BB"], "equals sign"),
        (["PR3=B"], "PR3 is not among the plans"),
        (["PR2=A", "PR2=B"], "Two different options"),
    ],
)
def test_a_choice_that_cannot_be_used_is_refused_with_its_reason(
    texts: list[str], why: str
) -> None:
    with pytest.raises(UsageError) as caught:
        arguments.choices(texts, ("PR1", "PR2"))

    assert why in caught.value.why


def test_a_rejection_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        arguments.reason("  \n")


def test_commits_are_approved_by_name_or_all_but_not_both() -> None:
    assert subjects(["pr1"], every=False) == ("PR1",)
    assert subjects([], every=True) is None
    with pytest.raises(UsageError, match="which commits"):
        subjects([], every=False)
    with pytest.raises(UsageError, match="which commits"):
        subjects(["PR1"], every=True)


def test_the_next_command_names_a_repository_that_is_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "my shop"

    assert arguments.located("regreen resume", elsewhere) == f"regreen resume --repo '{elsewhere}'"
    assert arguments.located("regreen resume", Path.cwd()) == "regreen resume"
    assert arguments.located("", elsewhere) == ""
