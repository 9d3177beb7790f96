"""Text of unknown origin, made safe to print and to place in a document."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from regreen_prompts import clean_text, code_span, fence, one_line, prose

MARKDOWN = MarkdownIt("commonmark").enable("table")
HOSTILE = st.text(alphabet=st.sampled_from("ab `|\\*_[]<>~&#!-\n\r\t\x1b\x9b\x07]m0;\u202e"))


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("a\x00b\x07c\x7fd\x85e", "abcde"),
        ("user\u202etxt.exe\u2066", "usertxt.exe"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tand\nline stay", "tab\tand\nline stay"),
        ("half \ud800 of a pair", "half \ufffd of a pair"),
        ("naïve Zoë 漢字 🙂", "naïve Zoë 漢字 🙂"),
    ],
)
def test_what_could_mislead_a_reader_is_taken_out(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_an_unfinished_sequence_hides_nothing_of_the_text_after_it() -> None:
    assert "the assertion failed" in clean_text("\x1b]0;the assertion failed")


@settings(max_examples=60)
@given(st.text() | HOSTILE)
def test_cleaned_text_has_no_control_character_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", cleaned)
    assert clean_text(cleaned) == cleaned
    cleaned.encode()


def test_one_line_folds_every_kind_of_space() -> None:
    assert one_line("  a\n\n b\t\tc\r\n") == "a b c"


@settings(max_examples=80)
@given(HOSTILE)
@example("```\n# not a heading\n`````\n[not a link](x)")
def test_nothing_in_a_fenced_block_closes_it(text: str) -> None:
    tokens = MARKDOWN.parse(f"before\n\n{fence(text, 'text')}\n\nafter")

    fences = [token for token in tokens if token.type == "fence"]
    assert len(fences) == 1
    assert fences[0].content.rstrip("\n") == clean_text(text).rstrip("\n")
    assert tokens[-2].content == "after"


@settings(max_examples=80)
@given(HOSTILE)
def test_a_code_span_shows_the_text_letter_by_letter(text: str) -> None:
    inline = MARKDOWN.parseInline(f"x {code_span(text)} y")[0].children or []

    shown = clean_text(text).replace("\n", " ").replace("\t", " ")
    if shown:
        assert [token.type for token in inline] == ["text", "code_inline", "text"]
        assert inline[1].content == shown


@settings(max_examples=80)
@given(HOSTILE)
def test_prose_has_no_effect_but_code_spans(text: str) -> None:
    inline = MARKDOWN.parseInline(f"x {prose(text)} y")[0].children or []

    assert {token.type for token in inline} <= {"text", "text_special", "code_inline"}


def test_prose_keeps_the_code_spans_a_writer_meant() -> None:
    assert prose("set `os.environ` in <b>test_a</b>") == "set `os.environ` in \\<b>test_a\\</b>"
