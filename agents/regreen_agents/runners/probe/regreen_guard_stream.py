"""pytest plugin: the guards inside a run of regreen, told through its stream.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency. Each finding is an event
``guard`` with ``id`` (a node id, a file, or ``session``), ``kind`` and ``what``.
"""

from typing import Any, Callable, Dict

MOST = 200
"""Findings told; a suite whose every test leaves something makes no more of them."""


class Streamed:
    """The guards inside a run of regreen: each finding is one event of its stream."""

    def __init__(self, asked: Dict[str, Any], guard: Any) -> None:
        """Keep the tree and the assets that were asked for."""
        self.asked = asked
        self.guard = guard
        self.told = 0

    def pytest_configure(self, config: Any) -> None:
        """Start the guards."""
        probe = next(
            plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, "stream")
        )

        def tell(finding: Any) -> None:
            self.told += 1
            if self.told <= MOST:
                probe.stream.emit("guard", id=finding.where, kind=finding.kind, what=finding.what)

        guards = self.guard.Guards(self.asked["tree"], tell)
        for asset in self.guard.missing_assets(guards.root, self.asked.get("assets", [])):
            guards.find("session", "asset", "the file %r is missing" % asset)
        self.guards = guards
        config.pluginmanager.register(guards, "regreen-guards-told")

    def pytest_collection_finish(self, session: Any) -> None:
        """Check what needs one look."""
        self.guards.check_start(session.items, [self.asked.get("checkout", "")])

    def pytest_sessionfinish(self) -> None:
        """Look at the folders a last time."""
        self.guards.end_modules()


def make_plugin(config: Dict[str, Any], load: Callable[[str], Any]) -> Streamed:
    """Return the plugin for one run of regreen."""
    return Streamed(config, load("regreen_guard_watch"))
