"""Variables that Python reads once, when it starts: what a test can still undo, and what not."""

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import ABSENT, StateKind

SWITCHES = {
    "PYTHONDONTWRITEBYTECODE": ("dont_write_bytecode", "False"),
    "PYTHONPYCACHEPREFIX": ("pycache_prefix", "None"),
}
"""Variable -> the attribute of `sys` that holds what it said, and its value without it."""

ONLY_AT_START = frozenset(
    {
        "PYTHONCOERCECLOCALE",
        "PYTHONDEVMODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONHOME",
        "PYTHONINTMAXSTRDIGITS",
        "PYTHONIOENCODING",
        "PYTHONLEGACYWINDOWSFSENCODING",
        "PYTHONLEGACYWINDOWSSTDIO",
        "PYTHONMALLOC",
        "PYTHONNODEBUGRANGES",
        "PYTHONNOUSERSITE",
        "PYTHONOPTIMIZE",
        "PYTHONPLATLIBDIR",
        "PYTHONSAFEPATH",
        "PYTHONTRACEMALLOC",
        "PYTHONUNBUFFERED",
        "PYTHONUSERBASE",
        "PYTHONUTF8",
        "PYTHONVERBOSE",
        "PYTHONWARNDEFAULTENCODING",
        "PYTHONWARNINGS",
    }
)
"""Nothing a test does later changes what they did; only a process started anew reads them again."""


def spared(finding: Finding) -> tuple[str, ...]:
    """Return the variables without which the victims pass, each once."""
    found = (c for c in finding.state if c.kind is StateKind.ENVIRONMENT and c.after == ABSENT)
    return tuple(dict.fromkeys(change.target for change in found))


def read_at_start(finding: Finding) -> tuple[str, ...]:
    """Return those of them that take effect before any test runs and cannot be undone."""
    if finding.cause is not Cause.ENVIRONMENT_VARIABLE:
        return ()
    return tuple(name for name in spared(finding) if name in ONLY_AT_START)
