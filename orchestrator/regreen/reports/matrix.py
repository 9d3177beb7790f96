"""The perturbation matrix as a person reads it: lines for a terminal, Markdown for plans."""

from collections.abc import Sequence

from regreen.store.matrix_text import closing, markdown, p_text, rate, reading, sorted_cells
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_prompts import one_line

__all__ = [
    "closing",
    "lines",
    "markdown",
    "p_text",
    "rate",
    "reading",
    "shortened",
    "sorted_cells",
]

WIDTH = 80
MARK = "FLIPS"
FACTOR_WIDTH = 34
RATE_WIDTH = 15
ELLIPSIS = "…"


def lines(matrix: Matrix) -> list[str]:
    """Return the matrix as plain text of at most 80 columns, without colour."""
    told = [line for test, cells in matrix.rows().items() for line in _block(test, cells)]
    return [*told, *(part for text in closing(matrix) for part in _wrapped(one_line(text)))]


def _block(test: NodeId, cells: Sequence[Cell]) -> list[str]:
    ordered = sorted_cells(cells)
    telling = [cell for cell in ordered if cell.changed.runs and (cell.flips or cell.note)]
    steady = [cell for cell in ordered if cell.changed.runs and not cell.flips and not cell.note]
    unmeasured = [str(cell.factor) for cell in ordered if not cell.changed.runs]
    told = [shortened(one_line(test), WIDTH)]
    if telling:
        told.append(_columns("", "factor", "red, changed", "red, control", "p"))
    for cell in telling:
        told += _telling(cell)
    if steady:
        names = ", ".join(str(cell.factor) for cell in steady)
        told += _wrapped(f"no difference seen under {names}", "  ")
    if unmeasured:
        told += _wrapped(f"not measured under {', '.join(unmeasured)}", "  ")
    return [*told, ""]


def _telling(cell: Cell) -> list[str]:
    name = shortened(one_line(str(cell.factor)), FACTOR_WIDTH)
    rates = (rate(cell.changed), rate(cell.control))
    line = _columns(MARK if cell.flips else "", name, *rates, p_text(cell.p_value))
    return [line, *(_wrapped(one_line(cell.note), "        ") if cell.note else ())]


def _columns(mark: str, factor: str, changed: str, control: str, p_value: str) -> str:
    rates = f"{changed:<{RATE_WIDTH}} {control:<{RATE_WIDTH}}"
    return f" {mark:<5} {factor:<{FACTOR_WIDTH}} {rates} {p_value}".rstrip()


def shortened(text: str, width: int) -> str:
    """Return a text of at most so many characters, its middle left out."""
    if len(text) <= width:
        return text
    head = (width - 1) // 3
    return text[:head] + ELLIPSIS + text[-(width - 1 - head) :]


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Break a text into lines between words; a word that is too long is shortened."""
    told, line = [], indent
    for word in text.split():
        fitting = shortened(word, WIDTH - len(indent))
        if line.strip() and len(line) + 1 + len(fitting) > WIDTH:
            told.append(line)
            line = indent
        line = f"{line} {fitting}" if line.strip() else indent + fitting
    return [*told, line]
