"""Factors that must not flip what a factor flips: the control of the experiment itself."""

from regreen_agents.domain.runs import Factor

NEAR_CLOCK = (
    Factor(name="date", value="+90s"),
    "it differs with a clock 90 s ahead too: it compares the clock with file times or child "
    "processes, which the experiment does not move",
)
NEAR_DATE = (
    Factor(name="date", value="+25h"),
    "it differs with a clock 25 h ahead too: it compares the date with file times or child "
    "processes, or today is the only day it passes",
)
NO_SWITCH = (
    Factor(name="dst", value="2028-06-14T12:00@America/New_York"),
    "it differs in that zone and year on a day without a switch too",
)
NEAR = {
    "date": (NEAR_CLOCK, NEAR_DATE),
    "time-of-day": (NEAR_CLOCK,),
    "dst": (NO_SWITCH,),
}


def near_factors(factor: Factor) -> tuple[tuple[Factor, str], ...]:
    """Return what a confirmed flip must not come with, and what it means when it does."""
    return tuple(near for near in NEAR.get(factor.name, ()) if near[0] != factor)
