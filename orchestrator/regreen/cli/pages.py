"""Views of a sprint as lines and tables that fit a terminal; prints nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from regreen.cli.terminal import Screen, table_width
from regreen.views import CommitRow, DoctorLine, PlanRow, SprintStatus
from regreen_agents.domain.progress import Stage

ROWS_IN_STATUS = 10
"""More are counted, so that a status fits 24 lines."""
SHORT_SHA = 10
LABEL_WIDTH = 10

STATE_STYLES = {
    "waiting": "yellow",
    "withdrawn": "yellow",
    "warn": "yellow",
    "approved": "green",
    "implemented": "green",
    "merged": "green",
    "ok": "green",
    "rejected": "red",
    "refused": "magenta",
    "failed": "red",
    "ejected": "red",
    "missing": "red",
}
COUNT_ORDER = ("passed", "failed", "error", "timeout", "crashed", "skipped")
"""Of outcomes in a sentence; others follow by name."""
PLAN_HEADINGS = ("Plan", "State", "Risk", ">Tests", "Option", "Cause and title")
"""``>`` aligns right."""
COMMIT_HEADINGS = ("Plan", "State", "Commit", ">Files", ">+/-", ">Fixed", "Subject")
NARROW_WIDTH = 70
"""Below this a table's last column would have no room left."""
DOOR_TEXTS = {
    "plans": "you, to decide on the plans",
    "commits": "you, to decide on the commits",
}


@dataclass(frozen=True)
class Row:
    """One row of a listing.

    Args:
        cells: Short texts; each stays on one line.
        text: The last column; may take several lines.
    """

    cells: tuple[str, ...]
    text: Text


def counts(outcomes: Mapping[str, int]) -> str:
    """Return ``52 passed, 8 failed``; ``not measured`` when nothing is known."""
    known = [name for name in COUNT_ORDER if outcomes.get(name)]
    others = sorted(name for name in outcomes if name not in COUNT_ORDER and outcomes[name])
    return ", ".join(f"{outcomes[name]} {name}" for name in [*known, *others]) or "not measured"


def stage_line(stage: Stage, screen: Screen, *, waits: bool = False) -> Text:
    """Return all stages on one line, each marked done, current, waiting or still to come.

    Args:
        stage: The current one.
        screen: Decides the signs.
        waits: Whether the current stage waits for a person.
    """
    order = list(Stage)
    line = Text()
    for position, name in enumerate(order[:-1]):
        sign, style = screen.glyphs.later, "dim"
        if position < order.index(stage):
            sign, style = screen.glyphs.done, "green"
        elif name is stage:
            sign, style = (
                (screen.glyphs.waiting, "bold yellow")
                if waits
                else (screen.glyphs.current, "bold cyan")
            )
        line.append(" " if position else "")
        line.append(f"{sign}{name.value}", style=style)
    return line


NEEDS_WORDS = ("failed", "refused", "withdrawn")
"""States of a plan that a status has to explain."""


def status_page(status: SprintStatus, screen: Screen) -> RenderableType:
    """Return where a sprint stands and what it waits for."""
    parts: list[RenderableType] = [
        Text(f"Sprint {screen.safe(status.id)} in {screen.safe(status.repo)}", style="bold"),
        stage_line(status.stage, screen, waits=bool(status.waiting_for)),
        _facts(status, screen),
    ]
    parts.extend(_work(status, screen))
    parts.extend(_wrapped(f"note: {note}", screen) for note in status.notes)
    if status.summary:
        parts.extend([Text(), Text(screen.safe(status.summary).rstrip("\n"))])
    return Group(*parts)


def plan_table(rows: Sequence[PlanRow], screen: Screen, *, brief: bool = False) -> RenderableType:
    """Return the plans, one row each; a remark stands below the title.

    Args:
        rows: The plans.
        screen: Where they go.
        brief: Keep only the remarks of plans that went wrong: ten diagnoses fill no screen.
    """
    if not rows:
        return Text("No plans yet.")
    listed: list[Row] = []
    for row in rows:
        remark = row.note if not brief or row.state in NEEDS_WORDS else ""
        told = [f"{row.cause}: {row.title}" if row.cause else row.title, remark]
        cells = (row.id, row.state, row.risk, str(row.tests), row.option)
        listed.append(Row(cells, _paragraph(told, screen)))
    return _listing(PLAN_HEADINGS, listed, screen)


