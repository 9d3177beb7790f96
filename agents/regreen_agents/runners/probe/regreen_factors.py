"""Change the surroundings of this process on purpose: one factor of an experiment each.

Runs in the target's interpreter, before pytest is imported: Python 3.8+, no dependency.
"""

from typing import Callable, Dict

APPLY: Dict[str, Callable[[str], None]] = {}


def apply(factors: Dict[str, str]) -> None:
    """Apply factor -> value in order."""
    for name, value in factors.items():
        APPLY[name](value)
