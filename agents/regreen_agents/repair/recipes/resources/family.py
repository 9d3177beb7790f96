"""Every recipe for what a test needs from its surroundings."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.resources.anchor_path import AnchorPath
from regreen_agents.repair.recipes.resources.ask_for_home import AskForHome
from regreen_agents.repair.recipes.resources.free_port import FreePort
from regreen_agents.repair.recipes.resources.gate_by_marker import GateByMarker
from regreen_agents.repair.recipes.resources.gate_unsupported import GateUnsupported
from regreen_agents.repair.recipes.resources.isolate_slow import IsolateSlow
from regreen_agents.repair.recipes.resources.make_resource import MakeResource
from regreen_agents.repair.recipes.resources.missing_resource import MissingResource
from regreen_agents.repair.recipes.resources.own_surroundings import (
    AskForTemporary,
    OwnHome,
    UsualUmask,
)
from regreen_agents.repair.recipes.resources.pass_setting import PassSetting
from regreen_agents.repair.recipes.resources.raise_limit import RaiseLimit
from regreen_agents.repair.recipes.resources.remove_mark import RemoveMark
from regreen_agents.repair.recipes.resources.resolve_command import ResolveCommand, ResolveOrSkip
from regreen_agents.repair.recipes.resources.split_loop import SplitLoop
from regreen_agents.repair.recipes.resources.switch_back import SwitchBack
from regreen_agents.repair.recipes.resources.unset_variable import (
    UnsetVariable,
    UnsetVariableFixture,
)

RECIPES: tuple[Recipe, ...] = (
    SwitchBack(),
    UnsetVariable(),
    UnsetVariableFixture(),
    AnchorPath(),
    ResolveCommand(),
    ResolveOrSkip(),
    PassSetting(),
    FreePort(),
    AskForHome(),
    OwnHome(),
    UsualUmask(),
    AskForTemporary(),
    RemoveMark(),
    SplitLoop(),
    IsolateSlow(),
    RaiseLimit(),
    MakeResource(),
    GateUnsupported(),
    GateByMarker(),
    MissingResource(),
)
"""The least invasive and most idiomatic first."""
