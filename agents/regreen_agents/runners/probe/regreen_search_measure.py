"""What the tests cost and how they end without a mutant: the ground all verdicts stand on.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

from typing import Any, Callable, Dict, List, Set

PIECE = 50
"""Passing tests measured in one child; fixed, so that the cores change nothing."""
MEASURING_FUEL = 20_000_000
ENDLESS_FUEL = 200_000
"""For a test that was seen never to end: how it ends here is known."""
LEAST_FUEL = 20_000
"""Where tests are seen to burn little; most mutants that never end are found out by it."""
USUAL_FUEL = 100_000
LEAST_FACTOR = 100
"""Of what the hungriest test burns without a mutant, up to `USUAL_FUEL`."""
FUEL_FACTOR = 20
LARGE_FACTOR = 40
STEADY_RUNS = 3
MOST_FUEL = 4_000_000
"""Of what a test that never ends may burn by the example of the others."""


class Measure:
    """Which tests decide, with how much fuel and time, and which of them can run leanly."""

    def __init__(self, job: Any) -> None:
        """Know nothing yet."""
        self.job = job
        self.failing: List[Any] = []
        self.baseline: Dict[str, Any] = {}
        self.seconds: Dict[str, float] = {}
        """Of every test that ended as it should."""
        self.lean: Set[str] = set()
        """Tests that run leanly, again and again, to the same end with the same ticks."""
        self.imports_late = False
        """Whether the tests import modules of the tree that collection did not."""
        self._ticks: Dict[str, int] = {}
        self._places: Dict[str, Any] = {}
        """Of each failing test: what it raised, and where in its file."""

    def take(self, needed: List[str]) -> bool:
        """Run all tests without a mutant; return whether a failing one fails here too.

        A failing test that passes in a child proves nothing about a mutant, and a passing one that
        is not green here cannot show that a mutant breaks it: both are left out, and told.
        """
        job = self.job
        passing, failing = job.chosen(needed), job.chosen(job.asked["failing"])
        pieces = [passing[start : start + PIECE] for start in range(0, len(passing), PIECE)]
        plans = [self._passing(piece) for piece in pieces] + [self._failing(i) for i in failing]
        for _ in job.pool().results(plans):
            pass
        self.failing.sort(key=failing.index)
        left_out = [test for test in needed if test not in self.seconds]
        red = [item.nodeid for item in self.failing]
        steady = [test for test in job.asked["failing"] if test not in red]
        job.tell({"unsteady": left_out, "green": steady})
        if red:
            self.baseline.update(mutant=-1, verdict="red", test=red[0], green=0)
            job.tell({"baseline": self.baseline})
        return bool(red)

    def _passing(self, items: List[Any]) -> Any:
        while items:
            ended, _ = yield self._runs(items)
            green = [one for one in ended if one["outcome"] == "passed"]
            for one in green:
                self.seconds[one["test"]] = one["seconds"]
                self._ticks[one["test"]] = one["ticks"]
            items = items[len(green) + 1 :]  # the one after the green ones was red, or hung

    def _failing(self, item: Any) -> Any:
        is_endless = item.nodeid in self.job.asked.get("endless", ())
        ended, _ = yield self._runs([item], ENDLESS_FUEL if is_endless else MEASURING_FUEL)
        if ended and ended[0]["outcome"] == "passed":
            return
        self.failing.append(item)
        if ended and ended[0]["outcome"] != "fuel":
            self.seconds[item.nodeid] = ended[0]["seconds"]
            self._ticks[item.nodeid] = ended[0]["ticks"]
            self._places[item.nodeid] = place_of(ended[0].get("failure"), ended[0].get("line"))
        if ended and (not self.baseline or item.nodeid == self.job.asked["failing"][0]):
            self.baseline.update({key: ended[0].get(key, "") for key in ("failure", "line")})
            self.baseline["ticks"] = ended[0]["ticks"]

    def _runs(self, items: List[Any], fuel: int = MEASURING_FUEL) -> Callable[[int], Any]:
        def work(tell: Callable[[Dict[str, Any]], None]) -> None:
            self.job.run_until_red(items, tell, lambda _: fuel)

        return self.job.start(work, self.job.asked["test_seconds"])  # type: ignore[no-any-return]

    def is_known(self, test: str) -> bool:
        """Whether a test came to its end without a mutant."""
        return test in self._ticks

    def fuel(self, test: str, factor: int = 1) -> int:
        """Return the ticks a test may burn under a mutant."""
        most = max(self._ticks.values(), default=USUAL_FUEL // LEAST_FACTOR)
        known = self._ticks.get(test)
        if known is None:
            known = min(most if self._ticks else 0, MOST_FUEL // FUEL_FACTOR)
        least = min(max(LEAST_FACTOR * most, LEAST_FUEL), USUAL_FUEL)
        return (least + FUEL_FACTOR * known) * factor

    def limit(self, tests: List[str], factor: int = 1) -> float:
        """Return the seconds of processor time after which a child that tells nothing is killed."""
        slowest = max([self.seconds.get(test, 0.0) for test in tests] + [0.0])
        ticks = max([self.fuel(test, factor) for test in tests] + [0])
        return float(min(1.0 + 6 * slowest + ticks * 2e-6, self.job.asked["test_seconds"]))

    def try_lean(self, covering: List[str]) -> None:
        """Find the tests that can be run in a batch: their lean runs say the same twice over."""
        lean = self.job.lean
        items = [item for item in self.failing if lean.is_plain(item)]
        greens = [item for item in self.job.chosen(covering) if lean.is_plain(item)]
        self.job.pool().only(self._try(items + greens))

    def _try(self, items: List[Any]) -> Any:
        def work(tell: Callable[[Dict[str, Any]], None]) -> None:
            self.job.silence()
            runner, before = self.job.lean.Lean(self.job.tank), self.job.own_modules()
            for item in items:
                steady = self._is_steady(item, runner)
                late = self.job.own_modules() != before
                tell({"test": item.nodeid, "steady": steady, "late": late})

        while items:
            told, _ = yield self.job.start(work, self.job.asked["test_seconds"])
            for one in told:
                if one["steady"]:
                    self.lean.add(one["test"])
                self.imports_late = self.imports_late or one["late"]
            items = items[len(told) + 1 :]

    def _is_steady(self, item: Any, runner: Any) -> bool:
        """Whether a test's lean runs are alike; a first one may also fill caches, and burn more."""
        runs: List[Any] = []
        while len(runs) < 2 or (len(runs) < STEADY_RUNS and not is_alike(*runs[-2:])):
            runs.append(runner.run(item, self.fuel(item.nodeid)))
            self.job.state().restore()
        return is_alike(*runs[-2:]) and self._is_expected(item.nodeid, runs[-1])

    def _is_expected(self, test: str, ran: Any) -> bool:
        """Whether a lean run ended as the whole one did: for the same reason at the same place."""
        if test in {item.nodeid for item in self.failing}:
            known = self._places.get(test)
            if known is None:
                return bool(ran.outcome == "killed")
            return bool(ran.outcome == "failed" and place_of(ran.failure, ran.line) == known)
        return bool(ran.outcome == "passed")


def is_alike(one: Any, other: Any) -> bool:
    """Whether two lean runs ended alike; messages may hold addresses, times and the like."""
    places = [place_of(ran.failure, ran.line) for ran in (one, other)]
    return bool(
        one.outcome == other.outcome and one.ticks == other.ticks and places[0] == places[1]
    )


def place_of(failure: Any, line: Any) -> Any:
    """Return what tells one failure from another: lean ones have shorter messages."""
    return (str(failure or "").partition(":")[0], line or 0)
