"""Settings that a function tells and a function sets: how a fixture saves and restores them."""

from collections.abc import Mapping
from typing import NamedTuple

from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.draft import SourceFile


class SavedSetting(NamedTuple):
    """How to save and restore one setting; ``{lib}`` stands for the module, ``{saved}`` too."""

    subject: str
    library: str
    save: tuple[str, ...]
    restore: tuple[str, ...]


SETTINGS: Mapping[str, SavedSetting] = {
    "umask": SavedSetting(
        "the file mode mask",
        "os",
        ("{saved} = {lib}.umask(0o022)", "{lib}.umask({saved})"),
        ("{lib}.umask({saved})",),
    ),
    "gc.enabled": SavedSetting(
        "the garbage collector",
        "gc",
        ("{saved} = {lib}.isenabled()",),
        ("if {saved}:", "    {lib}.enable()", "else:", "    {lib}.disable()"),
    ),
    "gc.threshold": SavedSetting(
        "the garbage collector's thresholds",
        "gc",
        ("{saved} = {lib}.get_threshold()",),
        ("{lib}.set_threshold(*{saved})",),
    ),
    "sys.recursionlimit": SavedSetting(
        "the recursion limit",
        "sys",
        ("{saved} = {lib}.getrecursionlimit()",),
        ("{lib}.setrecursionlimit({saved})",),
    ),
    "decimal.context": SavedSetting(
        "the decimal context",
        "decimal",
        ("{saved} = {lib}.getcontext().copy()",),
        ("{lib}.setcontext({saved})",),
    ),
    "socket.defaulttimeout": SavedSetting(
        "the default socket timeout",
        "socket",
        ("{saved} = {lib}.getdefaulttimeout()",),
        ("{lib}.setdefaulttimeout({saved})",),
    ),
    "asyncio.event_loop_policy": SavedSetting(
        "asyncio's event loop policy", "asyncio", (), ("{lib}.set_event_loop_policy(None)",)
    ),
    "asyncio.current_loop": SavedSetting(
        "the current event loop", "asyncio", (), ("{lib}.set_event_loop_policy(None)",)
    ),
    "multiprocessing.start_method": SavedSetting(
        "multiprocessing's start method",
        "multiprocessing",
        ("{saved} = {lib}.get_start_method(allow_none=True)",),
        ("{lib}.set_start_method({saved}, force=True)",),
    ),
    "numpy.errstate": SavedSetting(
        "numpy's error handling",
        "numpy",
        ("{saved} = {lib}.geterr()",),
        ("{lib}.seterr(**{saved})",),
    ),
    "numpy.printoptions": SavedSetting(
        "numpy's print options",
        "numpy",
        ("{saved} = {lib}.get_printoptions()",),
        ("{lib}.set_printoptions(**{saved})",),
    ),
    "torch.default_dtype": SavedSetting(
        "torch's default dtype",
        "torch",
        ("{saved} = {lib}.get_default_dtype()",),
        ("{lib}.set_default_dtype({saved})",),
    ),
    "torch.grad_enabled": SavedSetting(
        "torch's gradient mode",
        "torch",
        ("{saved} = {lib}.is_grad_enabled()",),
        ("{lib}.set_grad_enabled({saved})",),
    ),
    "torch.num_threads": SavedSetting(
        "torch's number of threads",
        "torch",
        ("{saved} = {lib}.get_num_threads()",),
        ("{lib}.set_num_threads({saved})",),
    ),
    "random": SavedSetting(
        "the random generator",
        "random",
        ("{saved} = {lib}.getstate()",),
        ("{lib}.setstate({saved})",),
    ),
    "numpy.random": SavedSetting(
        "numpy's random generator",
        "numpy",
        ("{saved} = {lib}.random.get_state()",),
        ("{lib}.random.set_state({saved})",),
    ),
    "torch": SavedSetting(
        "torch's random generator",
        "torch",
        ("{saved} = {lib}.get_rng_state()",),
        ("{lib}.set_rng_state({saved})",),
    ),
}
"""By the target of a state change, as the probe names it."""


def saved_setting(change: StateChange) -> SavedSetting | None:
    """Return how to save the setting a change is about, or None when it is about something else."""
    if change.kind not in {
        StateKind.MODULE_GLOBAL,
        StateKind.UMASK,
        StateKind.DTYPE,
        StateKind.RANDOM,
    }:
        return None
    return None if change.attribute else SETTINGS.get(change.target)


def written(
    setting: SavedSetting, saved: str, file: SourceFile
) -> tuple[tuple[str, ...], tuple[str, ...], SourceFile]:
    """Return the lines that save and restore a setting, and the file with the import."""
    library, file = file.refer(setting.library)
    save = tuple(line.format(lib=library, saved=saved) for line in setting.save)
    restore = tuple(line.format(lib=library, saved=saved) for line in setting.restore)
    return save, restore, file


def saved_database(
    state: str, saved: str, file: SourceFile
) -> tuple[tuple[str, ...], tuple[str, ...], SourceFile]:
    """Return how all tables of an SQLite connection are saved and put back, and the file."""
    connect, file = file.refer("sqlite3", ("connect",))
    save = (f'{saved} = {connect}(":memory:")', f"{state}.backup({saved})")
    restore = (f"{state}.rollback()", f"{saved}.backup({state})", f"{saved}.close()")
    return save, restore, file
