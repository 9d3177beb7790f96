"""The perturbation matrix as a picture: an SVG that needs no font, script or style sheet.

It brings its own light panel, so that it reads alike on light and dark pages. The colours run from
pale blue to dark orange, which people who see red and green alike can tell apart, and no cell
speaks by colour alone: each has its counts, and a flip has a frame and a mark.
"""

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from regreen.reports.markdown import counted
from regreen.reports.matrix import p_text, rate, reading, shortened
from regreen_agents.domain.identity import NodeId, digest_of
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor
from regreen_prompts import one_line

ROW_LIMIT = 40
NAME_LIMIT = 56
FACTOR_LIMIT = 42
CELL_WIDTH, CELL_HEIGHT = 46, 26
LETTER = 6.7
"""Width of a letter of 11 px monospace."""
MARGIN = 16
LEGEND_HEIGHT = 62
INK, FAINT, PANEL, LINE = "#1b1f24", "#57606a", "#ffffff", "#d0d7de"
SHADES = ("#e3edf7", "#f7e3c0", "#f2b866", "#dd7a1e", "#a8430a")
"""Of 0 %, up to 25, 50 and 99 %, and 100 % red runs."""
STEPS = (0.0, 0.25, 0.5, 0.999)
UNMEASURED = "?"
LIGHT_TEXT_FROM = 4
"""From this shade on, white letters have the better contrast."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(matrix: Matrix) -> str:
    """Return the picture as the text of an SVG file."""
    rows = matrix.rows()
    tests, factors = list(rows)[:ROW_LIMIT], _by_name(matrix.tried)
    cells = {(c.node_id, c.factor): c for test in tests for c in rows[test]}
    left = MARGIN + max([len("control"), *(len(_name(test)) for test in tests)]) * LETTER + 10
    top = MARGIN + 24 + max([4, *(len(_factor(factor)) for factor in factors)]) * LETTER * 0.72
    parts = [_column(factor, left + CELL_WIDTH * i, top) for i, factor in enumerate(factors, 1)]
    parts.append(_column(None, left, top))
    for number, test in enumerate(tests):
        y = top + number * CELL_HEIGHT
        parts += _row(test, [cells.get((test, factor)) for factor in factors], left, y)
    bottom = top + len(tests) * CELL_HEIGHT
    width = max(left + CELL_WIDTH * (len(factors) + 1) + top * 0.8, 620.0)
    parts.append(_legend(bottom + 14, matrix, len(rows) - len(tests)))
    return _frame(matrix, parts, width, bottom + LEGEND_HEIGHT + MARGIN)


def _by_name(factors: Sequence[Factor]) -> list[Factor]:
    """Put values of one factor side by side, factors in the order of their first value."""
    names = [factor.name for factor in factors]
    return sorted(factors, key=lambda factor: names.index(factor.name))


def _frame(matrix: Matrix, parts: Sequence[str], width: float, height: float) -> str:
    # Several pictures may stand in one page: what they refer to needs names of its own.
    name = "m" + digest_of(repr(matrix))[-12:]
    flips = sum(cell.flips for cell in matrix.cells)
    title = f"Perturbation matrix: {counted(matrix.tests, 'test')}, {counted(flips, 'flip')}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'aria-labelledby="{name}-title {name}-desc" '
            'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">',
            f'<title id="{name}-title">{_text(title)}</title>',
            f'<desc id="{name}-desc">{_text(_described(matrix))}</desc>',
            f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="6" '
            f'fill="{PANEL}" stroke="{LINE}"/>',
            f'<text x="{MARGIN}" y="{MARGIN + 10}" font-size="13" font-weight="bold" '
            f'fill="{INK}">{_text(title)}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _described(matrix: Matrix) -> str:
    flips = [cell for cell in matrix.cells if cell.flips]
    if not flips:
        return "No factor flips any test."
    told = [
        f"{c.factor} flips {c.node_id}: {rate(c.changed)} red, {rate(c.control)}" for c in flips
    ]
    return ". ".join(told[:ROW_LIMIT]) + "."


def _column(factor: Factor | None, x: float, top: float) -> str:
    label = "control" if factor is None else _factor(factor)
    full = "nothing changed" if factor is None else str(factor)
    middle = x + CELL_WIDTH / 2
    return (
        f'<text x="{middle:.1f}" y="{top - 6:.1f}" fill="{INK}" '
        f'transform="rotate(-45 {middle:.1f} {top - 6:.1f})">'
        f"<title>{_text(full)}</title>{_text(label)}</text>"
    )


def _row(test: NodeId, cells: Sequence[Cell | None], left: float, y: float) -> list[str]:
    first = next((cell for cell in cells if cell is not None), None)
    parts = [
        f'<text x="{left - 8:.1f}" y="{y + 17:.1f}" text-anchor="end" fill="{INK}">'
        f"<title>{_text(test)}</title>{_text(_name(test))}</text>"
    ]
    if first is not None:
        control = (first.control.failures, first.control.runs)
        told = f"{test}, nothing changed: {rate(first.control)} red"
        parts.append(_box(left, y, control, told))
    for number, cell in enumerate(cells, 1):
        if cell is not None:
            told = (
                f"{test}, {cell.factor}: {rate(cell.changed)} red, control {rate(cell.control)}, "
                f"p {p_text(cell.p_value)}; {reading(cell)}"
            )
            counts = (cell.changed.failures, cell.changed.runs)
            parts.append(_box(left + number * CELL_WIDTH, y, counts, told, flips=cell.flips))
    return parts


def _box(x: float, y: float, counts: tuple[int, int], told: str, *, flips: bool = False) -> str:
    red, runs = counts
    shade = sum(red / runs > step for step in STEPS) if runs else 0
    fill = SHADES[shade] if runs else PANEL
    ink = PANEL if runs and shade >= LIGHT_TEXT_FROM else INK
    label = f"{red}/{runs}" if runs else UNMEASURED
    border = f'stroke="{INK}" stroke-width="2.5"' if flips else f'stroke="{LINE}"'
    mark = "▲" if flips else ""
    weight = ' font-weight="bold"' if flips else ""
    return (
        f"<g><title>{_text(told)}</title>"
        f'<rect x="{x + 2:.1f}" y="{y + 2:.1f}" width="{CELL_WIDTH - 4}" '
        f'height="{CELL_HEIGHT - 4}" rx="3" fill="{fill}" {border}/>'
        f'<text x="{x + CELL_WIDTH / 2:.1f}" y="{y + 17:.1f}" text-anchor="middle" '
        f'fill="{ink}"{weight}>{mark}{label}</text></g>'
    )


def _legend(y: float, matrix: Matrix, hidden: int) -> str:
    words = ("0 %", "to 25 %", "to 50 %", "above", "100 %")
    parts = [f'<text x="{MARGIN}" y="{y + 12:.1f}" fill="{FAINT}">red runs:</text>']
    for number, (shade, word) in enumerate(zip(SHADES, words, strict=True)):
        x = MARGIN + 74 + number * 66
        parts.append(
            f'<rect x="{x}" y="{y + 1:.1f}" width="14" height="14" rx="2" fill="{shade}" '
            f'stroke="{LINE}"/><text x="{x + 19}" y="{y + 12:.1f}" fill="{FAINT}">{word}</text>'
        )
    parts.append(
        f'<text x="{MARGIN + 74 + 5 * 66}" y="{y + 12:.1f}" fill="{FAINT}">'
        f"▲ flips it, {UNMEASURED} not measured</text>"
    )
    more = f"; {counted(hidden, 'more row')} not drawn" if hidden else ""
    told = (
        f"each cell: red runs / runs; {counted(matrix.runs, 'run')} in all, "
        f"{counted(len(matrix.untried), 'factor')} not tried{more}"
    )
    parts.append(f'<text x="{MARGIN}" y="{y + 34:.1f}" fill="{FAINT}">{_text(told)}</text>')
    return "".join(parts)


def _name(test: NodeId) -> str:
    return shortened(one_line(test), NAME_LIMIT)


def _factor(factor: Factor) -> str:
    return shortened(one_line(str(factor)), FACTOR_LIMIT)


def _text(text: str) -> str:
    """Return a text as the content of an element: nothing in it can be mark-up."""
    return escape(_NOT_XML.sub("\ufffd", one_line(text)))
