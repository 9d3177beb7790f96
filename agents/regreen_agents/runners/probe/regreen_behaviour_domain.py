"""Which varied arguments are unlike all that the tests use: there a function need not be right.

Runs in the target's interpreter: Python 3.8+, no dependency. What a function may be given is not
written anywhere; its tests show a part. Where they only ever pass sorted lists, or no negative
number, an answer for others says little about which of two repairs is meant.
"""

from typing import Any, Dict, List, Set, Tuple

MAX_DEPTH = 4
MAX_ITEMS = 200
ENOUGH_CALLS = 3
"""Fewer recorded calls show no habit."""
COLLECTIONS = (list, tuple)
SHOWN, SEVERAL = "shown", "several"
OF_SEVERAL = frozenset({"unsorted", "repeated", "ragged"})
"""Traits that only collections of several items can have."""
Places = Dict[Any, Set[str]]


def mark_strange(inputs: List[Any]) -> None:
    """Mark the varied inputs with a trait that no recorded input of the same function has."""
    shown: Dict[int, Places] = {}
    counts: Dict[int, int] = {}
    for one in inputs:
        if not one.varied:
            counts[one.function] = counts.get(one.function, 0) + 1
            places = shown.setdefault(one.function, {})
            for place, value in arguments_of(one):
                places.setdefault(place, {SHOWN}).update(traits(value))
    for one in inputs:
        if one.varied:
            known = shown.get(one.function, {})
            found = [(traits(value), known.get(place)) for place, value in arguments_of(one)]
            enough = counts.get(one.function, 0) >= ENOUGH_CALLS
            one.strange = enough and any(unlike(has, seen) for has, seen in found if seen)


def unlike(has: Set[str], seen: Set[str]) -> bool:
    """Whether a value has a trait that those shown have not, where they could have had it."""
    for trait in has - seen - {SEVERAL, "inner " + SEVERAL}:
        level, _, name = trait.rpartition(" ")
        if name not in OF_SEVERAL or (level + " " + SEVERAL).strip() in seen:
            return True
    return False


def arguments_of(one: Any) -> List[Tuple[Any, Any]]:
    """Return an input's arguments with their positions or names."""
    return [*enumerate(one.args), *one.kwargs.items()]


def traits(value: Any, depth: int = 0) -> Set[str]:
    """Return what may be a precondition: negative, zero, empty, unsorted, repeated, ragged."""
    level = "inner " if depth else ""
    if type(value) in (int, float):
        return {level + "negative"} if value < 0 else set() if value else {level + "zero"}
    if type(value) in (str, bytes, dict, set, frozenset, *COLLECTIONS) and not value:
        return {level + "empty"}
    if type(value) is dict and depth < MAX_DEPTH:
        return inner(list(value.values()), depth)
    if type(value) in COLLECTIONS and depth < MAX_DEPTH:
        found = inner(list(value), depth)
        return found | {level + trait for trait in traits_of_items(list(value[:MAX_ITEMS]))}
    return set()


def inner(items: List[Any], depth: int) -> Set[str]:
    """Return the traits of all items."""
    found: Set[str] = set()
    for item in items[:MAX_ITEMS]:
        found |= traits(item, depth + 1)
    return found


def traits_of_items(items: List[Any]) -> Set[str]:
    """Return the traits of a collection beside those of its items."""
    found = {SEVERAL} if len(items) > 1 else set()
    try:
        if any(items[n + 1] < items[n] for n in range(len(items) - 1)):
            found.add("unsorted")
    except Exception:  # anybody's objects
        pass
    try:
        if len(set(items)) < len(items):
            found.add("repeated")
    except Exception:  # unhashable, or anybody's objects
        pass
    sizes = {len(item) for item in items if type(item) in COLLECTIONS}
    if len(sizes) > 1:
        found.add("ragged")
    return found
