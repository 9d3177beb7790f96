"""Photograph process-wide state before and after a test, and name what differs.

Runs in the target's interpreter: Python 3.8+, no dependency. The parts are the other files called
``regreen_state_*``. What is seen: environment, folder, import path, modules, globals and class
attributes of the project, functions and classes patched in libraries, logging, warnings, random
generators, locale, signals, threads, child processes, open files, files of the tree, mock patches,
caches, and settings of the interpreter, numpy and torch.

Not seen: state of a project module that is first imported *during* the test (it has no "before"),
what C code keeps to itself, and files outside the tree.
"""

import importlib
import os
from typing import Any, Dict, Iterator, List, Tuple

__path__ = [os.path.dirname(os.path.abspath(__file__))]  # so that the parts can be imported
marks: Any = importlib.import_module(__name__ + ".regreen_state_marks")
process: Any = importlib.import_module(__name__ + ".regreen_state_process")
modules: Any = importlib.import_module(__name__ + ".regreen_state_modules")
compare: Any = importlib.import_module(__name__ + ".regreen_state_compare")
patches: Any = importlib.import_module(__name__ + ".regreen_state_patches")
files: Any = importlib.import_module(__name__ + ".regreen_state_files")
Difference, Entry = marks.Difference, marks.Entry

ONLY_ADDED = ("thread", "open-file")
"""Kinds of which the end of one is nobody's pollution."""
TREES: Dict[str, Any] = {}
"""One watcher per tree: its list of folders makes the next look cheap."""

LATEST: Dict[str, "Snapshot"] = {}
"""The photograph after the last test is the one before the next: nothing runs in between."""


def prepare(tree: str) -> None:
    """Photograph the process before it forks: its children need not do it again."""
    LATEST.clear()
    LATEST[tree] = Snapshot(tree)


def forget() -> None:
    """Look anew before the next test: something was put back behind our back."""
    LATEST.clear()


class Snapshot:
    """All watched state at one moment."""

    entries: Dict[Tuple[str, str], Any]
    patches: List[Any]
    modules: Any
    files: Dict[str, Any]

    def __init__(self, tree: str, seeded: bool = False) -> None:
        """Photograph the process.

        Args:
            tree: Tells the project's modules and files from others.
            seeded: The runner itself seeds the generators: no test is accused of it.
        """
        self.tree, self.seeded = tree, seeded
        self.drawn: List[str] = []  # filled by `differences`: generators that were drawn from
        latest = LATEST.pop(tree, None)
        if latest is not None:
            self.entries, self.patches = latest.entries, latest.patches
            self.modules = latest.modules
        else:
            self.entries = {(entry.kind, entry.target): entry for entry in process.entries()}
            self.patches = patches.active()
            self.modules = modules.Photograph(tree)
        if tree not in TREES:
            TREES[tree] = files.Tree(tree)
        self.files = TREES[tree].look()  # never the latest: files outlive the forks between tests

    def differences(self, after: "Snapshot") -> List[Any]:
        """Return what `after` shows differently: a list of `Difference`."""
        LATEST[after.tree] = after
        found = list(self._changed(after))
        named = list(compare.differences(self.modules, after.modules))
        found.extend(patches.attributed(named, self.patches, after.patches))
        found.extend(compare.changed_modules(self.modules, after.modules))
        found.extend(self._files(after))
        return sorted(found, key=lambda one: (one.entry.kind, one.entry.target))

    def _changed(self, after: "Snapshot") -> Iterator[Any]:
        for key in dict.fromkeys((*self.entries, *after.entries)):
            old, new = self.entries.get(key), after.entries.get(key)
            if old is not None and new is not None and old.mark == new.mark:
                continue
            if new is None and key[0] in ONLY_ADDED:
                continue
            if old is None and new is not None and is_setting(new):
                continue  # a setting of a library that was first imported during the test
            if key[0] == "random":
                yield from self._seeded(old, new)
            else:
                yield Difference(old if new is None else new, old, new)

    def _seeded(self, old: Any, new: Any) -> Iterator[Any]:
        """Yield a generator that was given a seed; drawing from it is what it is for."""
        if self.seeded or old is None or new is None:
            return
        try:
            if process.was_drawn(new.target, old.value, new.value):
                self.drawn.append(new.target)
                return
            if new.target != "torch":
                new = new._replace(mark=process.seed_mark(new.target, new.value))
                old = old._replace(mark=("~", "state", "<the state before>"))
        except Exception:  # the generator was replaced: told as what it is, a change
            pass
        yield Difference(new, old, new)

    def _files(self, after: "Snapshot") -> Iterator[Any]:
        if self.files == after.files:
            return
        for path in set(self.files) | set(after.files):
            old, new = self.files.get(path), after.files.get(path)
            if old != new:
                yield Difference(
                    file_entry(path, new or old),
                    old and file_entry(path, old),
                    new and file_entry(path, new),
                )


def is_setting(entry: Any) -> bool:
    """Whether an entry is what only a function tells: it has no module and no attribute."""
    return not entry.module and entry.kind not in ONLY_ADDED


def file_entry(path: str, mark: Any) -> Any:
    """Return one file as an entry."""
    return Entry("file", path, "", "", ("=", "str", "%d bytes" % mark[1]), None)
