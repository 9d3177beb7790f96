"""The perturbation matrix in Markdown, as plans, refusals and reports show it; and its words."""

from collections.abc import Iterable, Sequence

from regreen_agents.domain.flake_rates import FlakeRate
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.matrix import Cell, Matrix
from regreen_agents.domain.runs import Factor
from regreen_prompts.text import code_span, fence, prose

TELLING_P = 0.0005
"""p values below are told as "less than"."""


def markdown(matrix: Matrix) -> str:
    """Return the matrix as Markdown: one table per test, then what holds for all."""
    parts: list[str] = []
    for test, cells in matrix.rows().items():
        rows = [_markdown_row(cell) for cell in sorted_cells(cells) if cell.changed.runs]
        header = ("Factor", "Changed", "Control", "p", "Reading")
        commands = [cell.command for cell in cells if cell.flips and cell.command]
        parts += [code_span(test), table(header, rows)]
        parts += ["Repeat it:", fence("\n".join(commands), "sh")] if commands else []
    return "\n\n".join([*parts, "\n".join(f"- {prose(text)}" for text in closing(matrix))])


def sorted_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Put flips first, then doubtful cells, then the others, each as tried."""
    return sorted(cells, key=lambda cell: (not cell.flips, not cell.note))


def reading(cell: Cell) -> str:
    """Return in words what a cell says."""
    if cell.flips:
        told = "flips it, confirmed alone" if cell.confirmed_cold else "flips it"
        return f"{told}; {cell.note}" if cell.note else told
    if not cell.changed.runs:
        return "not measured"
    return cell.note or "no difference seen"


def closing(matrix: Matrix) -> list[str]:
    """Return the sentences that hold for the matrix as a whole."""
    shown = len(matrix.rows())
    told = [
        f"{_counted(matrix.tests, 'test')} under {_counted(len(matrix.tried), 'factor')}, one at a "
        f"time next to {_counted(matrix.control_runs, 'control run')}; "
        f"{_counted(matrix.runs, 'run')} in all."
    ]
    if matrix.cells and shown < matrix.tests - len(matrix.unmeasured):
        left = matrix.tests - shown - len(matrix.unmeasured)
        told.append(f"No factor was seen to make a difference to {_counted(left, 'other test')}.")
    elif not matrix.cells and matrix.tried:
        told.append("No factor was seen to make a difference to any test.")
    if matrix.varying:
        told.append(f"Varies with nothing changed: {_names(matrix.varying)}.")
    if matrix.unmeasured:
        told.append(f"Not judged (skipped, or not reached): {_names(matrix.unmeasured)}.")
    return [*told, *matrix.notes, *_left_out(matrix)]


def rate(value: FlakeRate) -> str:
    """Return ``3/4 30-95 %``: red of all runs, and the interval at 95 %."""
    return f"{value.failures}/{value.runs} {100 * value.low:.0f}-{100 * value.high:.0f} %"


def p_text(value: float) -> str:
    """Return a p value with three digits."""
    return "<0.001" if value < TELLING_P else f"{value:.3f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown of one line already, pipes in them are made harmless."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


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


def _markdown_row(cell: Cell) -> tuple[str, ...]:
    words = reading(cell)
    return (
        code_span(str(cell.factor)),
        rate(cell.changed),
        rate(cell.control),
        p_text(cell.p_value),
        f"**{words}**" if cell.flips else prose(words),
    )
