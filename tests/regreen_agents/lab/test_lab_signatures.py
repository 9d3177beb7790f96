import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen_agents.domain.runs import FailureDetail, Frame
from regreen_agents.lab.signatures import (
    LONGEST_SIGNATURE,
    failure_signature,
    is_test_path,
    normalise,
    project_frame,
)

WORDS = st.text(alphabet="ghijkl", min_size=1, max_size=6)
ADDRESSES = st.integers(0, 2**64)


def failure(message: str = "boom", *, kind: str = "ValueError", frames: str = "") -> FailureDetail:
    """Frames as ``path:function`` words, outermost first."""
    parts = [word.rpartition(":") for word in frames.split()]
    return FailureDetail(
        phase="call",
        type=kind,
        message=message,
        frames=tuple(Frame(path=path, line=1, function=name) for path, _, name in parts),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("assert 5 == 3", "assert 17 == -3.25"),
        ("took 0.31 s", "took 1e-05 s"),
        ("<Cart object at 0x7f12ab> is empty", "<Cart object at 0x55ff01> is empty"),
        (
            "no order 123e4567-e89b-12d3-a456-426614174000",
            "no order 00000000-e89b-12d3-a456-42661417ffff",
        ),
        ("expired at 2024-01-02T10:11:12.5Z", "expired at 2026-11-22 08:00:00+01:00"),
        ("at 09:30 sharp", "at 17:45:12 sharp"),
        ("Sat Nov 22 10:50:01 2026 is past", "Mon 3 Feb 2025 is past"),
        ("datetime.datetime(2020, 1, 2) is past", "datetime.datetime(2020, 1, 2, 3, 4) is past"),
        ("unknown revision 3f2a9bcd01", "unknown revision 00aa9bcd01ff"),
        (
            "No such file or directory: '/tmp/pytest-of-me/pytest-3/test_a0/shop.ini'",
            "No such file or directory: '/var/folders/x y/T/pytest-9/test_b1/shop.ini'",
        ),
        ("cannot open /home/me/shop/a.txt now", "cannot open /builds/7/shop/a.txt now"),
        ("Permission denied: '/tmp/tmpab12cd_9'", "Permission denied: '/tmp/tmpzz98xy_1'"),
        ("assert 'abc' == 'abd'", "assert \"it's\" == 'x y'"),
        ("Lists differ: ['a'] != ['b']", "Lists differ: ['a', 'c'] != ['b', 'd']"),
        ("{'b', 'a'} != {'c'}", "{'a', 'b'} != {'d'}"),
        ("assert [1, 2] == [1]", "assert [1, 2, 3] == [7]"),
        ("first\nsecond", "first\nother"),
        ("  spread \t out  ", "spread out"),
        ("=====\n\nthe point", "the point"),
    ],
)
def test_what_differs_between_two_runs_of_one_failure_is_taken_out(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No module named 'six'", "No module named 'attr'"),
        ("'shop' is locked", "'store' is locked"),
        ("No such file or directory: 'tests/a.txt'", "No such file or directory: 'tests/b.txt'"),
        ("cannot open /srv/x/a.txt", "cannot open /srv/x/b.txt"),
        ("[Errno 2] it broke", "[Errno 13] it broke"),
        ("cast int32", "cast int64"),
        ("assert 1 == 2", "assert 1 < 2"),
        ("'a' has no attribute 'b'", "'a' has no attribute 'c'"),
        ("don't stop and don't 'go'", "don't stop and don't 'stay'"),
    ],
)
def test_what_names_the_defect_stays(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_a_placeholder_says_what_was_there() -> None:
    message = "[Errno 2] step 3 of '/srv/a/b.txt' at 2026-01-02 left 0x1f, deadbeef12 and 'x y'"

    assert normalise(message) == (
        "[Errno 2] step <n> of '<path>/b.txt' at <time> left <address>, <hex> and '<text>'"
    )


@given(words=st.lists(WORDS, min_size=1), data=st.data())
def test_no_number_path_or_address_makes_a_difference(
    words: list[str], data: st.DataObject
) -> None:
    accidents = st.one_of(
        st.tuples(st.integers(), st.integers()).map(lambda pair: (str(pair[0]), str(pair[1]))),
        st.tuples(WORDS, WORDS)
        .map(lambda pair: (f"/{pair[0]}/a b/x", f"/c/{pair[1]}/x"))
        .map(lambda pair: (f"'{pair[0]}'", f"'{pair[1]}'")),
        st.tuples(ADDRESSES, ADDRESSES).map(lambda pair: (hex(pair[0]), hex(pair[1]))),
    )
    pairs = [data.draw(accidents) for _ in words]

    one, other = (
        " ".join(f"{word} {pair[side]}" for word, pair in zip(words, pairs, strict=True))
        for side in (0, 1)
    )

    assert normalise(one) == normalise(other)


@given(st.text(max_size=600))
def test_a_normalised_message_is_one_line_of_bounded_length(message: str) -> None:
    normal = normalise(message)

    assert len(normal) <= LONGEST_SIGNATURE
    assert len(normal.splitlines()) <= 1


@pytest.mark.parametrize("hostile", ["'" + "\\" * 2000, "'/" * 1000, "1:" * 1000, "a/" * 1000])
def test_a_hostile_message_is_normalised_all_the_same(hostile: str) -> None:
    assert len(normalise(hostile)) <= LONGEST_SIGNATURE


def test_a_signature_is_the_type_and_the_message_once() -> None:
    assert failure_signature(failure("step 3", kind="shop.CartError")) == "shop.CartError: step <n>"
    assert failure_signature(failure("", kind="builtins.KeyError")) == "KeyError"
    assert failure_signature(failure("ValueError: no", kind="ValueError")) == "ValueError: no"


@pytest.mark.parametrize(
    ("frames", "frame"),
    [
        ("tests/test_a.py:test_b src/shop/cart.py:total", "src/shop/cart.py::total"),
        ("src/shop/cart.py:total src/shop/tax.py:rate", "src/shop/tax.py::rate"),
        ("shop/cart.py:total tests/helpers.py:check", "shop/cart.py::total"),
        ("tests/test_a.py:test_b tests/helpers.py:check", "tests/helpers.py::check"),
        ("shop/cart.py:total /usr/lib/python3/json.py:loads", "shop/cart.py::total"),
        ("shop/a.py:f .venv/lib/python3.12/site-packages/six.py:g", "shop/a.py::f"),
        ("shop/a.py:f C:/Python/json.py:loads", "shop/a.py::f"),
        ("shop/a.py:f <string>:<module>", "shop/a.py::f"),
        ("/usr/lib/python3/json.py:loads", ""),
        ("", ""),
    ],
)
def test_the_project_frame_is_the_innermost_of_the_trees_own_code(frames: str, frame: str) -> None:
    assert project_frame(failure(frames=frames)) == frame


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/helpers.py", True),
        ("shop/test/base.py", True),
        ("test_cart.py", True),
        ("shop/cart_test.py", True),
        ("conftest.py", True),
        ("shop/testing.py", False),
        ("shop/contest.py", False),
        ("shop/tests_run.py", False),
    ],
)
def test_test_code_is_known_by_its_path(path: str, is_test: bool) -> None:
    assert is_test_path(path) is is_test
