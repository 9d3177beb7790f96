"""How often a test failed, with what so many runs can tell about it."""

from regreen_agents.domain.identity import Model


class FlakeRate(Model):
    """Failures over runs, with the Wilson score interval at 95 %."""

    failures: int
    runs: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Failures / runs, in [0, 1]; 0 when nothing ran."""
        return self.failures / self.runs if self.runs else 0.0

    def __str__(self) -> str:
        return f"{self.failures}/{self.runs} ({self.low:.0%}-{self.high:.0%} at 95 %)"
