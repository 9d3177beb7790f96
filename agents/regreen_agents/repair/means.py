"""What repairs besides recipes, and what a person can supply where nothing does."""

from regreen_agents.domain.findings import Cause

SEARCH = "search"
"""Recipe name of the search-based repair."""
BY_HAND = "none"
"""Recipe name of what only a person can do."""

NEEDS = {
    Cause.MISSING_RESOURCE: "Add the missing files to the repository (or create them in a fixture)",
    Cause.MISSING_DEPENDENCY: "Install what is missing into the target's environment (for a "
    "fixture, the pytest plugin that provides it)",
    Cause.ENVIRONMENT_VARIABLE: "Unset the variable where the suite is started, or make the test "
    "independent of it",
    Cause.CODE_BUG: "Look at the failure's innermost line; no one-token edit repairs it",
    Cause.BARE_COMMAND: "Install the command, or put it on PATH",
    Cause.TIME_LIMIT: "Decide whether the limit or the test is wrong (test_timeout_seconds)",
    Cause.CRASH: "Look at the evidence's log: the process ended without a Python traceback",
    Cause.UNEXPLAINED: "Look at the evidence, or run a model engine on this cluster",
}
