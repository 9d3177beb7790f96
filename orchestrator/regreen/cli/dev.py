"""``regreen dev``: for people who work on regreen, its prompts or its scenarios."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regreen_agents.llm.fake import FakeServer

app = typer.Typer(
    help="Tools for work on regreen itself.", rich_markup_mode=None, no_args_is_help=True
)

ScenarioOption = Annotated[
    Path | None, typer.Option("--scenario", metavar="FILE", help="What it says, as YAML.")
]
PortOption = Annotated[
    int, typer.Option("--port", metavar="N", help="On loopback; 0 takes a free one.")
]
LogOption = Annotated[
    Path | None,
    typer.Option("--log", metavar="FILE", help="Append each request as a JSON line."),
]


@app.callback()
def dev() -> None:
    """Tools for work on regreen itself."""


@app.command("fake-model")
def fake_model(
    *, scenario: ScenarioOption = None, port: PortOption = 0, log: LogOption = None
) -> None:
    """Serve a fake model until Ctrl-C: no key, no cost."""
    from regreen.cli import render
    from regreen_agents.llm.fake import SILENT_SCENARIO, FakeServer, read_scenario

    played = read_scenario(scenario) if scenario else SILENT_SCENARIO
    with FakeServer(played, port=port, log=log) as server:
        render.line(f"The fake model answers at {server.url} until Ctrl-C. In another shell:")
        render.line(f"  ANTHROPIC_BASE_URL={server.url} ANTHROPIC_API_KEY=fake regreen sprint")
        try:
            server.join()
        except KeyboardInterrupt:
            _say_what_happened(server)


def _say_what_happened(server: "FakeServer") -> None:
    from regreen.cli import render

    told = server.accounting()
    render.line(f"{told.requests} requests, {told.totals.usage.total} tokens.")
    for text in told.unmatched:
        render.note(text)
    if told.unplayed:
        render.note(f"Not asked for: {', '.join(told.unplayed)}.")
