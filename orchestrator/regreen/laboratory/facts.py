"""From a series of runs to facts about each test, its class, and a command that shows it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from regreen.laboratory.measuring import Series
from regreen.laboratory.reproducing import Reproducing
from regreen.laboratory.views import Reproduction, Signature
from regreen_agents.domain.findings import Standing, TestSignature
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import (
    Factor,
    FailureDetail,
    OrderKind,
    Outcome,
    RunSpec,
    SuiteRun,
    TestResult,
)
from regreen_agents.lab.classify import Classification, Fact, classify, facts_of_runs
from regreen_agents.lab.clusters import missing_of
from regreen_agents.lab.resources import missing_of_the_machine
from regreen_agents.lab.signatures import signatures_of
from regreen_agents.lab.sweeps import is_single
from regreen_agents.runners.target import quote

ALONE = RunSpec(order=OrderKind.GIVEN)
LONGEST_FAILURE = 150
FACTS_OF_FACTORS = {
    "time-zone": Fact.ZONE_FLIPS,
    "dst": Fact.ZONE_FLIPS,
    "date": Fact.CLOCK_FLIPS,
    "time-of-day": Fact.CLOCK_FLIPS,
    "listing-order": Fact.LISTING_FLIPS,
    "hash-seed": Fact.HASH_SEED_FLIPS,
}
"""Any other factor is a surrounding."""

Results = Mapping[NodeId, TestResult]


@dataclass(frozen=True)
class Shown:
    """What the runs show about one test.

    Attributes:
        signature: Standing, outcomes and rate.
        classification: Its class, and the facts that make it so.
        twice: How it ended the second time in a row.
        factors: Changed surroundings in which it is red.
        failure: One line.
        reproduce: A command; None for a test that was red nowhere.
    """

    signature: TestSignature
    classification: Classification
    twice: Outcome | None
    factors: tuple[Factor, ...]
    failure: str
    reproduce: Reproduction | None


class Reader:
    """Reads a series test by test; each run is indexed once."""

    def __init__(self, series: Series, reproducing: Reproducing | None) -> None:
        """Keep both; None where the suite is not pytest's, and its own command is printed."""
        self.series = series
        self.reproducing = reproducing

    @cached_property
    def _full(self) -> list[Results]:
        return [_indexed(run) for run in self.series.runs]

    @cached_property
    def _again(self) -> dict[int, Results]:
        return {index: _indexed(run) for index, run in self.series.again.items()}

    @cached_property
    def _hashes(self) -> list[tuple[str, Results]]:
        return [(run.spec.hash_seed, _indexed(run)) for run in self.series.hashes]

    @cached_property
    def _twice(self) -> Results:
        return {name: r for run in self.series.twice for name, r in _indexed(run).items()}

    @cached_property
    def _single(self) -> list[tuple[Factor, Results]]:
        singles = [run for run in self.series.swept if is_single(run.spec)]
        return [(run.spec.factors[0], _indexed(run)) for run in singles if run.spec.factors]

    def shown(self) -> Iterator[Shown]:
        """Yield every test in file order."""
        sweeps = (*self.series.twice, *self.series.swept)
        for signature in signatures_of(self.series.runs, self.series.isolated, sweeps):
            yield self._shown(signature)

    def signatures(self, test: NodeId) -> tuple[Signature, ...]:
        """Return how a test ended in the full runs, most frequent first (R81)."""
        return signatures_in([results.get(test) for results in self._full])

    def _shown(self, signature: TestSignature) -> Shown:
        test = signature.node_id
        second = self._twice.get(test)
        twice = second.outcome if second else None
        if signature.standing in (Standing.STABLE_PASS, Standing.STABLE_SKIP):
            calm = Classification(None, "the same in every run")
            return Shown(signature, calm, twice, (), "", None)
        factors = tuple(f for f, results in self._single if _red(results.get(test)))
        facts = self._facts(signature, factors)
        failure = signature.failure
        line = f"{failure.type}: {failure.message}".splitlines()[0] if failure else ""
        line = line if len(line) <= LONGEST_FAILURE else line[: LONGEST_FAILURE - 3] + "..."
        return Shown(
            signature=signature,
            classification=classify(facts),
            twice=twice,
            factors=factors,
            failure=line,
            reproduce=self._reproduction(signature, facts, factors),
        )

    def _facts(self, signature: TestSignature, factors: Sequence[Factor]) -> frozenset[Fact]:
        test, series = signature.node_id, self.series
        seen = set(facts_of_runs(test, series.runs, series.isolated))
        seen |= {FACTS_OF_FACTORS.get(f.name, Fact.SURROUNDINGS_FLIP) for f in factors}
        outcomes = {*signature.outcomes, signature.alone}
        told = {
            Fact.NOT_COLLECTED: "::" not in test,
            Fact.TIMES_OUT: Outcome.TIMEOUT in outcomes,
            Fact.CRASHES: Outcome.CRASHED in outcomes,
            Fact.MISSING: signature.failure is not None and _names_a_lack(signature.failure),
            Fact.AGAIN_FLIPS: _red(self._twice.get(test)) and Fact.RED_ALONE not in seen,
            Fact.RANDOM_SEED_FLIPS: self._follows_seed(test),
            Fact.HASH_SEED_FLIPS: self._hash_flips(signature) is not None,
            Fact.VARIES: self._varies(test),
        }
        seen |= {fact for fact, holds in told.items() if holds}
        if self._follows_order(signature) and not seen & {Fact.VARIES, Fact.HASH_SEED_FLIPS}:
            seen.add(Fact.ORDER_FLIPS)
        return frozenset(seen)

    def _follows_seed(self, test: NodeId) -> bool:
        """Whether both outcomes were seen, and each seed gave the same one both times."""
        first, second = (series.get(test, {}) for series in self.series.seeded)
        return len(set(first.values())) > 1 and first == second

    def _varies(self, test: NodeId) -> bool:
        """Whether the same run, or the same seed, ended otherwise the second time."""
        first, second = (series.get(test, {}) for series in self.series.seeded)
        pairs = ((self._full[n].get(test), results.get(test)) for n, results in self._again.items())
        return first != second or any(a and b and _red(a) != _red(b) for a, b in pairs)

    def _hash_flips(self, signature: TestSignature) -> str | None:
        """Return a hash seed that turns the test alone, from how it ends under seed 0.

        Each seed has to give the same end every time: one run of each would call chance a seed's.
        """
        if signature.alone is None:
            return None
        ends: dict[str, set[bool]] = {"0": {signature.alone.is_red}}
        for seed, results in self._hashes:
            if end := results.get(signature.node_id):
                ends.setdefault(seed, set()).add(end.outcome.is_red)
        if any(len(seen) > 1 for seen in ends.values()):
            return None
        return next((seed for seed, seen in ends.items() if seen != ends["0"]), None)

    def _follows_order(self, signature: TestSignature) -> bool:
        """Whether it ends otherwise alone than in a run of the suite that was seen twice so."""
        alone, test = signature.alone, signature.node_id
        if alone is None:
            return False
        twins = ((self._full[n].get(test), results.get(test)) for n, results in self._again.items())
        repeated = [a for a, b in twins if a and b and _red(a) == _red(b)]
        green = [r for results in self._full if (r := results.get(test)) and not _red(r)]
        if alone.is_red:  # seen twice alone: forked and cold
            return bool(green)
        return any(_red(result) for result in repeated)

    def _reproduction(
        self, signature: TestSignature, facts: frozenset[Fact], factors: Sequence[Factor]
    ) -> Reproduction | None:
        """Return the shortest command that shows the test red."""
        test, make = signature.node_id, self.reproducing
        if make is None:
            return self._by_its_own_command(test)
        spec = self._spec_alone(signature, facts)
        if spec is not None:
            made = make.ordered([test], spec, red=True)
            by_chance = Fact.VARIES in facts and spec == ALONE
            return made.model_copy(update={"is_sure": made.is_sure and not by_chance})
        if Fact.RED_IN_FULL in facts:
            return self._in_its_order(make, test, is_sure=Fact.VARIES not in facts)
        if factors:
            return make.ordered([test], ALONE.model_copy(update={"factors": factors[:1]}), red=True)
        return make.twice(test, ALONE) if Fact.AGAIN_FLIPS in facts else None

    def _spec_alone(self, signature: TestSignature, facts: frozenset[Fact]) -> RunSpec | None:
        """Return a spec under which the test is red when it runs alone; None when none is known."""
        is_red_alone = signature.alone is not None and signature.alone.is_red
        flipping = self._hash_flips(signature)
        if Fact.RANDOM_SEED_FLIPS in facts:
            seeds = self.series.seeded[0][signature.node_id]
            seed = next(seed for seed, red in seeds.items() if red)
            return ALONE.model_copy(update={"random_seed": seed})
        if flipping is not None:
            return ALONE.model_copy(update={"hash_seed": "0" if is_red_alone else flipping})
        return ALONE if is_red_alone or Fact.NOT_COLLECTED in facts else None

    def _in_its_order(self, make: Reproducing, test: NodeId, *, is_sure: bool) -> Reproduction:
        """Return the full run in which it was red after fewest tests, up to this test."""
        run = self._red_run(test)
        before = self.series.measured().before(test, run)
        spec = ALONE.model_copy(update={"hash_seed": run.spec.hash_seed})
        made = make.ordered((*before, test), spec, red=True)
        return made.model_copy(update={"is_sure": is_sure})

    def _by_its_own_command(self, test: NodeId) -> Reproduction | None:
        """Return what the runner was started with when the test was red."""
        if not any(_red(results.get(test)) for results in self._full):
            return None
        command = quote(self._red_run(test).command)
        return Reproduction(command=command, test=test, expected="red", is_sure=False)

    def _red_run(self, test: NodeId) -> SuiteRun:
        red = (
            (r.position, n)
            for n, results in enumerate(self._full)
            if (r := results.get(test)) and _red(r)
        )
        return self.series.runs[min(red)[1]]


def signatures_in(results: Sequence[TestResult | None]) -> tuple[Signature, ...]:
    """Return the different ends of one test, most frequent first (R81)."""
    seen = Counter((r.outcome, r.error_count, r.warning_count) for r in results if r is not None)
    return tuple(
        Signature(status=status, errors=errors, warnings=warnings, runs=runs)
        for (status, errors, warnings), runs in seen.most_common()
    )


def _names_a_lack(failure: FailureDetail) -> bool:
    return missing_of(failure) is not None or bool(missing_of_the_machine(failure))


def _indexed(run: SuiteRun) -> Results:
    return {result.node_id: result for result in run.results}


def _red(result: TestResult | None) -> bool:
    return result is not None and result.outcome.is_red
