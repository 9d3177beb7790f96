"""The matrix is readable in a terminal, in a plan and as a picture, whatever tests are called."""

import xml.etree.ElementTree as ET

import pytest

from planted_factors import factor_of
from regreen.reports.matrix import WIDTH, lines, markdown, p_text, shortened
from regreen.reports.matrix_picture import INK, LIGHT_TEXT_FROM, PANEL, ROW_LIMIT, SHADES, svg
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix, Untried
from regreen_agents.lab.statistics import wilson

NAME = "{http://www.w3.org/2000/svg}"
DATE, ZONE, UMASK = (factor_of(t) for t in ("date=+40d", "time-zone=Asia/Kolkata", "umask=077"))
HOSTILE = NodeId("t.py::test_[</text><script>alert(1)</script> & | `x` \x1b[31m\ud800\x07\n# h]")


def cell(test: NodeId, factor=DATE, red: int = 0, runs: int = 1, **more: object) -> Cell:  # type: ignore[no-untyped-def]
    fields: dict[str, object] = {
        "node_id": test,
        "factor": factor,
        "control": wilson(0, 6),
        "changed": wilson(red, runs),
        "flips": False,
        "p_value": 1.0,
        **more,
    }
    return Cell.model_validate(fields)


def matrix(*cells: Cell, **more: object) -> Matrix:
    tried = tuple(dict.fromkeys(c.factor for c in cells))
    fields: dict[str, object] = {
        "tests": len({c.node_id for c in cells}),
        "cells": cells,
        "tried": tried,
        "control_runs": 3,
        "runs": 12,
        **more,
    }
    return Matrix.model_validate(fields)


TEST = NodeId("tests/test_shop.py::test_offer")
OFFER = matrix(
    cell(TEST, UMASK),
    cell(
        TEST, DATE, 4, 4, flips=True, p_value=0.0048, confirmed_cold=True,
        command="env TZ=UTC python -m pytest 'tests/test_shop.py::test_offer'",
    ),
    cell(TEST, ZONE, 2, 3, p_value=0.083, note="it differs with a clock 90 s ahead too"),
    cell(TEST, factor_of("network=off"), 0, 0),
    untried=(Untried(factor=factor_of("workers=2"), reason="pytest-xdist is not installed"),),
)  # fmt: skip


def test_a_row_names_what_flips_first_and_keeps_doubts_and_gaps() -> None:
    told = lines(OFFER)

    assert told == [
        "tests/test_shop.py::test_offer",
        "       factor                             red, changed    red, control    p",
        " FLIPS date=+40d                          4/4 51-100 %    0/6 0-39 %      0.005",
        "       time-zone=Asia/Kolkata             2/3 21-94 %     0/6 0-39 %      0.083",
        "        it differs with a clock 90 s ahead too",
        "  no difference seen under umask=077",
        "  not measured under network=off",
        "",
        "1 test under 4 factors, one at a time next to 3 control runs; 12 runs in all.",
        "Not tried, because pytest-xdist is not installed: workers=2.",
    ]


def test_plans_show_the_same_and_the_command_that_repeats_it() -> None:
    told = markdown(OFFER)

    assert (
        "| `date=+40d` | 4/4 51-100 % | 0/6 0-39 % | 0.005 | **flips it, confirmed alone** |"
        in (told.splitlines())
    )
    assert "| `time-zone=Asia/Kolkata` | 2/3 21-94 % | 0/6 0-39 % | 0.083 | it differs" in told
    assert "```sh\nenv TZ=UTC python -m pytest 'tests/test_shop.py::test_offer'\n```" in told
    assert "network=off" not in told.split("Repeat it")[0]


def test_a_quiet_matrix_says_so_and_names_what_varies() -> None:
    quiet = matrix(tests=40, tried=(DATE,), varying=(TEST,), unmeasured=(NodeId("t.py::test_b"),))

    told = "\n".join(lines(quiet))

    assert "No factor was seen to make a difference to any test." in told
    assert f"Varies with nothing changed: {TEST}." in told
    assert "t.py::test_b" in told


def test_no_line_is_wider_than_a_terminal_nor_leaves_it() -> None:
    long = NodeId("tests/" + "deep/" * 40 + "test_x.py::test_" + "y" * 300)
    factors = [factor_of(f"cwd={'folder/' * 30}{number}") for number in range(5)]
    wide = matrix(*(cell(t, f, 1, note="w" * 200) for t in (long, HOSTILE) for f in factors))

    told = lines(wide)

    assert max(map(len, told)) <= WIDTH
    assert not any(ord(letter) < 32 for line in told for letter in line)


def test_the_picture_is_well_formed_and_nothing_in_it_acts() -> None:
    root = ET.fromstring(svg(matrix(cell(HOSTILE, DATE, 3, 4, flips=True, p_value=0.01))))

    assert {element.tag.removeprefix(NAME) for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "text", "g",
    }  # fmt: skip
    assert not any(
        name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib
    )
    assert "alert(1)" in "".join(root.itertext())


def test_the_picture_tells_a_screen_reader_what_flips_what() -> None:
    root = ET.fromstring(svg(OFFER))

    assert root.get("role") == "img"
    labels = (root.get("aria-labelledby") or "").split()
    assert labels == [e.get("id") for e in root if e.tag in (NAME + "title", NAME + "desc")]
    assert f"date=+40d flips {TEST}" in (root.findtext(NAME + "desc") or "")
    texts = ["".join(e.itertext()) for e in root.iter(NAME + "text")]
    assert "▲4/4" in texts
    assert "?" in texts


def test_two_pictures_in_one_page_do_not_share_names() -> None:
    first, second = (ET.fromstring(svg(m)).get("aria-labelledby") for m in (OFFER, matrix()))

    assert first != second


def test_a_picture_stops_at_its_last_row_and_says_so() -> None:
    tests = [NodeId(f"t.py::test_{number}") for number in range(ROW_LIMIT + 7)]

    drawn = svg(matrix(*(cell(test) for test in tests)))

    assert "7 more rows not drawn" in drawn
    assert f"test_{ROW_LIMIT - 1}<" in drawn
    assert f"test_{ROW_LIMIT}<" not in drawn


@pytest.mark.parametrize("shade", range(len(SHADES)))
def test_letters_stand_out_from_every_shade(shade: int) -> None:
    ink = PANEL if shade >= LIGHT_TEXT_FROM else INK

    assert contrast(ink, SHADES[shade]) >= 4.5


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.1."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_small_numbers_and_long_names_are_shortened_honestly() -> None:
    assert (p_text(0.0001), p_text(0.0049), p_text(1)) == ("<0.001", "0.005", "1.000")
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 10) == "abc…fghijk"
