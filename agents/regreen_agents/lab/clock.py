"""Failures that follow the clock, the time zone, the locale or another factor of the matrix."""

import re
from collections.abc import Iterable

from regreen_agents.domain.findings import Category, Finding, FlakeRate
from regreen_agents.domain.runs import Factor, RunSpec
from regreen_agents.lab.chance import ALONE
from regreen_agents.lab.classify import Fact
from regreen_agents.lab.imported import reached_from
from regreen_agents.lab.inquiry import Inquiry
from regreen_agents.lab.lab import is_red
from regreen_agents.lab.matrix_factors import CATALOGUE
from regreen_agents.lab.resources import test_locations
from regreen_agents.lab.statistics import fisher_exact, wilson
from regreen_agents.lab.sweeps import nearby, result_in, setting_of

READS_THE_CLOCK = re.compile(
    r"\b(?:datetime|date|time|calendar|arrow|pendulum|timezone)\b\s*[.(]|\b(?:today|now)\(\)"
)
EARLIER = tuple(Factor(name="date", value=f"-{days}d") for days in (400, 1500, 3650))
"""Tried on a constant failure whose code reads the clock: a date in it may have passed."""


FACTS = {
    Category.TD: Fact.CLOCK_FLIPS,
    Category.TZD: Fact.ZONE_FLIPS,
    Category.ID: Fact.LISTING_FLIPS,
    Category.NOD: Fact.VARIES,
}
"""What a flip shows, by the class its factor points to; surroundings for all others."""


def needs_a_changed_setting(inquiry: Inquiry) -> Finding | None:
    """Red in a sweep only: run the victim alone under the factor that was changed in it."""
    sweep = inquiry.sweep()
    return _first_shown(inquiry, () if sweep is None else sweep.spec.factors)


def ends_in_a_changed_setting(inquiry: Inquiry) -> Finding | None:
    """Red everywhere but in a sweep, or red in code that reads the clock: try it alone there.

    A constant failure that ends under an earlier date is an offer that ran out, a certificate, a
    year written into the test.
    """
    if not inquiry.is_constant() or not inquiry.lab.bench.runner.policy.suite.is_pytest:
        return None
    green = (
        factor
        for sweep in inquiry.lab.measured.sweeps
        if sweep.spec.factors and not is_red(sweep.outcome_of(inquiry.victim))
        for factor in sweep.spec.factors
    )
    earlier = EARLIER if _reads_the_clock(inquiry) else ()
    return _first_shown(inquiry, dict.fromkeys([*green, *earlier]))


def _first_shown(inquiry: Inquiry, factors: Iterable[Factor]) -> Finding | None:
    findings = (_shown(inquiry, factor) for factor in factors)
    return next((finding for finding in findings if finding is not None), None)


def _shown(inquiry: Inquiry, factor: Factor) -> Finding | None:
    """Return a finding if the outcome turns under the factor, twice, and back without it."""
    lab, victim = inquiry.lab, inquiry.victim
    spec = ALONE.model_copy(update={"factors": (factor,)})
    turned = [is_red(lab.outcome([victim], spec)) != inquiry.alone_red]
    if turned == [True]:
        again = lab.run(spec.model_copy(update={"tests": (victim,)}))
        turned.append(is_red(again.outcome_of(victim)) != inquiry.alone_red)
    if turned == [True, True]:  # and the control again after them: what varies by itself turns too
        control = lab.run(ALONE.model_copy(update={"tests": (victim,)}))
        turned.append(is_red(control.outcome_of(victim)) == inquiry.alone_red)
    _write(inquiry, factor, spec, turned)
    if not all(turned) or _follows_any_shift(inquiry, factor):
        return None
    kind = CATALOGUE[factor.name]
    inquiry.facts.add(FACTS.get(kind.category, Fact.SURROUNDINGS_FLIP))
    return inquiry.finding(
        kind.category,
        kind.cause,
        f"{victim}{_others(inquiry)} follows {kind.shows}: alone, with all else held, it "
        f"{_word(red=inquiry.alone_red)} as the suite is run here and "
        f"{_word(red=not inquiry.alone_red)} with {factor}. {_compared(inquiry, factor)}",
        replay=(victim,),
        factors=() if inquiry.alone_red else (factor,),
    )


