"""Reach what modules hold: those that are loaded, and those that will be.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import sys
from typing import Any, Callable, Dict, NamedTuple

OURS = ("_pytest", "pytest", "regreen_", "_regreen", "time_machine", "_time_machine")
"""Modules that keep what they have: they run and measure the tests, or need the real thing."""

SYSTEM = ("posix", "nt")
"""The import system lists folders through these."""


class Calls(NamedTuple):
    """What to do around one import."""

    before: Callable[[], None]
    after: Callable[[Any], None]


class Watch:
    """A finder that finds nothing new: it only hangs our call behind the module's own loader."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self.waiting: Dict[str, Calls] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec the other finders give, with a loader that calls back."""
        if name not in self.waiting:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = Loader(spec.loader, self.waiting.pop(name))
                return spec
        return None


class Loader:
    """The module's own loader, and our calls around it."""

    def __init__(self, loader: Any, calls: Calls) -> None:
        """Keep both."""
        self.loader, self.calls = loader, calls

    def create_module(self, spec: Any) -> Any:
        """Do as the loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Load, put the loader back where people look for it, and call."""
        self.calls.before()
        self.loader.exec_module(module)
        module.__spec__.loader = module.__loader__ = self.loader
        self.calls.after(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


WATCH = Watch()


def nothing() -> None:
    """Do nothing."""


def when_imported(
    name: str, after: Callable[[Any], None], before: Callable[[], None] = nothing
) -> None:
    """Call with the module: now when it is there, else right after its import.

    `before` is called only when the module is still to be imported, right before its code runs.
    """
    module = sys.modules.get(name)
    if module is not None:
        after(module)
        return
    if WATCH not in sys.meta_path:
        sys.meta_path.insert(0, WATCH)
    WATCH.waiting[name] = Calls(before, after)


def exchange(by_id: Dict[int, Any]) -> None:
    """Replace objects wherever a module holds them under a global name; `by_id`: id -> new."""
    for module_name, module in list(sys.modules.items()):
        names = getattr(module, "__dict__", None)
        if module_name in SYSTEM or module_name.startswith(OURS) or type(names) is not dict:
            continue
        for name, value in list(names.items()):
            if id(value) in by_id:
                names[name] = by_id[id(value)]
