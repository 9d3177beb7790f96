"""Every recipe for state that tests share."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.state.add_cleanup import AddCleanup
from regreen_agents.repair.recipes.state.call_cleaner import CallCleaner
from regreen_agents.repair.recipes.state.chdir_monkeypatch import ChdirMonkeypatch
from regreen_agents.repair.recipes.state.close_resource import CloseResource
from regreen_agents.repair.recipes.state.conftest_fixture import ConftestFixture
from regreen_agents.repair.recipes.state.copy_setup_call import CopySetupCall
from regreen_agents.repair.recipes.state.copy_shared_data import CopySharedData
from regreen_agents.repair.recipes.state.env_monkeypatch import EnvMonkeypatch
from regreen_agents.repair.recipes.state.forget_import import ForgetImport
from regreen_agents.repair.recipes.state.narrow_scope import NarrowScope
from regreen_agents.repair.recipes.state.own_folder import OwnFolder
from regreen_agents.repair.recipes.state.own_instance import OwnInstance
from regreen_agents.repair.recipes.state.restore_database import RestoreDatabase
from regreen_agents.repair.recipes.state.restore_fixture import RestoreFixture
from regreen_agents.repair.recipes.state.setattr_monkeypatch import SetattrMonkeypatch
from regreen_agents.repair.recipes.state.setter_fixture import SetterFixture
from regreen_agents.repair.recipes.state.shared_variable import SharedVariable
from regreen_agents.repair.recipes.state.state_setter import StateSetter
from regreen_agents.repair.recipes.state.stop_patches import StopPatches
from regreen_agents.repair.recipes.state.use_setter_fixture import UseSetterFixture

RECIPES: tuple[Recipe, ...] = (
    EnvMonkeypatch(),
    SharedVariable(),
    SetattrMonkeypatch(),
    ChdirMonkeypatch(),
    StopPatches(),
    CloseResource(),
    OwnInstance(),
    CopySharedData(),
    AddCleanup(),
    OwnFolder(),
    ForgetImport(),
    NarrowScope(),
    NarrowScope(name="copy_wide_fixture", copies=True),
    RestoreFixture(),
    RestoreFixture(name="restore_module_fixture", scope="module"),
    RestoreDatabase(),
    ConftestFixture(),
    CallCleaner(),
    OwnFolder(name="own_working_directory", by_folder=True),
    StateSetter(),
    UseSetterFixture(),
    CopySetupCall(),
    SetterFixture(),
)
"""The least invasive and most idiomatic first."""
