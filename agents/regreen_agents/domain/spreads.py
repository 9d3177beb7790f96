"""How far a compared value scatters from run to run."""

from regreen_agents.domain.identity import Model


class Spread(Model):
    """One value of one assertion over many seeds, and the bound it is held against."""

    path: str
    line: int
    """Of the bound, from 1."""
    column: int
    """Of the bound's first character, in UTF-8 bytes, from 0."""
    value: str
    """Code of the value."""
    bound: float
    """The number written into the test."""
    upper: bool
    """Whether the value has to stay below it."""
    runs: int
    beyond: int
    """Runs in which the value was beyond the bound."""
    mean: float
    deviation: float
    """Standard deviation of a sample."""
    worst: float
    """The largest value of all runs; the smallest where it has to stay above the bound."""
