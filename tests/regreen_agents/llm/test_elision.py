from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from regreen_agents.llm.elision import Outputs, elided, text_of
from regreen_prompts.text import clean_text

WHOLE = Path("@output/abc.txt")


def numbered(count: int) -> str:
    return "".join(f"line {n}\n" for n in range(1, count + 1))


def test_a_short_text_stays_as_it_is() -> None:
    assert elided("one\ntwo\n", 1000, WHOLE) == "one\ntwo\n"


def test_head_and_tail_stay_whole_lines_and_the_middle_says_what_is_missing() -> None:
    shown = elided(numbered(1000), 600, WHOLE)

    lines = shown.splitlines()
    [mark] = [line for line in lines if line.startswith("[...")]
    before, after = lines[: lines.index(mark)], lines[lines.index(mark) + 1 :]
    first, last = len(before) + 1, 1000 - len(after)
    assert before == [f"line {n}" for n in range(1, first)]
    assert after == [f"line {n}" for n in range(last + 1, 1001)]
    missing = len("".join(f"line {n}\n" for n in range(first, last + 1)))
    said = f"lines {first}-{last}, {missing} bytes, left out here; read_output @output/abc.txt"
    assert said in mark


def test_one_endless_line_is_cut_too() -> None:
    shown = elided("x" * 1_000_000, 1000, None)

    assert len(shown) <= 1000
    assert "bytes, left out here ...]" in shown


def test_terminal_sequences_and_overrides_do_not_come_through() -> None:
    assert elided("\x1b[31mred\x1b[0m \u202eabc\x07", 1000, None) == "red abc"


def test_bytes_that_are_no_text_are_described_or_replaced() -> None:
    assert text_of(b"caf\xe9") == "caf\ufffd"
    assert text_of(b"\x7fELF\0\0").startswith("(binary content, 6 bytes, sha256:")


def test_the_whole_is_kept_under_a_name_that_follows_from_it(tmp_path: Path) -> None:
    one, two = Outputs(tmp_path / "one"), Outputs(tmp_path / "two")
    text = numbered(5000) + "\x1b[2J"

    shown = one.bounded(text, 800)

    assert shown == two.bounded(text, 800)
    assert str(tmp_path) not in shown
    [kept] = (tmp_path / "one").iterdir()
    assert f"@output/{kept.name}" in shown
    assert kept.read_text() == numbered(5000)


def test_a_short_answer_is_not_kept(tmp_path: Path) -> None:
    assert Outputs(tmp_path / "kept").bounded("short") == "short"
    assert not (tmp_path / "kept").exists()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    parts=st.lists(st.text(max_size=30), max_size=30),
    times=st.integers(min_value=1, max_value=60),
    limit=st.integers(min_value=400, max_value=3000),
)
def test_whatever_the_text_the_result_is_bounded_and_clean(
    parts: list[str], times: int, limit: int
) -> None:
    text = "\n".join(parts) * times

    shown = elided(text, limit, WHOLE)

    assert len(shown) <= limit
    assert clean_text(shown) == shown
    if len(clean_text(text)) <= limit:
        assert shown == clean_text(text)
