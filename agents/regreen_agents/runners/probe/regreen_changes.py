"""Put the differences between two photographs of the process into words.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import ast
import re
import sys
from typing import Any, Dict, Iterator, List, Tuple

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|(?<=name=)\d+(?= mode=)|(?<=/tmp)[a-z0-9_]{8}\b")
"""What differs in a repr from process to process."""
REPR_LIMIT = 200
ABSENT = "<absent>"
SCALAR_NAMES = ("int", "float", "complex", "str", "bytes", "bool", "NoneType")


def told(differences: List[Any]) -> List[Dict[str, Any]]:
    """Return differences of `regreen_state` as the fields of ``state`` events."""
    return list(without_aliases([change_of(one) for one in differences]))


def change_of(difference: Any) -> Dict[str, Any]:
    """Return one difference as plain fields."""
    entry, old, new = difference
    if old is None and new is None:
        return reload_of(entry.target)
    after, literal = ABSENT, False
    if new is not None:
        after, literal = described(new.value)
    container = ""
    if old is not None and new is not None and old.value is new.value:
        container = container_of(new.value)
    before = ABSENT if old is None else described_mark(old, container)
    return {
        "kind": entry.kind,
        "target": entry.target,
        "module": entry.module,
        "attribute": entry.attribute,
        "before": before,
        "after": after,
        "container": container,
        "literal_after": literal,
        "alias": id(new.value) if container and new is not None else 0,
    }


def reload_of(name: str) -> Dict[str, Any]:
    """Return the change of a reloaded module, as fields of a ``state`` event."""
    return {
        "kind": "sys.modules",
        "target": name,
        "module": name,
        "attribute": "",
        "before": "<the module as imported>",
        "after": "<reloaded: every function and class is a new object>",
        "container": "module",
        "literal_after": False,
        "alias": 0,
    }


def described_mark(entry: Any, container: str) -> str:
    """Describe the old value; one changed in place is only known by its mark."""
    if not container:
        return described(entry.value)[0]
    return shorten(repr(plain(entry.mark)))


def plain(mark: Any) -> Any:
    """Turn a mark back into something readable."""
    if not isinstance(mark, tuple) or not mark:
        return mark
    if len(mark) == 2:
        return mark[1] if mark[0] in SCALAR_NAMES else "<" + mark[0] + ">"
    parts = [plain(part) for part in mark[2]] if isinstance(mark[2], tuple) else [mark[2]]
    if mark[0] == "dict":
        return dict(zip(map(str, parts[::2]), parts[1::2]))
    return parts


def container_of(value: Any) -> str:
    """Name how a value changed in place can be put back."""
    for kind, name in ((list, "list"), (dict, "dict"), (set, "set")):
        if isinstance(value, kind):
            return name
    return "cache" if hasattr(value, "cache_clear") else "object"


def described(value: Any) -> Tuple[str, bool]:
    """Return a short repr, and whether it is a whole literal."""
    try:
        text = repr(value)
    except Exception as error:
        return "<repr raised " + type(error).__name__ + ">", False
    text = ADDRESS.sub("", text)
    if len(text) > REPR_LIMIT:
        return shorten(text), False
    try:
        return text, bool(ast.literal_eval(text) == value)
    except Exception:
        return text, False


def shorten(text: str) -> str:
    """Cut a text to the limit."""
    return text if len(text) <= REPR_LIMIT else text[: REPR_LIMIT - 3] + "..."


def without_aliases(changes: List[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
    """Report an object changed in place once, under the module that defines the name."""
    groups: Dict[Any, List[Dict[str, Any]]] = {}
    for number, change in enumerate(changes):
        groups.setdefault(change.pop("alias") or ("one", number), []).append(change)
    for group in groups.values():
        yield min(group, key=lambda c: (imports_name(c["module"], c["attribute"]), c["target"]))


def imports_name(module: str, attribute: str) -> bool:
    """Whether a module only imports the name instead of defining it."""
    path = getattr(sys.modules.get(module), "__file__", None)
    try:
        with open(path or "", "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError):
        return False
    for node in body:
        if isinstance(node, (ast.ImportFrom, ast.Import)):
            names = [alias.asname or alias.name for alias in node.names]
            if attribute in names or "*" in names:
                return True
    return False
