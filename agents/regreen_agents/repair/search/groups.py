"""Put edits together that behave alike, and find the input that tells two behaviours apart."""

from collections.abc import Sequence

from regreen_agents.domain.identity import Model
from regreen_agents.repair.search.fuzz import Behaviours


class Group(Model):
    """Edits that could not be told apart."""

    members: tuple[int, ...]
    """Numbers of the edits, in the order given; the first stands for all."""
    observed: bool
    """Whether any of its behaviour is known."""


class Telling(Model):
    """An input on which behaviours differ."""

    call: str
    """``f(3, [])``."""
    today: str
    """What the code as it is does."""
    answers: tuple[str, ...]
    """What each group's first edit does, in the order of the groups."""


def grouped(edits: Sequence[int], seen: Behaviours) -> tuple[Group, ...]:
    """Return groups in the order of their first edits.

    Two edits are alike when they agree on every usual input on which both are known. One that
    could not be observed at all is alike to none.
    """
    groups: list[list[int]] = []
    for edit in edits:
        home = next((g for g in groups if _alike(g[0], edit, seen)), None)
        if home is None:
            groups.append([edit])
        else:
            home.append(edit)
    return tuple(Group(members=tuple(g), observed=seen.known(g[0]) > 0) for g in groups)


def apart_elsewhere(group: Group, seen: Behaviours) -> int | None:
    """Return an input unlike those of the tests on which edits of one group differ, if any."""
    first, others = group.members[0], group.members[1:]
    found = [c for c, one in enumerate(seen.inputs) if one.strange]
    differing = [c for c in found if any(seen.differ(first, other, c) for other in others)]
    return min(differing, key=lambda c: (len(seen.inputs[c].shown), c), default=None)


def _alike(one: int, other: int, seen: Behaviours) -> bool:
    if not seen.known(one) or not seen.known(other):
        return False
    return tell_apart(one, other, seen) is None


def tell_apart(one: int, other: int, seen: Behaviours) -> int | None:
    """Return the shortest usual input on which two edits differ: recorded ones first, if any."""
    found = [c for c in seen.usual if seen.differ(one, other, c)]
    inputs = seen.inputs
    return min(found, key=lambda c: (len(inputs[c].shown), inputs[c].varied, c), default=None)


def telling(groups: Sequence[Group], seen: Behaviours) -> tuple[Telling, ...]:
    """Return for each pair of neighbouring groups an input that tells them apart, none twice."""
    first = [group.members[0] for group in groups]
    calls: dict[int, None] = {}
    for number, one in enumerate(first):
        for other in first[number + 1 :]:
            if any(seen.differ(one, other, call) for call in calls):
                continue
            call = tell_apart(one, other, seen)
            if call is not None:
                calls[call] = None
    return tuple(
        Telling(
            call=seen.inputs[call].shown,
            today=seen.told(-1, call),
            answers=tuple(seen.told(edit, call) for edit in first),
        )
        for call in calls
    )
