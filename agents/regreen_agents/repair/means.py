"""What repairs besides recipes, and what a person can supply where nothing does."""

from regreen_agents.domain.findings import Cause

SEARCH = "search"
"""Recipe name of the search-based repair."""
BY_HAND = "none"
"""Recipe name of what only a person can do."""

NEEDS = {
    Cause.MISSING_RESOURCE: "Supply what is missing (a file: add it, or create it in a fixture)",
    Cause.MISSING_DEPENDENCY: "Install what is missing into the target's environment (for a "
    "fixture, the plugin that provides it)",
    Cause.ENVIRONMENT_VARIABLE: "Unset the variable where the suite is started, or make the test "
    "or the code independent of it",
    Cause.MISSING_STATE_SETTER: "A fixture that sets up before the test what only other tests set "
    "up today",
    Cause.GLOBAL_STATE: "A fixture that undoes what the polluters do; no recipe can write it here",
    Cause.CODE_BUG: "Look at the failure's innermost line; no one-token edit repairs it",
    Cause.BARE_COMMAND: "Install the command, or put it on PATH",
    Cause.TIME_LIMIT: "Decide whether the limit or the test is wrong (test_timeout_seconds)",
    Cause.CRASH: "Look at the evidence's log: the process ended without a Python traceback",
    Cause.UNEXPLAINED: "Look at the evidence, or run a model engine on this cluster",
}
