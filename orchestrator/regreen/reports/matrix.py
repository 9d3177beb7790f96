"""The perturbation matrix as a person reads it: lines for a terminal, Markdown for plans."""

from collections.abc import Iterable, Sequence

from regreen.reports.markdown import counted, paragraphs, table
from regreen_agents.domain.findings import FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor
from regreen_prompts import code_span, fence, one_line, prose

WIDTH = 80
MARK = "FLIPS"
FACTOR_WIDTH = 34
RATE_WIDTH = 15
ELLIPSIS = "…"
TELLING_P = 0.0005
"""p values below are told as "less than"."""


def lines(matrix: Matrix) -> list[str]:
    """Return the matrix as plain text of at most 80 columns, without colour."""
    told = [line for test, cells in matrix.rows().items() for line in _block(test, cells)]
    return [*told, *(part for text in closing(matrix) for part in _wrapped(one_line(text)))]


def markdown(matrix: Matrix) -> str:
    """Return the matrix as Markdown: one table per test, then what holds for all."""
    parts: list[str] = []
    for test, cells in matrix.rows().items():
        rows = [_markdown_row(cell) for cell in sorted_cells(cells) if cell.changed.runs]
        header = ("Factor", "Changed", "Control", "p", "Reading")
        commands = [cell.command for cell in cells if cell.flips and cell.command]
        parts += [code_span(test), table(header, rows)]
        parts += ["Repeat it:", fence("\n".join(commands), "sh")] if commands else []
    return paragraphs((*parts, "\n".join(f"- {prose(text)}" for text in closing(matrix))))


def sorted_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Put flips first, then doubtful cells, then the others, each as tried."""
    return sorted(cells, key=lambda cell: (not cell.flips, not cell.note))


def reading(cell: Cell) -> str:
    """Return in words what a cell says."""
    if cell.flips:
        return "flips it, confirmed alone" if cell.confirmed_cold else "flips it"
    if not cell.changed.runs:
        return "not measured"
    return cell.note or "no difference seen"


def closing(matrix: Matrix) -> list[str]:
    """Return the sentences that hold for the matrix as a whole."""
    shown = len(matrix.rows())
    told = [
        f"{counted(matrix.tests, 'test')} under {counted(len(matrix.tried), 'factor')}, one at a "
        f"time next to {counted(matrix.control_runs, 'control run')}; "
        f"{counted(matrix.runs, 'run')} in all."
    ]
    if matrix.cells and shown < matrix.tests - len(matrix.unmeasured):
        left = matrix.tests - shown - len(matrix.unmeasured)
        told.append(f"No factor was seen to make a difference to {counted(left, 'other test')}.")
    elif not matrix.cells and matrix.tried:
        told.append("No factor was seen to make a difference to any test.")
    if matrix.varying:
        told.append(f"Varies with nothing changed: {_names(matrix.varying)}.")
    if matrix.unmeasured:
        told.append(f"Not judged (skipped, or not reached): {_names(matrix.unmeasured)}.")
    return [*told, *matrix.notes, *_left_out(matrix)]


def _left_out(matrix: Matrix) -> list[str]:
    by_reason: dict[str, list[Factor]] = {}
    for cell in matrix.untried:
        by_reason.setdefault(cell.reason, []).append(cell.factor)
    return [
        f"Not tried, because {reason}: {', '.join(map(str, factors))}."
        for reason, factors in by_reason.items()
    ]


def _names(tests: Sequence[NodeId], limit: int = 5) -> str:
    more = f" and {len(tests) - limit} more" if len(tests) > limit else ""
    return ", ".join(tests[:limit]) + more


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


def rate(value: FlakeRate) -> str:
    """Return ``3/4 30-95 %``: red of all runs, and the interval at 95 %."""
    return f"{value.failures}/{value.runs} {100 * value.low:.0f}-{100 * value.high:.0f} %"


def p_text(value: float) -> str:
    """Return a p value with three digits."""
    return "<0.001" if value < TELLING_P else f"{value:.3f}"


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


def _markdown_row(cell: Cell) -> tuple[str, ...]:
    words = reading(cell)
    return (
        code_span(str(cell.factor)),
        rate(cell.changed),
        rate(cell.control),
        p_text(cell.p_value),
        f"**{words}**" if cell.flips else prose(words),
    )
