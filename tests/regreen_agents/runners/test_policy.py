"""What code under test may see, and which options it runs with."""

import pytest

from regreen_agents.runners.policy import adjusting_options, allowed_environment, withheld
from target_projects import this_target

OURS = {
    "PATH": "/bin",
    "HOME": "/root",
    "LC_ALL": "C",
    "XDG_CACHE_HOME": "/c",
    "PYTHONPATH": "/src",
    "PYTEST_ADDOPTS": "-q",
    "ANTHROPIC_API_KEY": "k",
    "AWS_SECRET_ACCESS_KEY": "s",
    "GITHUB_TOKEN": "t",
    "PYTEST_TOKEN": "t",
    "XDG_PASSWORD_FILE": "p",
    "DATABASE_URL": "d",
    "LD_PRELOAD": "x",
}
KEPT = {"PATH", "HOME", "LC_ALL", "XDG_CACHE_HOME", "PYTHONPATH", "PYTEST_ADDOPTS"}


def test_only_listed_variables_pass_and_never_a_secret() -> None:
    allowed = allowed_environment(OURS, (), {})

    assert set(allowed) == KEPT
    assert allowed["PATH"] == "/bin"


@pytest.mark.parametrize(
    ("passthrough", "more"),
    [
        (("DATABASE_URL",), {"DATABASE_URL"}),
        (("GITHUB_*",), {"GITHUB_TOKEN"}),
        (("*_KEY",), {"ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY"}),
        (("database_url",), set[str]()),
    ],
)
def test_what_the_person_names_passes_too_secrets_included(
    passthrough: tuple[str, ...], more: set[str]
) -> None:
    assert set(allowed_environment(OURS, passthrough, {})) == KEPT | more


def test_fixed_variables_win_over_all_others() -> None:
    allowed = allowed_environment(OURS, (), {"PATH": "/fixed", "MADE_UP_TOKEN": "x"})

    assert (allowed["PATH"], allowed["MADE_UP_TOKEN"]) == ("/fixed", "x")


def test_what_is_withheld_is_told_by_name_in_order() -> None:
    names = withheld(OURS, allowed_environment(OURS, (), {}))

    assert names == tuple(sorted(set(OURS) - KEPT))


def test_without_plugins_only_pytests_own_options_are_set() -> None:
    bare = this_target().model_copy(update={"plugins": (), "unasked_plugins": ()})

    assert adjusting_options(bare) == (
        "--maxfail=0",
        "--continue-on-collection-errors",
        "--color=no",
    )


@pytest.mark.parametrize(
    ("plugin", "option"),
    [
        ("pytest-xdist", "-n0"),
        ("pytest-randomly", "--randomly-dont-reorganize"),
        ("pytest-rerunfailures", "--reruns=0"),
        ("pytest-cov", "--no-cov"),
    ],
)
def test_an_option_is_set_only_where_its_plugin_is_installed(plugin: str, option: str) -> None:
    bare = this_target().model_copy(update={"plugins": (), "unasked_plugins": ()})

    assert option not in adjusting_options(bare)
    assert option in adjusting_options(bare.model_copy(update={"plugins": (plugin,)}))


def test_plugins_nobody_asked_for_are_switched_off() -> None:
    target = this_target().model_copy(update={"plugins": (), "unasked_plugins": ("anyio", "x")})

    assert adjusting_options(target)[-4:] == ("-p", "no:anyio", "-p", "no:x")
