"""Choose and order what pytest has collected.

Runs in the target's interpreter: Python 3.8+, pytest 7+, no dependency.
"""

from typing import Any, Dict, List


def forbid_retries(session: Any) -> None:
    """Take back what pytest-rerunfailures' marker asks for, which beats ``--reruns=0``."""
    if session.config.pluginmanager.hasplugin("rerunfailures"):
        for item in session.items:
            for mark in item.iter_markers("flaky"):
                mark.kwargs["reruns"] = 0


def by_id(items: List[Any]) -> Dict[str, List[Any]]:
    """Return node id, as it is asked for, -> its items; some suites collect one twice."""
    found: Dict[str, List[Any]] = {}
    for item in items:
        found.setdefault(told(item.nodeid), []).append(item)
    return found


def told(nodeid: str) -> str:
    """Return a node id as the host knows it: lone surrogates spelled out."""
    return nodeid.encode("utf-8", "backslashreplace").decode("utf-8")


def arranged(known: Dict[str, List[Any]], order: List[str]) -> List[Any]:
    """Return the items named, in that order; the n-th mention of an id means its n-th item."""
    mentions: Dict[str, int] = {}
    chosen: List[Any] = []
    for name in order:
        number = mentions.get(name, 0)
        mentions[name] = number + 1
        chosen += known.get(name, ())[number : number + 1]
    return chosen
