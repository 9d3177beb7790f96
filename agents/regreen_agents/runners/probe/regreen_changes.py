"""Put the differences between two photographs of the process into words.

Runs in the target's interpreter: Python 3.8+, no dependency. Works on marks (`regreen_state_marks`)
and never on the values themselves, so no ``repr`` of the project runs.
"""

import ast
import sys
from typing import Any, Callable, Dict, Iterator, List, Tuple

REPR_LIMIT = 200
SHORT = 100
"""Texts that are no literals are shown whole up to here, else the parts that differ."""
ABSENT = "<absent>"
ANOTHER = " (another object)"
REST = "..."
CONTAINERS = {"list": "list", "dict": "dict", "set": "set", "cache": "cache"}
OWNED = ("module-global", "class-attribute", "cache", "patch")
BRACKETS = {"tuple": "()", "set": "{}"}
DIGITS_LIMIT = 10**200


def told(differences: List[Any]) -> List[Dict[str, Any]]:
    """Return differences of `regreen_state` as the fields of ``state`` events."""
    return list(without_aliases([change_of(one) for one in differences]))


def change_of(difference: Any) -> Dict[str, Any]:
    """Return one difference as plain fields."""
    entry, old, new = difference
    if old is None and new is None:
        return reload_of(entry.target)
    container = ""
    if old is not None and new is not None and old.value is new.value and entry.kind in OWNED:
        container = container_of(new.mark)
    before, after = texts_of(old, new)
    return {
        "kind": entry.kind,
        "target": entry.target,
        "module": entry.module,
        "attribute": entry.attribute,
        "before": before,
        "after": after,
        "container": container,
        "literal_after": new is not None and is_literal(new.mark) and after == text_of(new.mark),
        "alias": id(new.value) if container else 0,
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


def container_of(mark: Any) -> str:
    """Name how a value changed in place can be put back."""
    if mark[0] == "#":
        return "cache"
    if mark[0] in ("[", "[=", "{", "{=") and mark[1] in CONTAINERS:
        return CONTAINERS[mark[1]]
    return "function" if mark[0] == "." and mark[1] == "function" else "object"


def texts_of(old: Any, new: Any) -> Tuple[str, str]:
    """Return before and after: whole when short and plain, else the parts that differ."""
    if old is None or new is None:
        return (
            ABSENT if old is None else shorten(text_of(old.mark)),
            ABSENT if new is None else shorten(text_of(new.mark)),
        )
    before, after = text_of(old.mark), text_of(new.mark)
    limit = REPR_LIMIT if is_literal(old.mark) and is_literal(new.mark) else SHORT
    if len(before) >= limit or len(after) >= limit:
        before, after = excerpts(old.mark, new.mark)
    before, after = shorten(before), shorten(after)
    if before == after:  # the same in words: other objects, or more than can be shown
        after = after[: REPR_LIMIT - len(ANOTHER)] + ANOTHER
    return before, after


def is_literal(mark: Any) -> bool:
    """Whether the text of a mark is a complete Python literal that may be written into source."""
    tag = mark[0] if mark else ""
    if tag == "=":
        return mark[2] not in ("nan", "inf", "-inf") or mark[1] != "float"
    if tag in ("[=", "{="):
        return mark[1] in ("list", "tuple", "set", "dict") and "nan" not in repr(mark[3])
    if tag == "[":
        return mark[1] in ("list", "tuple", "set") and all(map(is_literal, mark[3]))
    if tag == "{" and mark[1] == "dict":
        return all(is_literal(key) and is_literal(value) for key, value in mark[3])
    return False


def text_of(mark: Any) -> str:
    """Return a mark as a person would write the value."""
    return WRITERS[mark[0]](mark)


def scalar_text(mark: Any) -> str:
    """Return a builtin scalar's repr; a float's mark is its repr."""
    value = mark[2]
    if mark[1] == "float":
        return str(value)
    if mark[1] == "int" and not -DIGITS_LIMIT < value < DIGITS_LIMIT:
        return "<int of %d bits>" % value.bit_length()
    if mark[1] in ("str", "bytes") and len(value) > 2 * REPR_LIMIT:
        return repr(value[:REPR_LIMIT])
    return repr(value)


def opaque_text(kind: str, label: str) -> str:
    """Return what stands for an object that is not looked into."""
    if kind == "builtin_function_or_method":
        return "<built-in function %s>" % label
    if kind == "type":
        return "<class %s>" % label
    return "<%s %s>" % (kind, label) if label else "<%s>" % kind


WRITERS: Dict[str, Callable[[Any], str]] = {
    "=": scalar_text,
    "~": lambda mark: str(mark[2]),
    "#": lambda mark: "<cache of %d results>" % mark[3][0],
    "*": lambda mark: "<%s of %d>" % (mark[1], mark[3]),
    "@": lambda mark: opaque_text(mark[1], mark[3]),
    ".": lambda mark: instance_text(mark, [(k, text_of(v)) for k, v in mark[3]], False),
    "{": lambda mark: mapped(mark, [(k, text_of(v)) for k, v in pairs_of(mark)], False),
    "[": lambda mark: sequence_text(mark, list(map(text_of, parts_of(mark))), False),
}
WRITERS["{="], WRITERS["[="] = WRITERS["{"], WRITERS["["]
"""By the tag of a mark."""


def scalar(value: Any) -> Any:
    """Return the mark of one scalar inside a container of scalars."""
    return ("=", type(value).__name__, repr(value) if type(value) is float else value)


def pairs_of(mark: Any) -> List[Tuple[str, Any]]:
    """Return text of the key and mark of the value of a mapping."""
    if mark[0] == "{=":
        return [(text_of(scalar(key)), scalar(value)) for key, value in mark[3]]
    return [(text_of(key), value) for key, value in mark[3]]


def parts_of(mark: Any) -> List[Any]:
    """Return the marks of a sequence's or set's elements."""
    if mark[0] != "[=":
        return list(mark[3])
    parts = [scalar(value) for value in list(mark[3])]
    return sorted(parts, key=repr) if isinstance(mark[3], frozenset) else parts


def sequence_text(mark: Any, parts: List[str], cut: bool) -> str:
    """Write a sequence or set; `cut` says that parts are left out."""
    name = mark[1]
    shown = ", ".join(parts + [REST] * cut)
    if name == "set":
        return "{%s}" % shown if shown else "set()"
    if name == "tuple":
        return "(%s,)" % shown if len(parts) == 1 and not cut else "(%s)" % shown
    return "[%s]" % shown if name == "list" else "%s([%s])" % (name, shown)


def mapping_text(mark: Any, parts: List[str], cut: bool) -> str:
    """Write a mapping; `cut` says that parts are left out."""
    shown = "{%s}" % ", ".join(parts + [REST] * cut)
    return shown if mark[1] == "dict" else "%s(%s)" % (mark[1], shown)


def instance_text(mark: Any, parts: List[Tuple[str, str]], cut: bool) -> str:
    """Write an instance like a call: its container content first, then its attributes."""
    written = [name + "=" + text if name else text for name, text in parts]
    return "%s(%s)" % (mark[1], ", ".join(written + [REST] * cut))


def excerpts(old: Any, new: Any) -> Tuple[str, str]:
    """Return two marks as texts that show only where they differ, as deep as needed."""
    if old[:2] != new[:2] or old[0] not in ("{", "{=", "[", "[=", "."):
        if old[0] + new[0] in ("{{=", "{={") and old[1] == new[1]:
            return keyed_excerpts(old, new, pairs_of(old), pairs_of(new), mapped)
        return text_of(old), text_of(new)
    if old[0] in ("{", "{="):
        return keyed_excerpts(old, new, pairs_of(old), pairs_of(new), mapped)
    if old[0] == ".":
        return keyed_excerpts(old, new, list(old[3]), list(new[3]), instance_text)
    return sequence_excerpts(old, new)


def mapped(mark: Any, parts: List[Tuple[str, str]], cut: bool) -> str:
    """Write a mapping of which key and value are texts."""
    return mapping_text(mark, [key + ": " + value for key, value in parts], cut)


def keyed_excerpts(old: Any, new: Any, was: Any, now: Any, write: Any) -> Tuple[str, str]:
    """Return the pairs that differ, of mappings or instances."""
    was, now = dict(was), dict(now)
    before: List[Tuple[str, str]] = []
    after: List[Tuple[str, str]] = []
    for key in dict.fromkeys((*was, *now)):
        if was.get(key) == now.get(key):
            continue
        if key in was and key in now:
            texts = excerpts(was[key], now[key])
            before.append((key, texts[0]))
            after.append((key, texts[1]))
        elif key in was:
            before.append((key, text_of(was[key])))
        else:
            after.append((key, text_of(now[key])))
    return (
        write(old, before, len(before) < len(was)),
        write(new, after, len(after) < len(now)),
    )


def sequence_excerpts(old: Any, new: Any) -> Tuple[str, str]:
    """Return the part between the equal beginning and the equal end."""
    was, now = parts_of(old), parts_of(new)
    if old[1] in ("set", "frozenset"):
        gone = [part for part in was if part not in now]
        come = [part for part in now if part not in was]
        return (
            sequence_text(old, list(map(text_of, gone)), len(gone) < len(was)),
            sequence_text(new, list(map(text_of, come)), len(come) < len(now)),
        )
    start = 0
    while start < min(len(was), len(now)) and was[start] == now[start]:
        start += 1
    end = 0
    while end < min(len(was), len(now)) - start and was[-1 - end] == now[-1 - end]:
        end += 1
    before, after = was[start : len(was) - end], now[start : len(now) - end]
    if len(before) == len(after) == 1:
        texts = excerpts(before[0], after[0])
        return middle(old, [texts[0]], start, end), middle(new, [texts[1]], start, end)
    return (
        middle(old, list(map(text_of, before)), start, end),
        middle(new, list(map(text_of, after)), start, end),
    )


def middle(mark: Any, parts: List[str], start: int, end: int) -> str:
    """Write a sequence of which the beginning and the end are left out."""
    return sequence_text(mark, [REST] * bool(start) + parts + [REST] * bool(end), False)


def shorten(text: str) -> str:
    """Cut a text to the limit."""
    return text if len(text) <= REPR_LIMIT else text[: REPR_LIMIT - 3] + REST


def without_aliases(changes: List[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
    """Report an object changed in place once, under the module that defines the name."""
    groups: Dict[Any, List[Dict[str, Any]]] = {}
    for number, change in enumerate(changes):
        groups.setdefault(change.pop("alias") or ("one", number), []).append(change)
    for group in groups.values():
        if len(group) == 1:
            yield group[0]
        else:
            yield min(group, key=lambda c: (imports_name(c["module"], c["attribute"]), c["target"]))


def imports_name(module: str, attribute: str) -> bool:
    """Whether a module only imports the name instead of defining it."""
    path = getattr(sys.modules.get(module), "__file__", None)
    try:
        with open(path or "", "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError, TypeError):
        return False
    for node in body:
        if isinstance(node, (ast.ImportFrom, ast.Import)):
            names = [alias.asname or alias.name for alias in node.names]
            if attribute in names or "*" in names:
                return True
    return False
