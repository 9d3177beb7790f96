"""What repairs besides recipes, and what a person can supply where nothing does."""

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.start_up import read_at_start

SEARCH = "search"
"""Recipe name of the search-based repair."""
EDITS = "edits"
"""Recipe name of a model's edits that the plan shows line by line: nothing else is applied."""
MODEL = "model"
"""Recipe name of what a model's implement agent carries out, inside the plan's scope."""
COMMAND = "command"
"""Recipe name, with ``:NAME`` behind it, of what a coding agent's command carries out."""
BY_HAND = "none"
"""Recipe name of what only a person can do."""

NEEDS = {
    Cause.MISSING_RESOURCE: "Supply what is missing (a file: add it, or create it in a fixture; "
    "the network: a recorded answer)",
    Cause.MISSING_DEPENDENCY: "Install what is missing into the target's environment (for a "
    "fixture, the plugin that provides it)",
    Cause.ENVIRONMENT_VARIABLE: "Unset the variable where the suite is started, or make the test "
    "or the code independent of it",
    Cause.MISSING_STATE_SETTER: "A fixture that sets up before the test what only other tests set "
    "up today",
    Cause.GLOBAL_STATE: "A fixture that undoes what the polluters do; no recipe can write it here",
    Cause.CODE_BUG: "Look at the failure's innermost line; no small edit repairs it",
    Cause.BARE_COMMAND: "Install the command, or put it on PATH",
    Cause.TIME_LIMIT: "Decide whether the limit or the test is wrong (pytest-timeout's, or "
    "test_timeout_seconds)",
    Cause.CRASH: "Look at the evidence's log: the process ended without a Python traceback",
    Cause.SELF_POLLUTION: "Put back at the end of the test what it changes, or make it anew at its "
    "start",
    Cause.TIME: "Freeze the clock in the test, or pass the time to the code under test",
    Cause.TIME_ZONE: "Set the zone in the test (with `time.tzset()`), or compare aware times",
    Cause.LOCALE: "Name the encoding where the file is opened, or set the locale in the test",
    Cause.LEFT_FILE: "A fixture that makes the file which only other tests make today, or that "
    "removes the one they leave",
    Cause.LISTING_ORDER: "Sort the names that the file system lists before they are used",
    Cause.NETWORK: "A server on loopback, or a recorded answer, instead of the network",
    Cause.CONCURRENCY: "Wait for the condition instead of a time; share nothing between workers",
    Cause.SURROUNDINGS: "Make the test independent of the factor the evidence names, or set it",
    Cause.INTERPRETER: "A version of the project that supports this Python, or an older Python "
    "(`python` in [tool.regreen])",
    Cause.STALE_MARK: "Take the mark off by hand",
    Cause.UPGRADE: "Replace by hand what the upgrade took away, or use the versions before it",
    Cause.UNEXPLAINED: "Look at the evidence, or run a model engine on this cluster",
}


def need_of(finding: Finding, otherwise: str) -> str:
    """Return what a person can supply for one finding, as a sentence without its full stop."""
    if names := ", ".join(read_at_start(finding)):
        return (
            f"Start the suite without {names}: Python reads it before any test runs, so that no "
            "edit of a test helps (but for the processes a test starts)"
        )
    return NEEDS.get(finding.cause, otherwise)