def _follows_any_shift(inquiry: Inquiry, factor: Factor) -> bool:
    """Whether a shift too small to mean a date turns it, too: then the shift itself is in the way.

    A shifted clock leaves the times of files and other processes behind, and a test that compares
    with those proves nothing about the date.
    """
    control = nearby(factor)
    if control is None:
        return False
    spec = ALONE.model_copy(update={"factors": (control,)})
    turned = is_red(inquiry.lab.outcome([inquiry.victim], spec)) != inquiry.alone_red
    inquiry.notebook.write(
        f"Is it the date, or any shifted clock? The same with {control}.",
        inquiry.lab.last_run([inquiry.victim], spec),
        inquiry.victim,
        "It turns as well: it compares the clock with something a shift does not move, so this "
        "shows nothing about the date."
        if turned
        else "It is as without: only the larger shift turns it.",
    )
    return turned


def _write(inquiry: Inquiry, factor: Factor, spec: RunSpec, turned: list[bool]) -> None:
    kept, changed = _word(red=inquiry.alone_red), _word(red=not inquiry.alone_red)
    conclusion = f"With {factor} it {kept}, as without: that does not decide."
    if all(turned):
        conclusion = f"With {factor} it {changed}, twice; without it, before and after, it {kept}."
    elif turned[0]:
        conclusion = f"With {factor} it {changed}, but it varies when run again: not decided."
    inquiry.notebook.write(
        f"Does it follow {CATALOGUE[factor.name].shows}? Alone, with {factor} and all else held.",
        inquiry.lab.last_run([inquiry.victim], spec),
        inquiry.victim,
        conclusion,
    )


def _compared(inquiry: Inquiry, factor: Factor) -> str:
    """Return both rates with the exact test's probability of such a difference by chance."""
    control = inquiry.signature.flake_rate
    changed = _rate_under(inquiry, factor)
    chance = fisher_exact(
        control.failures,
        control.runs - control.failures,
        changed.failures,
        changed.runs - changed.failures,
    )
    return (
        f"Red in {control} without, in {changed} with it (Fisher's exact test: p = {chance:.3f})."
    )


def _rate_under(inquiry: Inquiry, factor: Factor) -> FlakeRate:
    """Count the two runs alone, and the sweeps that changed nothing else."""
    outcomes = [not inquiry.alone_red] * 2
    wanted = setting_of(RunSpec(factors=(factor,)))
    for sweep in inquiry.lab.measured.sweeps:
        found = result_in({r.node_id: r for r in sweep.results}, inquiry.victim)
        if setting_of(sweep.spec) == wanted and found is not None:
            outcomes.append(found.outcome.is_red)
    return wilson(sum(outcomes), len(outcomes))


def _others(inquiry: Inquiry) -> str:
    """Name the members a sweep showed to follow the factor too."""
    count = len(inquiry.members) - 1
    return f" (like {count} more of its cluster)" if count and inquiry.sweep() else ""


def _reads_the_clock(inquiry: Inquiry) -> bool:
    """Whether the failing code's files name anything of the clock: a reason to try other dates.

    A wrong date often shows only in the test's assertion; so the files they import count, too.
    """
    project = inquiry.lab.bench.project
    places = dict.fromkeys(place.path for place in test_locations(inquiry))
    files = [project / path for path in reached_from(project, places)]
    return any(
        READS_THE_CLOCK.search(file.read_text(errors="replace")) for file in files if file.is_file()
    )


def _word(*, red: bool) -> str:
    return "fails" if red else "passes"
