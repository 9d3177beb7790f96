"""Does a case show as it says? Asked of the sick tests, and again once they are repaired."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from repair_cases.contexts import HOMES, NO_UTF8, ZONES, Context, Suite, is_red
from repair_cases.writing import Case

REPEATS = 30
Way = Callable[["Patient"], bool]


@dataclass(frozen=True)
class Patient:
    """One sick test where it lives."""

    case: Case
    suite: Suite
    test: str

    def is_red(self, context: Context, *before: str) -> bool:
        """Whether it is red in a process of its own, after these tests."""
        return is_red(self.suite.run(context, (*before, self.test)), self.test)

    def repeated(self, times: int, **job: object) -> list[str]:
        """Return how it ends each time, in one process."""
        run = self.suite.run(Context("repeated", {"repeat": times, **job}), (self.test,))
        return list(run.get(self.test, ()))


def shows(case: Case, suite: Suite) -> bool:
    """Whether every sick test of a case is red as documented, and green where it says so."""
    return all(WAYS[case.shows](Patient(case, suite, test)) for test in case.sick)


def _after(sick: Patient) -> bool:
    return not sick.is_red(ALONE) and sick.is_red(Context("after"), *sick.case.others)


def _alone(sick: Patient) -> bool:
    return not sick.is_red(Context("after"), *sick.case.others) and sick.is_red(ALONE)


def _seed(sick: Patient) -> bool:
    return len(set(sick.repeated(REPEATS, seeds=True))) > 1


def _chance(sick: Patient) -> bool:
    return len(set(sick.repeated(REPEATS))) > 1


def _twice(sick: Patient) -> bool:
    return sick.repeated(2) == ["passed", "failed"]


def _differs(*contexts: Context) -> Way:
    """Return the question whether a test ends differently in some of these contexts."""

    def way(sick: Patient) -> bool:
        return len({sick.is_red(one) for one in contexts}) > 1

    return way


def _always(sick: Patient) -> bool:
    return sick.is_red(ALONE) and is_red(sick.suite.run(Context("all")), sick.test)


def _skipped(sick: Patient) -> bool:
    return sick.repeated(1) == ["skipped"]


def _zones() -> Iterator[Context]:
    for zone in ("UTC", *ZONES):
        yield Context("zone", env={"TZ": zone})


ALONE = Context("alone")
WAYS: dict[str, Way] = {
    "after": _after,
    "alone": _alone,
    "seed": _seed,
    "chance": _chance,
    "hash": _differs(*(Context("hash", env={"PYTHONHASHSEED": str(n)}) for n in range(8))),
    "twice": _twice,
    "zone": _differs(*_zones()),
    "encoding": _differs(ALONE, Context("no UTF-8", env=NO_UTF8)),
    "listing": _differs(*(Context("listing", {"listing": how}) for how in ("sorted", "reversed"))),
    "home": _differs(ALONE, *HOMES),
    "tmpdir": _differs(ALONE, Context("other tmp", env={"TMPDIR": "<folder>/tmp"})),
    "always": _always,
    "skipped": _skipped,
}
"""How it shows -> a question that is answered yes as long as it does."""
