"""Every recipe for state that tests share."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.state.chdir_monkeypatch import ChdirMonkeypatch
from regreen_agents.repair.recipes.state.copy_setup_call import CopySetupCall
from regreen_agents.repair.recipes.state.env_monkeypatch import EnvMonkeypatch
from regreen_agents.repair.recipes.state.restore_fixture import RestoreFixture
from regreen_agents.repair.recipes.state.setattr_monkeypatch import SetattrMonkeypatch
from regreen_agents.repair.recipes.state.state_setter import StateSetter

RECIPES: tuple[Recipe, ...] = (
    EnvMonkeypatch(),
    SetattrMonkeypatch(),
    ChdirMonkeypatch(),
    RestoreFixture(),
    RestoreFixture(name="restore_module_fixture", scope="module"),
    StateSetter(),
    CopySetupCall(),
)
"""The least invasive and most idiomatic first."""
