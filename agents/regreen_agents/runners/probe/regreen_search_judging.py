"""Judge mutants: many in one child on the tests that kill most, the survivors in clean children.

Runs in the target's interpreter: Python 3.8+, no dependency. Verdicts, and the ticks charged for
them, do not depend on how many children run at once or on how busy the machine is: mutants are cut
into batches by rank, results are put in order, and what never ends runs out of fuel.
"""

from typing import Any, Callable, Dict, Generator, Iterator, List, Set

Judgement = Dict[str, Any]
Plan = Generator[Any, Any, Any]
TEST_TICKS = 1000
"""What beginning a test is charged, beside the ticks it burns."""
CHILD_TICKS = 10_000
"""What a child of its own is charged."""
RETRIED = 10
"""So many of those that ran out of fuel get a longer chance, the best by rank."""
BATCHES = (25, 50, 100, 200)
"""Sizes of the first batches, of all others the last: what ranks high is known soon."""
COVERING_IN_BATCH = 20
"""So many covering tests kill in a batch; the others have their say in the clean child."""
DECIDED = frozenset({"red", "killed"})
SILENT = "told nothing in its time"
"""Said of what burnt no fuel: it computes in C, sleeps, or waits for ever. More time is in vain."""


class Judging:
    """Gives every mutant its verdict."""

    def __init__(self, job: Any, measure: Any, zygotes: Any) -> None:
        """Judge by these measures; `zygotes` take the mutants of code that runs at import."""
        self.job = job
        self.measure = measure
        self.zygotes = zygotes
        self._failing = [item for item in measure.failing if item.nodeid in measure.lean]
        self._charged = self._plausible = self._count = 0
        self._is_every = job.asked.get("every_failing", False)

    # ------------------------------------------------------------------------- all mutants

    def run(self) -> str:
        """Judge all mutants and tell each verdict; return why it stopped."""
        asked = self.job.asked
        slow: List[Judgement] = []
        for one in self._in_order():
            if self._plausible >= asked["enough"]:
                return "enough"
            if self._is_spent():
                return "ticks"
            self.job.tell(one)
            self._count += 1
            self._charged += one["ticks"]
            self._plausible += one["verdict"] == "plausible"
            slow += [one] if self._may_be_slow(one) else []
        if self._plausible:
            return "enough" if self._plausible >= asked["enough"] else self._end()
        return self._retry(slow) or self._end()

    def _may_be_slow(self, one: Judgement) -> bool:
        """Whether more fuel may help: what its test needs is not known from its run before."""
        is_dry = one["verdict"] == "killed" and one["failure"] != SILENT
        return is_dry and not self.measure.is_known(one["test"])

    def _in_order(self) -> Iterator[Judgement]:
        """Yield the judgements by rank; when time is over, also those of an unfinished batch."""
        batches = list(batches_of(self.job.asked["mutants"]))
        found: List[List[Judgement]] = [[] for _ in batches]
        following = 0
        for _ in self.job.pool().results(map(self.chunk, batches, found)):
            yield from found[following]
            following += 1
        if following < len(found):
            yield from found[following]

    def _is_spent(self) -> bool:
        limit = self.job.asked.get("ticks")
        return limit is not None and self._charged >= limit

    def _end(self) -> str:
        return "all" if self._count == len(self.job.asked["mutants"]) else "seconds"

    def _retry(self, slow: List[Judgement]) -> str:
        """Give those that ran out of fuel a longer chance, up to the first plausible one."""
        mutants = {mutant["id"]: mutant for mutant in self.job.asked["mutants"]}
        plans = (self._again(mutants[one["mutant"]], one) for one in slow[:RETRIED])
        for one in self.job.pool().results(plans):
            if self._is_spent():
                return "ticks"
            self._charged += one.pop("added")
            self.job.tell(one)
            if one["verdict"] == "plausible":
                return ""
        return ""

    def _again(self, mutant: Dict[str, Any], first: Judgement) -> Plan:
        if not self.is_warm(mutant):
            return dict(first, added=0)
        one: Judgement = yield from self.clean(mutant, self.job.measuring.LARGE_FACTOR)
        return dict(one, ticks=one["ticks"] + first["ticks"], added=one["ticks"])

    # ------------------------------------------------------------------------ one chunk

    def chunk(self, mutants: List[Dict[str, Any]], found: List[Judgement]) -> Plan:
        """Judge neighbours in rank, adding to `found`; fewer when enough of them are plausible."""
        first: Dict[int, Judgement] = {}
        if self._failing:
            yield from self._batch([m for m in mutants if self.is_batchable(m)], first)
            yield from self._check(mutants, first)
        plausible = 0
        for mutant in mutants:
            one = first.get(mutant["id"])
            if one is None or one["verdict"] not in DECIDED:
                one = yield from self._alone(mutant, one)
            found.append(one)
            plausible += one["verdict"] == "plausible"
            if plausible >= self.job.asked["enough"]:
                break

    def _alone(self, mutant: Dict[str, Any], first: Any) -> Plan:
        """Judge one mutant in clean children; one that had survived gets its large limits now."""
        if not self.is_warm(mutant):
            cold: Judgement = yield from self.zygotes.judge(mutant, self.measure)
            return cold
        one: Judgement = yield from self.clean(mutant, 1)
        if one["verdict"] == "killed" and first is not None and first["verdict"] == "survived":
            again = yield from self.clean(mutant, self.job.measuring.LARGE_FACTOR)
            one = dict(again, ticks=one["ticks"] + again["ticks"])
        return dict(one, ticks=one["ticks"] + (first["ticks"] if first else 0))

    def _check(self, mutants: List[Dict[str, Any]], first: Dict[int, Judgement]) -> Plan:
        """Judge a kill again in a clean child; if that says otherwise, none of the batch counts."""
        reds = [m for m in mutants if first.get(m["id"], {}).get("verdict") == "red"]
        if not reds:
            return
        sample = reds[len(reds) // 2]
        told, clean = first[sample["id"]], (yield from self.clean(sample, 1))
        order = [item.nodeid for item in self.measure.failing] + list(sample["tests"])
        if clean["verdict"] == "plausible" or later(clean["test"], told["test"], order):
            first.clear()
            self.job.tell(
                {"note": "tests disturb each other in one process: each edit had its own"}
            )

    # -------------------------------------------------------------------------- in a batch

    def is_warm(self, mutant: Dict[str, Any]) -> bool:
        """Whether a mutant can be put in place in this process."""
        return bool(self.job.functions.reaches(mutant, self.job.path_of(mutant)))

    def is_batchable(self, mutant: Dict[str, Any]) -> bool:
        """Whether a mutant can be put in place and taken out again."""
        return self.is_warm(mutant) and self.job.functions.is_loaded(self.job.path_of(mutant))

    def _batch(self, mutants: List[Dict[str, Any]], first: Dict[int, Judgement]) -> Plan:
        """Judge mutants in one child, in further ones behind those that spoil it."""
        while mutants:
            tests = [item.nodeid for item in self._failing]
            work, limit = self._batch_work(mutants), self.measure.limit(tests)
            told, how = yield self.job.start(work, limit)
            first.update({one["mutant"]: one for one in told})
            spoiler = how != "complete" and len(told) < len(mutants)
            if spoiler and how == "killed":
                one = judgement(mutants[len(told)], "killed", SILENT)
                ticks = self.measure.fuel(tests[0]) + TEST_TICKS
                first[one["mutant"]] = dict(one, test=tests[0], ticks=ticks)
            mutants = mutants[len(told) + spoiler :]

    def _batch_work(self, mutants: List[Dict[str, Any]]) -> Callable[[Any], None]:
        def work(tell: Callable[[Judgement], None]) -> None:
            self.job.silence()
            lean = self.job.lean.Lean(self.job.tank)
            if self.measure.imports_late:
                lean.run(self._failing[0], self.measure.fuel(self._failing[0].nodeid))
                self.job.forget_state()
            state = self.job.state()
            for mutant in mutants:
                one = self._judge_lean(mutant, lean)
                state.restore()
                tell(one)
                if one["verdict"] == "doubt":
                    return  # what it left behind is for nobody else

        return work

    def _judge_lean(self, mutant: Dict[str, Any], lean: Any) -> Judgement:
        functions = self.job.functions
        try:
            undo = functions.install(mutant, self.job.path_of(mutant))
        except (SyntaxError, ValueError, StopIteration) as error:
            return judgement(mutant, "red", failure=type(error).__name__)
        try:
            return self._run_lean(mutant, lean)
        finally:
            self.job.mutants.take_back(undo)

    def _run_lean(self, mutant: Dict[str, Any], lean: Any) -> Judgement:
        one = judgement(mutant, "survived")
        for item in self._failing:
            if self._has_ended(one, item, lean) and not (self._is_every and is_plain_red(one)):
                return one
        if one["verdict"] == "survived":
            for item in self._covering(mutant):
                if self._has_ended(one, item, lean):
                    break
        return one

    def _has_ended(self, one: Judgement, item: Any, lean: Any) -> bool:
        """Run one test for a judgement; return whether that is no longer a survivor's."""
        ran = lean.run(item, self.measure.fuel(item.nodeid))
        one["ticks"] += ran.ticks + TEST_TICKS
        if ran.outcome == "passed":
            one["green"] += item in self._failing
        elif one["verdict"] == "survived" or ran.outcome == "doubt":
            verdict = {"failed": "red", "skipped": "red"}.get(ran.outcome, ran.outcome)
            one.update(verdict=verdict, test=item.nodeid, failure=ran.failure, line=ran.line)
        return bool(one["verdict"] != "survived")

    def _covering(self, mutant: Dict[str, Any]) -> List[Any]:
        tests = [test for test in mutant["tests"] if test in self.measure.lean]
        found: List[Any] = self.job.chosen(tests[:COVERING_IN_BATCH])
        return found

    # --------------------------------------------------------------------- in a clean child

    def clean(self, mutant: Dict[str, Any], factor: int) -> Plan:
        """Judge one mutant alone in a child, by all tests, with pytest's whole protocol."""
        covering = [test for test in mutant["tests"] if test in self.measure.seconds]
        items = self.measure.failing + self.job.chosen(covering)

        def work(tell: Callable[[Judgement], None]) -> None:
            self.job.overlay.put(mutant, self.job.tree)
            self.job.functions.install(mutant, self.job.path_of(mutant))
            self.job.run_until_red(items, tell, lambda test: self.measure.fuel(test, factor))

        tests = [item.nodeid for item in items]
        told, how = yield self.job.start(work, self.measure.limit(tests, factor))
        return verdict_of(mutant, tests, self.measure, (told, how, factor))


def judgement(mutant: Dict[str, Any], verdict: str, failure: str = "") -> Judgement:
    """Return what is told of a mutant that nothing was burnt for yet."""
    told = {"mutant": mutant["id"], "verdict": verdict, "test": "", "ticks": 0, "green": 0}
    return dict(told, failure=failure, line=0)


def later(test: str, other: str, order: List[str]) -> bool:
    """Whether a test that was reached stands behind another that should have stopped it."""
    return test in order and other in order and order.index(test) > order.index(other)


def is_plain_red(one: Judgement) -> bool:
    """Whether the other failing tests can still be asked."""
    return bool(one["verdict"] == "red")


def verdict_of(mutant: Dict[str, Any], tests: List[str], measure: Any, end: Any) -> Judgement:
    """Return the judgement on a mutant from how its tests ended in a child of its own."""
    told, how, factor = end
    one = judgement(mutant, "plausible")
    one["ticks"] = CHILD_TICKS
    failing: Set[str] = {item.nodeid for item in measure.failing}
    for ended in told:
        one["ticks"] += ended["ticks"] + TEST_TICKS
        if ended["outcome"] == "passed":
            one["green"] += ended["test"] in failing
            continue
        one.update(verdict="killed" if ended["outcome"] == "fuel" else "red", test=ended["test"])
        one.update(failure=ended.get("failure", ""), line=ended.get("line", 0))
        return one
    if len(told) < len(tests):
        test = tests[len(told)]
        one.update(verdict="red" if how == "complete" else how, test=test)
        one["failure"] = SILENT if how == "killed" else ""
        one["ticks"] += measure.fuel(test, factor) + TEST_TICKS
    return one


def batches_of(mutants: List[Dict[str, Any]]) -> Iterator[List[Dict[str, Any]]]:
    """Cut the mutants into batches by rank alone."""
    start, number = 0, 0
    while start < len(mutants):
        size = BATCHES[min(number, len(BATCHES) - 1)]
        yield mutants[start : start + size]
        start, number = start + size, number + 1
