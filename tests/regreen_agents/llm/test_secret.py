"""The key: nothing but `reveal` gives it away."""

import copy
import os
import pickle
import traceback
from collections.abc import Callable

import pytest

from model_calls import KEY
from regreen_agents.errors import UsageError
from regreen_agents.llm.secret import MASK, Secret, _Pocket, take_key


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, ascii])
def test_no_way_of_showing_a_secret_gives_the_key_away(show: Callable[[object], str]) -> None:
    secret = Secret(KEY)

    shown = show(secret)

    assert KEY not in shown
    assert secret.reveal() == KEY


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, Secret.__getstate__])
def test_a_secret_is_neither_copied_nor_pickled(take: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="never copied"):
        take(Secret(KEY))


def test_scrubbing_takes_out_the_key_in_every_form_it_may_have() -> None:
    secret = Secret("sk-with/slash+and=key")
    text = "sk-with/slash+and=key c2std2l0aC9zbGFzaCthbmQ9a2V5 sk-with/slash%2Band%3Dkey"

    scrubbed = secret.scrub(text)

    assert scrubbed == f"{MASK} {MASK} {MASK}"


def test_a_word_that_only_stands_for_a_key_is_not_taken_out_of_other_words() -> None:
    assert Secret("none").scrub("nonetheless") == "nonetheless"


def test_taking_the_key_removes_every_variable_that_could_hold_one() -> None:
    environ = {"ANTHROPIC_API_KEY": f" {KEY}\n", "ANTHROPIC_AUTH_TOKEN": "other", "PATH": "/bin"}

    secret = take_key(environ)

    assert secret.reveal() == KEY
    assert environ == {"PATH": "/bin"}


def test_a_token_stands_in_where_there_is_no_key() -> None:
    assert take_key({"ANTHROPIC_API_KEY": "", "ANTHROPIC_AUTH_TOKEN": KEY}).reveal() == KEY


def test_the_own_environment_gives_the_key_once_and_it_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Pocket, "secret", None)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    taken = [take_key(os.environ), take_key(os.environ)]

    assert [secret.reveal() for secret in taken] == [KEY, KEY]
    assert "ANTHROPIC_API_KEY" not in os.environ


def test_without_a_key_the_error_says_what_to_set() -> None:
    with pytest.raises(UsageError) as caught:
        take_key({"ANTHROPIC_API_KEY": " "})

    assert "ANTHROPIC_API_KEY" in caught.value.why
    assert "--engine embedded" in caught.value.fix


def test_a_key_no_header_can_carry_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError) as caught:
        Secret(f"{KEY}\nX-Other: 1")

    assert KEY not in "".join(traceback.format_exception(caught.value))
