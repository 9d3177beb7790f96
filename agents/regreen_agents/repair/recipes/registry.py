"""All recipes, the least invasive and most idiomatic first."""

from collections.abc import Iterator, Sequence

from regreen_agents.domain.findings import Finding
from regreen_agents.repair.modernise import recipe as modernise
from regreen_agents.repair.recipes.base import Proposal, Recipe, VariantRecipe
from regreen_agents.repair.recipes.resources import family as resources
from regreen_agents.repair.recipes.resources.unset_variable import UnsetVariable, is_crowded
from regreen_agents.repair.recipes.state import family as state
from regreen_agents.repair.recipes.values import family as values
from regreen_agents.repair.source import SourceTree

RECIPES: tuple[Recipe, ...] = (
    *state.RECIPES,
    *resources.RECIPES,
    *values.RECIPES,
    *modernise.FAMILY,
)


def proposals(finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
    """Return every repair known for a finding, in the order to try them, none twice."""
    by_edits: dict[tuple[tuple[str, str], ...], Proposal] = {}
    for recipe in _in_order(finding):
        if finding.cause in recipe.causes:
            for proposal in _answers(recipe, finding, tree):
                key = tuple((edit.path, edit.after) for edit in proposal.edits)
                by_edits.setdefault(key, proposal)
    return tuple(by_edits.values())


def propose(name: str, finding: Finding, tree: SourceTree) -> Proposal | None:
    """Return the proposal of one recipe, or None when it is unknown or does not apply.

    Args:
        name: A recipe, or a variant of one: ``seed_random=3``.
        finding: What to repair.
        tree: The sources.
    """
    recipe_name, _, number = name.partition("=")
    recipe = next((r for r in RECIPES if r.name == recipe_name), None)
    if recipe is None or finding.cause not in recipe.causes:
        return None
    if not number:
        return recipe.propose(finding, tree)
    if not isinstance(recipe, VariantRecipe) or not number.isdecimal():
        return None
    return recipe.variant(int(number), finding, tree)


def _in_order(finding: Finding) -> Sequence[Recipe]:
    """Return all recipes; editing many tests of one file one by one comes last."""
    if not is_crowded(finding):
        return RECIPES
    return sorted(RECIPES, key=lambda recipe: isinstance(recipe, UnsetVariable))


def _answers(recipe: Recipe, finding: Finding, tree: SourceTree) -> Iterator[Proposal]:
    if isinstance(recipe, VariantRecipe):
        yield from recipe.variants(finding, tree)
        return
    proposal = recipe.propose(finding, tree)
    if proposal is not None:
        yield proposal
