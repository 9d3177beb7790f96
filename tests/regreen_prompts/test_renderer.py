"""Templates: every placeholder is required, every value must be wanted."""

from importlib.resources import files

import pytest

from regreen_prompts import placeholders, render

CLUSTER = {
    "id": "C1",
    "title": "t",
    "count": "1",
    "novelty": "new",
    "signature": "s",
    "frame": "f",
    "members": "m",
}


def test_every_placeholder_is_replaced() -> None:
    text = render("cluster", **CLUSTER)

    assert text.startswith("### C1: t\n")
    assert "$" not in text


def test_a_missing_value_is_an_error_that_names_it() -> None:
    values = {name: value for name, value in CLUSTER.items() if name != "frame"}

    with pytest.raises(ValueError, match=r"missing \['frame'\]"):
        render("cluster", **values)


def test_a_value_the_template_does_not_use_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"unknown \['colour'\]"):
        render("cluster", **CLUSTER, colour="red")


def test_a_dollar_sign_in_a_value_is_not_expanded() -> None:
    assert "$frame ${id} $$" in render("cluster", **{**CLUSTER, "title": "$frame ${id} $$"})


def test_an_unknown_template_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(LookupError, match="sprint_report"):
        render("../renderer")


def test_every_template_file_is_well_formed() -> None:
    names = [
        entry.name.removesuffix(".md")
        for entry in (files("regreen_prompts") / "templates").iterdir()
    ]

    assert names
    for name in names:
        assert placeholders(name) or name.startswith("model_"), name
