"""Is it chance? Experiments with the random seed and the hash seed, everything else held."""

from collections.abc import Iterable, Sequence

from regreen_agents.domain.findings import Category, Cause, Finding, FlakeRate, Standing
from regreen_agents.domain.runs import OrderKind, RunSpec
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import described, evidence_of, is_red
from regreen_agents.lab.statistics import wilson

RANDOM_SEEDS = tuple(range(8))
MORE_RANDOM_SEEDS = tuple(range(8, 24))
"""Tried on a test that is known to draw and ended alike under all of the first."""
INNOCENCE_SEEDS = tuple(range(30))
"""Before another test is blamed on a repair: one that is red in a tenth of its runs by itself shows
it in 30 of them 96 times in 100."""
HASH_SEEDS = tuple(str(seed) for seed in range(8))
MORE_HASH_SEEDS = ("3", "4", "5")
"""Tried on a failure that was constant under the baseline's own."""
ALONE = RunSpec(order=OrderKind.GIVEN)
AGAIN_UNDER_A_SEED = 2
EQUAL_RUNS = 10
"""Runs with nothing changed: they show a rate of 26 % and more with 95 % confidence."""


def depends_on_random_seed(inquiry: Inquiry) -> Finding | None:
    """Run the victim alone under eight random seeds; both outcomes mean unseeded randomness."""
    finding = _by_random_seed(inquiry) if _may_vary(inquiry) else None
    if finding is None:
        inquiry.alone_red = is_red(inquiry.lab.outcome([inquiry.victim], ALONE))
        _write_alone(inquiry)
    return finding


def depends_on_hash_seed(inquiry: Inquiry) -> Finding | None:
    """Run the victim alone under the hash seeds of red and green runs, then under eight."""
    if not _may_vary(inquiry):
        return None
    seen = {s.run.spec.hash_seed for red in (True, False) for s in inquiry.settings(red=red)}
    return _by_hash_seed(inquiry, sorted(seen))


def is_constant_by_chance(inquiry: Inquiry) -> Finding | None:
    """Before a constant failure is called a bug: few runs can be red by bad luck alone."""
    suspects = HASH_SEEDS if _says_other_things(inquiry) else MORE_HASH_SEEDS
    finding = _by_random_seed(inquiry) or _by_hash_seed(inquiry, suspects)
    if finding is None and inquiry.alone_red:
        last = _with_hash_seed(suspects[-1])
        inquiry.notebook.write(
            "Is it chance? Alone, under other random seeds and hash seeds.",
            inquiry.lab.last_run([inquiry.victim], last),
            inquiry.victim,
            f"{_under_seeds(inquiry)} {_under_hash_seeds(inquiry, suspects)}",
        )
    return finding


def _under_seeds(inquiry: Inquiry) -> str:
    if inquiry.seeded_red:
        return f"It fails for the random seeds {_listed(inquiry.seeded_red)}."
    return "It passes for every random seed tried, though it fails without one."


def _under_hash_seeds(inquiry: Inquiry, suspects: Sequence[str]) -> str:
    fails = {s: is_red(inquiry.lab.outcome([inquiry.victim], _with_hash_seed(s))) for s in suspects}
    red = [seed for seed, failed in fails.items() if failed]
    if len(red) == len(suspects):
        return f"It fails for PYTHONHASHSEED {_listed(red)}, too."
    return f"Of PYTHONHASHSEED {_listed(suspects)} it fails for {_listed(red) or 'none'}."


def varies_by_itself(inquiry: Inquiry) -> Finding | None:
    """Run the victim alone again and again with nothing changed; both outcomes are chance."""
    if not _may_vary(inquiry) or inquiry.sweep() is not None:
        return None
    spec = ALONE.model_copy(update={"tests": (inquiry.victim,)})
    rate = _rate_of(inquiry, spec)
    if not 0 < rate.failures < rate.runs:
        return None
    inquiry.facts.add(Fact.VARIES)
    return inquiry.finding(
        Category.NOD,
        Cause.UNEXPLAINED,
        f"{inquiry.victim} varies by itself: alone, with order, seeds and surroundings held, it "
        f"fails in {rate}. Neither the random seed nor the hash seed decides; what does (time, "
        "threads, an unseeded source of its own) is not shown.",
        flake_rate=rate,
    )


def _rate_of(inquiry: Inquiry, spec: RunSpec) -> FlakeRate:
    """Count the failures of equal runs; their number is fixed, so that the interval holds."""
    runs = [inquiry.lab.run(spec) for _ in range(EQUAL_RUNS)]
    rate = wilson(sum(is_red(run.outcome_of(inquiry.victim)) for run in runs), len(runs))
    inquiry.notebook.write(
        "Does it vary by itself? Alone again and again, nothing changed.",
        runs[-1],
        inquiry.victim,
        f"Alone, with nothing changed, it fails in {rate}.",
    )
    return rate


def _says_other_things(inquiry: Inquiry) -> bool:
    """Whether the runs, each with a hash seed of its own, failed with different messages."""
    told = {
        described(result.failure)
        for run in inquiry.lab.measured.runs
        for result in run.results
        if result.node_id == inquiry.victim and result.failure is not None
    }
    return len(told) > 1


