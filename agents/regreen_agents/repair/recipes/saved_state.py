"""How one piece of process-wide state is saved before a test and put back after it."""

import ast
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from regreen_agents.domain.runs import ABSENT, StateChange, StateKind
from regreen_agents.repair.recipes import saved_settings
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.file_paths import anchored
from regreen_agents.repair.recipes.names import is_dotted_name
from regreen_agents.repair.recipes.snippets import quoted


class Piece(NamedTuple):
    """Lines of a fixture around its ``yield``, with four spaces per level."""

    subject: str
    """What a sentence calls it: ``SHOP_REGION``, ``the working directory``."""
    save: tuple[str, ...]
    restore: tuple[str, ...]


class Written(NamedTuple):
    """A piece, and the file with the imports it needs."""

    piece: Piece
    file: SourceFile


_Writer = Callable[[StateChange, str, SourceFile], Written | None]


def write_piece(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    """Return how to save a state in a variable and restore it, or None when nobody can.

    Args:
        change: The state.
        saved: The variable's name.
        file: The file the lines go into.
    """
    setting = saved_settings.saved_setting(change)
    if setting is not None:
        save, restore, file = saved_settings.written(setting, saved, file)
        return Written(Piece(setting.subject, save, restore), file)
    if change.target == "time.tzname":
        change = change.model_copy(update={"kind": StateKind.ENVIRONMENT, "target": "TZ"})
    writer = _WRITERS.get(change.kind)
    return writer(change, saved, file) if writer is not None else None


def slug_of(change: StateChange) -> str:
    """Return a name for the state that may stand in an identifier."""
    fixed = {StateKind.CWD: "cwd", StateKind.SYS_PATH: "sys_path", StateKind.LOCALE: "locale"}
    if change.kind in fixed:
        return fixed[change.kind]
    if change.kind is StateKind.WARNINGS:
        return "warnings_filters"
    text = change.target
    if _WRITERS.get(change.kind) is _attribute:
        text = change.attribute or change.target
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"\W+|_+", "_", snake).strip("_").lower() or "state"


def _environment(change: StateChange, saved: str, file: SourceFile) -> Written:
    environ, file = file.refer("os", ("environ",))
    name = quoted(change.target)
    save = [f"{saved} = {environ}.get({name})"]
    restore = [
        f"if {saved} is None:",
        f"    {environ}.pop({name}, None)",
        "else:",
        f"    {environ}[{name}] = {saved}",
    ]
    if change.target == "TZ":
        tzset, file = file.refer("time", ("tzset",))
        restore.append(f"{tzset}()")
    return Written(Piece(change.target, tuple(save), tuple(restore)), file)


def _cwd(change: StateChange, saved: str, file: SourceFile) -> Written:  # noqa: ARG001 - one signature
    library, file = file.refer("os")
    piece = Piece(
        "the working directory", (f"{saved} = {library}.getcwd()",), (f"{library}.chdir({saved})",)
    )
    return Written(piece, file)


def _sys_path(change: StateChange, saved: str, file: SourceFile) -> Written:  # noqa: ARG001 - one signature
    path, file = file.refer("sys", ("path",))
    return Written(Piece("sys.path", (f"{saved} = {path}[:]",), (f"{path}[:] = {saved}",)), file)


