"""Parts that pages of the laboratory share; prints nothing."""

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regreen.cli.terminal import Screen, table_width
from regreen.laboratory.views import Reproduction, Setting, Signature
from regreen_agents.domain.findings import FlakeRate

Parts = Iterator[RenderableType]
"""What a page is made of; a bare string is a command, which is never wrapped."""
ROWS_SHOWN = 40
"""More are counted; --json has all."""


def interval(rate: FlakeRate) -> str:
    """Return the rate's interval in per cent."""
    return f"{rate.low:.0%}-{rate.high:.0%}".replace("%-", "-")


def signature_words(signatures: Sequence[Signature]) -> str:
    """Return signatures as ``passed 0 0 x2, failed 1 0 x1``."""
    return ", ".join(f"{s.status.value} {s.errors} {s.warnings} x{s.runs}" for s in signatures)


def reproductions(
    shown: Sequence[tuple[Reproduction, str]], setting: Setting, screen: Screen
) -> Parts:
    """Draw commands, each below what it shows; never wrapped, as a person copies them."""
    if not shown:
        return
    yield Text()
    place = f"{setting.repository}/{setting.project}".rstrip("/")
    yield Text(f"To see it again without regreen, in {screen.one_line(place)}:", style="bold")
    for reproduction, kind in shown:
        sure = "" if reproduction.is_sure else ", perhaps only after several tries"
        end = f"{reproduction.expected}{sure}"
        name = screen.one_line(reproduction.test)
        # Each line is a comment of its own: pasted into a shell, none is run.
        for line in textwrap.wrap(f"{kind}: {name} is {end}", table_width(screen) - 2):
            yield Text(f"# {line}", style="dim")
        yield reproduction.command


def notes(setting: Setting, screen: Screen) -> Parts:
    """Draw what went differently."""
    for note in setting.notes:
        yield prose(f"note: {note}", screen)


def counted(number: int, noun: str) -> str:
    """Return ``1 run`` or ``3 runs``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def prose(text: str, screen: Screen, *, indent: int = 0, style: str = "") -> Text | Padding:
    """Return a foreign text as one paragraph, wrapped where the screen ends."""
    told = Text(screen.one_line(text), overflow="fold", style=style)
    return Padding(told, (0, 0, 0, indent), expand=False) if indent else told


def more(rows: int) -> Parts:
    """Say how many rows are left out."""
    if rows > ROWS_SHOWN:
        yield Text(f"and {rows - ROWS_SHOWN} more: see --json", style="dim")


def table(screen: Screen, headings: Sequence[str]) -> Table:
    """Return an empty table; ``>`` aligns a column right, the last one takes what is left."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    drawn.width = table_width(screen)
    for heading in headings[:-1]:
        right = heading.startswith(">")
        name = heading.removeprefix(">")
        drawn.add_column(name, justify="right" if right else "left", no_wrap=True)
    drawn.add_column(headings[-1], overflow="fold", ratio=1)
    return drawn
