"""Collect once, then do one job of the repair search after the other in forked children.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. The name of a file comes in
a line on the pipe ``jobs``; the file holds ``{plugin's key: what is asked}`` as JSON. The child
does it as that plugin would in a process of its own, and tells its answers where it is asked to.
When it has gone, the line is written back to the pipe ``ends``.
"""

import json
import os
import random
import sys
import traceback
from typing import Any, Callable, Dict

import pytest

PLUGINS = {"search": "regreen_search", "behaviour": "regreen_behaviour"}
PARTS = (
    "regreen_search_children", "regreen_search_pool", "regreen_search_mutants",
    "regreen_search_lean", "regreen_search_judging", "regreen_search_measure",
    "regreen_search_fuel", "regreen_search_zygote", "regreen_search_trace",
    "regreen_search_state", "regreen_behaviour_arguments", "regreen_behaviour_calls",
    "regreen_behaviour_vary", "regreen_behaviour_domain",
)  # fmt: skip
"""Loaded here, for all children."""


class SessionPlugin:
    """Replaces pytest's run loop by the jobs that come."""

    def __init__(self, config: Dict[str, Any], load: Callable[[str], Any]) -> None:
        """Load what the jobs need, before any code of the target."""
        self._asked = config["search"]
        self._tree = config["tree"]
        self._parts = {name: load(name) for name in (*PLUGINS.values(), *PARTS)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Serve until the other end closes its pipe."""
        if not hasattr(os, "fork"):
            return True
        fork, leave = self._parts["regreen_search_children"].fork, os._exit
        ends = os.open(self._asked["ends"], os.O_WRONLY)
        with open(self._asked["jobs"], "rb") as jobs:
            for line in jobs:
                sys.stdout.flush()
                sys.stderr.flush()
                state = random.getstate()
                pid = fork()
                if pid == 0:
                    random.setstate(state)  # a forked child of CPython is reseeded
                    try:
                        self._do(session, line.decode().rstrip("\n"))
                    except BaseException:
                        traceback.print_exc()  # into the session's log
                    finally:
                        sys.stderr.flush()
                        leave(0)
                os.waitpid(pid, 0)
                os.write(ends, line)
        return True

    def _do(self, session: Any, path: str) -> None:
        """Do one job, in a child."""
        with open(path, encoding="utf-8") as file:
            asked = json.load(file)
        key = next(iter(asked))
        config = {key: asked[key], "tree": self._tree}
        plugin = self._parts[PLUGINS[key]].make_plugin(config, self._parts.__getitem__)
        session.config.pluginmanager.register(plugin)
        plugin.pytest_runtestloop(session)
