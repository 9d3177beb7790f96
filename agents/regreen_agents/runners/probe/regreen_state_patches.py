"""Tell what a mock patch that was started and not stopped has changed from other changes.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import importlib
import sys
import types
from typing import Any, Iterator, List, Tuple

PACKAGE = __name__.rpartition(".")[0]
values: Any = importlib.import_module(PACKAGE + ".regreen_state_values")
marks: Any = importlib.import_module(PACKAGE + ".regreen_state_marks")


def active() -> List[Any]:
    """Return the patchers that are started, of `unittest.mock` and its backport."""
    found: List[Any] = []
    for name in ("unittest.mock", "mock.mock"):
        patch = values.namespace_of(sys.modules.get(name)).get("_patch")
        found.extend(getattr(patch, "_active_patches", ()))
    return found


def attributed(changes: List[Any], old: List[Any], new: List[Any]) -> Iterator[Any]:
    """Yield the changes, those made by a patcher left started as of kind ``patch``.

    A patcher whose owner is neither a module nor a class (an instance, a dict) has no change of
    that name: it is a difference of its own.
    """
    known = set(map(id, old))
    left = {owner_of(patcher): patcher for patcher in new if id(patcher) not in known}
    for change in changes:
        key = (change.entry.module, change.entry.attribute)
        if key in left:
            del left[key]
            yield type(change)(*(one and one._replace(kind="patch") for one in change))
        else:
            yield change
    for (module, attribute), patcher in left.items():
        target = module + "." + attribute if module else attribute
        entry = marks.Entry("patch", target, "", "", ("~", "patch", "<patched>"), patcher)
        yield marks.Difference(entry, None, entry)


def owner_of(patcher: Any) -> Tuple[str, str]:
    """Return module and attribute path of what a patcher replaces; no module: cannot be named."""
    held = values.namespace_of(patcher)
    attribute, target = str(held.get("attribute", "")), held.get("target")
    if issubclass(type(target), types.ModuleType):
        return str(values.namespace_of(target).get("__name__", "")), attribute
    if issubclass(type(target), type):
        path = type.__dict__["__qualname__"].__get__(target)
        return values.home_of_class(target), path + "." + attribute
    if "in_dict" in held:
        name = held["in_dict"]
        return "", "patch.dict(%s)" % (name if type(name) is str else values.safe_name(type(name)))
    return "", "patch.object(<%s>, %r)" % (values.safe_name(type(target)), attribute)