def _by_random_seed(inquiry: Inquiry) -> Finding | None:
    lab, victim = inquiry.lab, inquiry.victim
    sweep = inquiry.sweep()
    shown = () if sweep is None or sweep.spec.random_seed is None else (sweep.spec.random_seed,)
    seeds = tuple(dict.fromkeys((*RANDOM_SEEDS, *shown)))
    series = lab.random_series(victim, seeds, ALONE)
    isolated = lab.measured.isolated
    if len(set(series.values())) == 1 and isolated is not None and victim in isolated.drawing:
        seeds = (*seeds, *MORE_RANDOM_SEEDS)
        series = lab.random_series(victim, seeds, ALONE)
    red = sorted(seed for seed, failed in series.items() if failed)
    inquiry.seeded_red = tuple(red)
    if not 0 < len(red) < len(series):
        return None
    green = sorted(set(series) - set(red))
    cold = [
        is_red(lab.outcome([victim], ALONE.model_copy(update={"random_seed": seed})))
        for seed in (red[0], green[0])
    ]
    run = lab.last_run([victim], ALONE.model_copy(update={"random_seed": red[0]}))
    rate = wilson(len(red), len(series))
    inquiry.notebook.write(
        "Does the outcome follow the random seed? Alone, hash seed held, random.seed(n) before it.",
        run,
        victim,
        f"Alone it fails for the random seeds {_listed(red)} and passes for {_listed(green)}: "
        f"{rate}. Seed {red[0]} again, in a fresh process: {'fails' if cold[0] else 'passes'}. "
        "(Plain pytest, as printed, draws a new seed each time.)",
    )
    if cold != [True, False] or lab.random_series(victim, seeds, ALONE) != series:
        inquiry.varies = True
        return None  # a mixture that the seed does not decide
    inquiry.facts.add(Fact.RANDOM_SEED_FLIPS)
    return inquiry.finding(
        Category.NOD,
        Cause.UNSEEDED_RANDOMNESS,
        f"{victim} draws from `random` without a seed: alone, and with all else held, it fails "
        f"for {len(red)} of {len(series)} random seeds and repeats its outcome for each.",
        random_seed=red[0],
        flake_rate=rate,
    )


def _by_hash_seed(inquiry: Inquiry, suspects: Sequence[str]) -> Finding | None:
    """Look for a hash seed that turns the outcome, then measure eight."""
    lab, victim = inquiry.lab, inquiry.victim

    def fails(seed: str) -> bool:
        return is_red(lab.outcome([victim], _with_hash_seed(seed)))

    if all(fails(seed) == inquiry.alone_red for seed in suspects):
        return None
    series = {seed: fails(seed) for seed in HASH_SEEDS}
    red = [seed for seed, failed in series.items() if failed]
    rate = wilson(len(red), len(series))
    if not red or len(red) == len(series):
        return None
    green = next(seed for seed in series if seed not in red)
    if not _repeats(inquiry, red[0], red=True) or not _repeats(inquiry, green, red=False):
        return None  # a mixture that the seed does not decide
    run = lab.last_run([victim], _with_hash_seed(red[0]))
    inquiry.notebook.write(
        "Does the outcome follow PYTHONHASHSEED? Alone, everything else held.",
        run,
        victim,
        f"Alone it fails for PYTHONHASHSEED {_listed(red)} of 0-{len(series) - 1}: {rate}.",
    )
    inquiry.facts.add(Fact.HASH_SEED_FLIPS)
    return inquiry.finding(
        Category.ID,
        Cause.UNORDERED_ITERATION,
        f"{victim} depends on the iteration order of a set (or another hash order): alone, it "
        f"fails for {len(red)} of {len(series)} values of PYTHONHASHSEED.",
        hash_seed=red[0],
        flake_rate=rate,
    )


def _with_hash_seed(seed: str) -> RunSpec:
    """Return a run alone in which the hash seed is all that differs.

    A process with another hash seed is started with another random seed, too; here it is held.
    """
    return ALONE.model_copy(update={"hash_seed": seed, "random_seed": 0})


def _repeats(inquiry: Inquiry, hash_seed: str, *, red: bool) -> bool:
    """Whether runs in fresh processes under one hash seed all end so."""
    spec = _with_hash_seed(hash_seed).model_copy(update={"tests": (inquiry.victim,)})
    runs = (inquiry.lab.run(spec) for _ in range(AGAIN_UNDER_A_SEED))
    return all(is_red(run.outcome_of(inquiry.victim)) == red for run in runs)


def _may_vary(inquiry: Inquiry) -> bool:
    return inquiry.signature.standing is Standing.FLAKY


def _write_alone(inquiry: Inquiry) -> None:
    run = inquiry.lab.last_run([inquiry.victim], ALONE)
    word = "fails" if inquiry.alone_red else "passes"
    page = evidence_of(
        "How does it end when it runs alone, in a fresh process?",
        run,
        inquiry.victim,
        f"Alone it {word}.",
    )
    inquiry.notebook.pages.append(page)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
