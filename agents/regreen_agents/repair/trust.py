"""How sure a validated change is to be right: a searched edit knows beforehand, a recipe now."""

from collections.abc import Sequence

from regreen_agents.domain.confidence import Confidence, RecipeFacts, recipe_confidence
from regreen_agents.domain.findings import Evidence, Finding
from regreen_agents.domain.plans import PlanOption

WHOLE_SUITE = "Does the whole suite hold"


def confidence_of(
    finding: Finding, option: PlanOption, evidence: Sequence[Evidence], files: int
) -> Confidence:
    """Return the confidence in a change whose validation held.

    Args:
        finding: What it repairs.
        option: What was applied.
        evidence: The validation's runs on the changed tree.
        files: How many files it touches.
    """
    if option.confidence is not None:
        return option.confidence
    return recipe_confidence(
        RecipeFacts(
            cause_shown=is_shown(finding),
            failing_context=bool(evidence),
            whole_suite=any(page.question.startswith(WHOLE_SUITE) for page in evidence),
            policy=option.policy_decision,
            changes=files,
        )
    )


def is_shown(finding: Finding) -> bool:
    """Whether an experiment made the failure come and go by one thing alone."""
    matrix = finding.matrix
    flips = matrix is not None and any(cell.flips for cell in matrix.cells)
    named = (finding.polluters, finding.state_setters, finding.factors, finding.missing)
    return flips or any(named) or finding.random_seed is not None
