"""Vary recorded arguments at random, a little at a time, types kept.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import copy
from typing import Any, Dict, List

MAX_DEPTH = 3


def varied(inputs: List[Any], count: int, chance: Any) -> List[Any]:
    """Return up to so many new inputs per function, made of recorded ones."""
    made: List[Any] = []
    for number in sorted({one.function for one in inputs}):
        known = [one for one in inputs if one.function == number]
        seen = {one.shown() for one in known}
        tries = 0
        wanted = len(made) + count
        while len(made) < wanted and tries < count * 4:
            tries += 1
            try:
                new = vary(chance.choice(known), known, chance)
                shown = new.shown()
            except Exception:  # anybody's objects
                continue
            if shown not in seen:
                seen.add(shown)
                made.append(new)
    return made


def vary(one: Any, known: List[Any], chance: Any) -> Any:
    """Return one input with an argument changed, exchanged with another call's, or left out."""
    args, kwargs = one.copied()
    values = list(args)
    places = [("args", n) for n in range(len(values))] + [("kwargs", name) for name in kwargs]
    for _ in range(1 if chance.random() < 0.7 else 2):
        if not places:
            break
        kind, place = chance.choice(places)
        holder: Any = values if kind == "args" else kwargs
        other = chance.choice(known)
        other_holder: Any = other.args if kind == "args" else other.kwargs
        same = place < len(other_holder) if kind == "args" else place in other_holder
        if chance.random() < 0.3 and same and type(other_holder[place]) is type(holder[place]):
            holder[place] = copy.deepcopy(other_holder[place])
        else:
            holder[place] = changed(holder[place], chance, 0)
    new = type(one)(one.function, tuple(values), kwargs)
    new.name, new.test, new.failing, new.varied = one.name, one.test, one.failing, True
    return new


def changed(value: Any, chance: Any, depth: int) -> Any:
    """Return a neighbour of a value of the same type; what is no literal stays."""
    kind = type(value)
    if kind in SIMPLE:
        return SIMPLE[kind](value, chance)
    if depth < MAX_DEPTH and value:
        if kind in (list, tuple):
            return kind(changed_items(list(value), chance, depth))
        if kind is dict:
            return changed_mapping(dict(value), chance, depth)
    if kind in (set, frozenset):
        left = sorted(value, key=repr)
        return kind(left[1:] if chance.random() < 0.5 else left[:-1])
    return value


def changed_number(value: Any, chance: Any) -> Any:
    """Return a number near another, or a special one."""
    if type(value) is bool:
        return not value
    if type(value) is int:
        return chance.choice([value + 1, value - 1, 0, 1, -value, value * 2, chance.randrange(12)])
    return chance.choice([value + 1, value - 0.5, 0.0, -value, value * 2, value / 3])


def changed_bytes(value: bytes, chance: Any) -> bytes:
    """Return bytes a little different."""
    return changed_text(value.decode("latin-1"), chance).encode("latin-1", "replace")


def changed_text(value: str, chance: Any) -> str:
    """Return a text a little different."""
    at = chance.randrange(len(value) + 1)
    letter = chance.choice(value) if value else chance.choice("aB1 _-")
    return str(
        chance.choice(
            [
                value[:at] + value[at + 1 :],
                value[:at] + letter + value[at:],
                value[:at] + chance.choice("aZ0 _-.") + value[at:],
                value.swapcase(),
                value.upper(),
                value[:at],
                value[at:],
                value + value,
                " " + value,
                value + " ",
                "",
            ]
        )
    )


def changed_items(items: List[Any], chance: Any, depth: int) -> List[Any]:
    """Return a list a little different: shorter, longer, turned, or with one item changed."""
    at = chance.randrange(len(items))
    way = chance.randrange(7)
    if way == 0:
        del items[at]
    elif way == 1:
        items.insert(at, copy.deepcopy(items[at]))
    elif way == 2:
        items.reverse()
    elif way == 3:
        del items[at:]
    elif way == 4:
        chance.shuffle(items)
    else:
        items[at] = changed(items[at], chance, depth + 1)
    return items


def changed_mapping(value: Dict[Any, Any], chance: Any, depth: int) -> Dict[Any, Any]:
    """Return a mapping without one key, or with one value changed."""
    key = chance.choice(sorted(value, key=repr))
    if chance.random() < 0.4:
        del value[key]
    else:
        value[key] = changed(value[key], chance, depth + 1)
    return value


SIMPLE = {
    bool: changed_number,
    int: changed_number,
    float: changed_number,
    str: changed_text,
    bytes: changed_bytes,
}
