"""Who works on what right now, as events tell it; knows nothing of terminals."""

from dataclasses import dataclass, field

from regreen_agents.domain.progress import ProgressEvent, Stage


@dataclass
class Agent:
    """One running agent.

    Args:
        name: As in its events.
        text: What it does.
        began: On the board's clock, in seconds.
    """

    name: str
    text: str
    began: float


@dataclass
class Board:
    """The running agents, in the order they started, and the sprint's stage."""

    stage: Stage | None = None
    agents: dict[str, Agent] = field(default_factory=dict)

    def take(self, event: ProgressEvent, *, now: float) -> None:
        """Bring the board up to date.

        Args:
            event: What happened.
            now: The clock's reading in seconds, by which elapsed times are shown later.
        """
        if event.stage in set(Stage):
            self.stage = Stage(event.stage)
        if event.state in {"done", "failed"}:
            self.agents.pop(event.agent, None)
            return
        began = now - max(event.elapsed_seconds, 0.0)
        known = self.agents.get(event.agent)
        if known is None or event.state == "start":
            self.agents[event.agent] = Agent(event.agent, event.text, began)
        else:
            known.text = event.text or known.text

    def running(self) -> tuple[Agent, ...]:
        """Return the running agents, the longest running first."""
        return tuple(sorted(self.agents.values(), key=lambda agent: agent.began))


def clock(seconds: float) -> str:
    """Return a duration in at most 7 characters: ``3.2s``, ``2m 05s``, ``1h 04m``."""
    minute, hour = 60, 3600
    if round(seconds, 1) < minute:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < hour:
        return f"{whole // minute}m {whole % minute:02d}s"
    return f"{whole // hour}h {whole % hour // minute:02d}m"