def commit_table(rows: Sequence[CommitRow], screen: Screen) -> RenderableType:
    """Return the commits, one row each; policy decisions in a diff stand below its subject."""
    if not rows:
        return Text("No commits yet.")
    listed: list[Row] = []
    for row in rows:
        told = [row.subject, *(f"! {flag}" for flag in row.flags)]
        size = f"+{row.added}/-{row.removed}"
        cells = (row.id, row.state, row.commit[:SHORT_SHA], str(row.files), size, str(row.fixed))
        listed.append(Row(cells, _paragraph(told, screen)))
    return _listing(COMMIT_HEADINGS, listed, screen)


def doctor_page(lines: Sequence[DoctorLine], screen: Screen) -> RenderableType:
    """Return what was found, and below each gap what to do about it."""
    listed: list[Row] = []
    for line in lines:
        told = [line.detail, f"fix: {line.fix}" if line.fix and line.state != "ok" else ""]
        listed.append(Row((line.state, line.name), _paragraph(told, screen)))
    return _listing(("State", "What", "Found"), listed, screen)


def diff_text(text: str) -> Text:
    """Return a commit's text with its diff coloured; `text` is already safe."""
    page = Text()
    in_diff = False
    for line in text.splitlines(keepends=True):
        in_diff = in_diff or line.startswith("diff --git ")
        page.append(line, style=_diff_style(line) if in_diff else "")
    return page


def _diff_style(line: str) -> str:
    if line.startswith(("diff --git ", "+++ ", "--- ", "index ")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


def _facts(status: SprintStatus, screen: Screen) -> RenderableType:
    facts = [
        ("Before", counts(status.before)),
        ("After", counts(status.after) if status.after else ""),
        ("Verdict", status.verdict),
        ("Refusals", str(status.refusals) if status.refusals else ""),
        ("Running", "yes, in another regreen process" if status.running else ""),
        ("Waits for", DOOR_TEXTS.get(status.waiting_for, "")),
    ]
    lines = [f"{name:<{LABEL_WIDTH}} {screen.safe(value)}" for name, value in facts if value]
    return Text("\n".join(lines), overflow="fold")


def _work(status: SprintStatus, screen: Screen) -> Iterable[RenderableType]:
    """Yield the table that matters at this stage: the commits once there are some."""
    if status.commits:
        yield Text()
        yield commit_table(status.commits[:ROWS_IN_STATUS], screen)
        yield from _rest(len(status.commits), "regreen commit list")
    elif status.plans:
        yield Text()
        yield plan_table(status.plans[:ROWS_IN_STATUS], screen, brief=True)
        yield from _rest(len(status.plans), "regreen plan list")


def _rest(total: int, command: str) -> Iterable[Text]:
    if total > ROWS_IN_STATUS:
        yield Text(f"and {total - ROWS_IN_STATUS} more: {command}", style="dim")


def _listing(headings: Sequence[str], rows: Sequence[Row], screen: Screen) -> RenderableType:
    """Return rows below headings; on a narrow screen each row's text stands below its cells."""
    if table_width(screen) < NARROW_WIDTH:
        return Group(*(part for row in rows for part in _stacked(row, screen)))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.width = table_width(screen)
    for heading in headings[:-1]:
        right = heading.startswith(">")
        table.add_column(
            heading.removeprefix(">"), justify="right" if right else "left", no_wrap=True
        )
    table.add_column(headings[-1], overflow="fold", ratio=1)
    for row in rows:
        table.add_row(*(_cell(cell, screen) for cell in row.cells), row.text)
    return table


def _stacked(row: Row, screen: Screen) -> Iterable[Text]:
    yield Text(" ", overflow="fold").join(_cell(cell, screen) for cell in row.cells if cell)
    yield row.text


def _cell(text: str, screen: Screen) -> Text:
    return Text(screen.one_line(text), style=STATE_STYLES.get(text, ""))


def _paragraph(texts: Iterable[str], screen: Screen) -> Text:
    """Return the texts one below the other, each on one logical line."""
    lines = (screen.one_line(text) for text in texts)
    return Text("\n".join(line for line in lines if line), overflow="fold")


def _wrapped(text: str, screen: Screen) -> Text:
    return Text(screen.one_line(text), overflow="fold")
