"""Every recipe for what a test needs from its surroundings."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.resources.anchor_path import AnchorPath
from regreen_agents.repair.recipes.resources.missing_resource import MissingResource
from regreen_agents.repair.recipes.resources.resolve_command import ResolveCommand
from regreen_agents.repair.recipes.resources.unset_variable import (
    UnsetVariable,
    UnsetVariableFixture,
)

RECIPES: tuple[Recipe, ...] = (
    UnsetVariable(),
    UnsetVariableFixture(),
    AnchorPath(),
    ResolveCommand(),
    MissingResource(),
)
"""The least invasive and most idiomatic first."""
