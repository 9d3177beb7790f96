"""Every recipe for outcomes that no test should depend on."""

from regreen_agents.repair.recipes.base import Recipe
from regreen_agents.repair.recipes.values.approx_float import ApproxFloat
from regreen_agents.repair.recipes.values.calendar_arithmetic import CalendarArithmetic
from regreen_agents.repair.recipes.values.compare_unordered import CompareUnordered
from regreen_agents.repair.recipes.values.freeze_clock import FreezeClock
from regreen_agents.repair.recipes.values.keep_order import KeepOrder
from regreen_agents.repair.recipes.values.name_encoding import NameEncoding
from regreen_agents.repair.recipes.values.pass_rng import PassRng
from regreen_agents.repair.recipes.values.pass_time import PassTime
from regreen_agents.repair.recipes.values.pin_locale import PinLocale
from regreen_agents.repair.recipes.values.pin_zone import PinZone
from regreen_agents.repair.recipes.values.relative_date import RelativeDate
from regreen_agents.repair.recipes.values.replace_rng import ReplaceRng
from regreen_agents.repair.recipes.values.seed_random import SeedRandom
from regreen_agents.repair.recipes.values.sort_iteration import SortIteration
from regreen_agents.repair.recipes.values.sort_keys import SortKeys
from regreen_agents.repair.recipes.values.sort_listing import SortListing
from regreen_agents.repair.recipes.values.wait_for_condition import WaitForCondition
from regreen_agents.repair.recipes.values.widen_tolerance import WidenTolerance

RECIPES: tuple[Recipe, ...] = (
    ApproxFloat(),
    PassRng(),
    ReplaceRng(),
    SeedRandom(),
    SortIteration(),
    SortListing(),
    SortKeys(),
    CompareUnordered(),
    KeepOrder(),
    CalendarArithmetic(),
    PassTime(),
    FreezeClock(),
    RelativeDate(),
    NameEncoding(),
    PinLocale(),
    PinZone(),
    WaitForCondition(),
    WidenTolerance(),
)
"""The least invasive and most idiomatic first; what loosens comes last."""
