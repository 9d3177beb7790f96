"""Every recipe for outcomes that no test should depend on."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.values.seed_random import SeedRandom
from regreen_agents.repair.recipes.values.sort_iteration import SortIteration

RECIPES: tuple[Recipe, ...] = (
    SeedRandom(),
    SortIteration(),
)
"""The least invasive and most idiomatic first."""
