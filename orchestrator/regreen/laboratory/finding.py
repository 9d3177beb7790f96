"""From a finding to plain commands: one shows the failure, another the same test green."""

from regreen.laboratory.reproducing import Reproducing
from regreen.laboratory.views import Reproduction
from regreen_agents.domain.findings import Category, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import Factor, OrderKind, RunSpec

ALONE = RunSpec(order=OrderKind.GIVEN)


def reproductions_of(
    make: Reproducing, finding: Finding, test: NodeId, factors: tuple[Factor, ...] = ()
) -> tuple[Reproduction, ...]:
    """Return commands for a finding about one test, the failure first.

    Args:
        make: Writes the commands.
        finding: What was shown.
        test: The one the person asked for.
        factors: Changed surroundings in which it was seen red, if it takes any.
    """
    seeded = ALONE.model_copy(update={"hash_seed": finding.hash_seed})
    if finding.polluters:
        return _of_victim(make, finding, test, seeded)
    if finding.state_setters:
        red = make.ordered([test], seeded, red=True)
        return (red, make.ordered((*finding.state_setters, test), seeded, red=False))
    if finding.category is Category.NIO:
        return (make.twice(test, seeded), make.ordered([test], seeded, red=False))
    if factors:
        changed = ALONE.model_copy(update={"factors": factors})
        red = make.ordered([test], changed, red=True)
        return (red, make.ordered([test], ALONE, red=False))
    if finding.random_seed is not None:
        seeded = seeded.model_copy(update={"random_seed": finding.random_seed})
    return (make.ordered([test], seeded, red=True), *_from_evidence(finding, test))


def _of_victim(
    make: Reproducing, finding: Finding, test: NodeId, spec: RunSpec
) -> tuple[Reproduction, ...]:
    return (
        make.ordered((*finding.polluters, test), spec, red=True),
        make.ordered([test], spec, red=False),
        *(
            make.ordered((*finding.polluters, cleaner, test), spec, red=False)
            for cleaner in finding.cleaners[:1]
        ),
    )


def _from_evidence(finding: Finding, test: NodeId) -> tuple[Reproduction, ...]:
    """Return the last experiment in which a single test passed, as it was written down."""
    green = [page for page in finding.evidence if page.counts == "1 passed" and page.exit_code == 0]
    return tuple(
        Reproduction(command=page.command, test=test, expected="green") for page in green[-1:]
    )