def _namespace(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    """A reloaded module gets all its names back: half of them would not fit the other half."""
    if not is_dotted_name(change.module) or file.is_module(change.module):
        return None
    module, file = file.refer(change.module)
    restore = (f"vars({module}).clear()", f"vars({module}).update({saved})")
    return Written(
        Piece(f"the names of {module}", (f"{saved} = dict(vars({module}))",), restore), file
    )


def _sys_modules(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    if change.container == "module":
        return _namespace(change, saved, file)
    modules, file = file.refer("sys", ("modules",))
    name = quoted(change.target.removeprefix("sys.modules."))
    restore = (
        f"if {saved} is None:",
        f"    {modules}.pop({name}, None)",
        "else:",
        f"    {modules}[{name}] = {saved}",
    )
    save = f"{saved} = {modules}.get({name})"
    return Written(Piece(f"sys.modules[{name}]", (save,), restore), file)


def _attribute(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    path = change.attribute.split(".")
    if not is_dotted_name(change.module) or not is_dotted_name(change.attribute):
        return None
    own = file.is_module(change.module)
    if own:
        owner = ".".join(path[:-1])
    else:
        owner, file = file.refer(change.module, path[:-1])
    state = f"{owner}.{path[-1]}" if owner else path[-1]
    if change.container:
        return _container(change, saved, state, file)
    if change.before == ABSENT:
        return Written(_created(owner, path[-1], saved), file) if owner else None
    save = (f"{saved} = {state}",) if owner else (f"global {state}", f"{saved} = {state}")
    return Written(Piece(state, save, (f"{state} = {saved}",)), file)


def _created(owner: str, name: str, saved: str) -> Piece:
    present = f"{quoted(name)} in vars({owner})"
    restore = (f"if not {saved} and {present}:", f"    del {owner}.{name}")
    return Piece(f"{owner}.{name}", (f"{saved} = {present}",), restore)


def _container(change: StateChange, saved: str, state: str, file: SourceFile) -> Written | None:
    """Put the old content into the same object: others hold references to it."""
    if change.container == "cache":
        return Written(Piece(f"the cache of {state}", (), (f"{state}.cache_clear()",)), file)
    if change.container == "database":
        save, put_back, file = saved_settings.saved_database(state, saved, file)
        return Written(Piece(f"the tables of {state}", save, put_back), file)
    content = f"vars({state})" if change.container == "object" else state
    if change.container == "list":
        restore: tuple[str, ...] = (f"{state}[:] = {saved}",)
    elif change.container in {"dict", "set", "object"}:
        restore = (f"{content}.clear()", f"{content}.update({saved})")
    else:
        return None
    if _is_shallow(change):
        return Written(Piece(state, (f"{saved} = {change.container}({state})",), restore), file)
    deepcopy, file = file.refer("copy", ("deepcopy",))
    return Written(Piece(state, (f"{saved} = {deepcopy}({content})",), restore), file)


def _is_shallow(change: StateChange) -> bool:
    """Tell whether a copy of the outermost container is enough.

    It is when every entry is a plain value, and better than a deep copy when the entries are
    objects, functions or classes, whose identity matters to the code that looks them up. Where
    an entry is a container, a shallow copy would share it with the test.
    """
    if change.container == "object":
        return False
    text = change.before
    while (without := _OBJECT.sub("0", text)) != text:
        text = without
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return text != change.before and len(_OPENED.findall(_TEXT.sub("0", text))) == 1
    if not isinstance(value, list | dict | set):
        return False
    entries = value.values() if isinstance(value, dict) else value
    return not any(isinstance(entry, list | dict | set) for entry in entries)


_OBJECT = re.compile(r"<[^<>]*>")
"""The repr of an object in an excerpt, or of one inside it."""
_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_OPENED = re.compile(r"[\[{]")


def _logging(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    name, _, attribute = change.target.rpartition(".")
    if change.target == "manager.disable":
        library, file = file.refer("logging")
        save = f"{saved} = {library}.root.manager.disable"
        return Written(
            Piece("the disabled log level", (save,), (f"{library}.disable({saved})",)), file
        )
    arguments = "" if name == "root" else quoted(name)
    get_logger, file = file.refer("logging", ("getLogger",))
    logger = f"{get_logger}({arguments})"
    state = f"{logger}.{attribute}"
    subject = f"the {attribute} of the {name} logger"
    if attribute in {"handlers", "filters"}:
        piece = Piece(subject, (f"{saved} = {state}[:]",), (f"{state}[:] = {saved}",))
    elif attribute == "level":
        piece = Piece(subject, (f"{saved} = {state}",), (f"{logger}.setLevel({saved})",))
    elif attribute in {"propagate", "disabled"}:
        piece = Piece(subject, (f"{saved} = {state}",), (f"{state} = {saved}",))
    else:
        return None
    return Written(piece, file)


def _warnings(change: StateChange, saved: str, file: SourceFile) -> Written:  # noqa: ARG001 - one signature
    library, file = file.refer("warnings")
    # resetwarnings() also tells the interpreter that its cache of decisions is stale.
    restore = (f"{library}.resetwarnings()", f"{library}.filters.extend({saved})")
    save = f"{saved} = {library}.filters[:]"
    return Written(Piece("the warning filters", (save,), restore), file)


def _locale(change: StateChange, saved: str, file: SourceFile) -> Written:  # noqa: ARG001 - one signature
    library, file = file.refer("locale")
    piece = Piece(
        "the locale",
        (f"{saved} = {library}.setlocale({library}.LC_ALL)",),
        (f"{library}.setlocale({library}.LC_ALL, {saved})",),
    )
    return Written(piece, file)


def _signal(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    name = change.target.rpartition(".")[2]
    if not re.fullmatch(r"SIG[A-Z0-9]+", name):
        return None
    library, file = file.refer("signal")
    number = f"{library}.{name}"
    piece = Piece(
        f"the {name} handler",
        (f"{saved} = {library}.getsignal({number})",),
        (f"{library}.signal({number}, {saved})",),
    )
    return Written(piece, file)


def _patch(change: StateChange, saved: str, file: SourceFile) -> Written | None:  # noqa: ARG001 - one signature
    """Stop the patchers: only they know what they replaced."""
    known = next((m for m in _MOCKS if file.names.find(f"{m}.patch")), "")
    library = known or next((m for m in _MOCKS if file.names.find(m)), _MOCKS[0])
    patch, file = file.refer(library, ("patch",))
    return Written(Piece("the patches a test started", (), (f"{patch}.stopall()",)), file)


_MOCKS = ("unittest.mock", "mock")


def _file(change: StateChange, saved: str, file: SourceFile) -> Written | None:
    if not change.target or change.target.startswith(("/", "..")):
        return None
    path, file = anchored(change.target, file)
    at = f"{saved}_path" if saved != "saved" else "path"
    save = [f"{at} = {path}"]
    if change.before == ABSENT:
        save.append(f"{saved} = {at}.exists()")
        restore = [f"if not {saved} and {at}.exists():", f"    {at}.unlink()"]
    else:
        save.append(f"{saved} = {at}.read_bytes() if {at}.exists() else None")
        restore = [
            f"if {saved} is not None:",
            f"    {at}.write_bytes({saved})",
            f"elif {at}.exists():",
            f"    {at}.unlink()",
        ]
    return Written(Piece(change.target, tuple(save), tuple(restore)), file)


_WRITERS: Mapping[StateKind, _Writer] = {
    StateKind.ENVIRONMENT: _environment,
    StateKind.CWD: _cwd,
    StateKind.SYS_PATH: _sys_path,
    StateKind.SYS_MODULES: _sys_modules,
    StateKind.MODULE_GLOBAL: _attribute,
    StateKind.CLASS_ATTRIBUTE: _attribute,
    StateKind.CACHE: _attribute,
    StateKind.PATCH: _patch,
    StateKind.LOGGING: _logging,
    StateKind.WARNINGS: _warnings,
    StateKind.LOCALE: _locale,
    StateKind.SIGNAL: _signal,
    StateKind.FILE: _file,
}
