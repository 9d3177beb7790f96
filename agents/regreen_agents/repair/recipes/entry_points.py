"""Which module of a tree stands behind the name of a command."""

import configparser
import re
import tomllib
from typing import NamedTuple

from regreen_agents.errors import RegreenError
from regreen_agents.repair.source import SourceTree

_GUARD = re.compile(r"^if\s+\(?(__name__\s*==\s*['\"]__main__['\"]|['\"]__main__['\"]\s*==)", re.M)


class EntryPoint(NamedTuple):
    """The object a command calls."""

    module: str
    function: str


def interpreter_arguments(command: str, tree: SourceTree) -> tuple[str, ...] | None:
    """Return the arguments after the interpreter that run a command, or None when unknown."""
    if re.fullmatch(r"python(3(\.\d+)?)?(\.exe)?", command):
        return ()
    entry = entry_point(command, tree)
    if entry is None:
        package = command.replace("-", "_")
        return ("-m", package) if tree.module_path(f"{package}.__main__") else None
    if _runs_as_module(entry.module, tree):
        return ("-m", entry.module)
    package = entry.module.partition(".")[0]
    if tree.module_path(f"{package}.__main__") and command.replace("-", "_") == package:
        return ("-m", package)
    name = entry.function.partition(".")[0]
    code = f"import sys; from {entry.module} import {name}; sys.exit({entry.function}())"
    return ("-c", code)


def entry_point(command: str, tree: SourceTree) -> EntryPoint | None:
    """Return the console script of that name which the tree declares and contains."""
    for declared in (_pyproject(tree), _setup_cfg(tree), _setup_py(tree, command)):
        target = declared.get(command, "").partition("[")[0].strip()
        module, _, function = (part.strip() for part in target.partition(":"))
        if module and function and tree.module_path(module) is not None:
            return EntryPoint(module, function)
    return None


def _runs_as_module(module: str, tree: SourceTree) -> bool:
    if tree.module_path(f"{module}.__main__") is not None:
        return True
    path = tree.module_path(module)
    return path is not None and _GUARD.search(_text(tree, path)) is not None


def _text(tree: SourceTree, path: str) -> str:
    try:
        return tree.read(path) if tree.exists(path) else ""
    except RegreenError:
        return ""


def _pyproject(tree: SourceTree) -> dict[str, str]:
    try:
        tables = tomllib.loads(_text(tree, "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return {}
    found: dict[str, str] = {}
    for way in (("tool", "poetry"), ("project",)):
        table: object = tables
        for key in way:
            table = table.get(key, {}) if isinstance(table, dict) else {}
        scripts = table.get("scripts", {}) if isinstance(table, dict) else {}
        if isinstance(scripts, dict):
            found.update({k: v for k, v in scripts.items() if isinstance(v, str)})
    return found


def _setup_cfg(tree: SourceTree) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text(tree, "setup.cfg"))
    except configparser.Error:
        return {}
    declared = parser.get("options.entry_points", "console_scripts", fallback="")
    pairs = (line.partition("=") for line in declared.splitlines() if "=" in line)
    return {name.strip(): target.strip() for name, _, target in pairs}


def _setup_py(tree: SourceTree, command: str) -> dict[str, str]:
    """Read the text of setup.py: it declares scripts as ``name = module:function``."""
    text = _text(tree, "setup.py")
    if "console_scripts" not in text:
        return {}
    declared = re.search(rf"(?<![\w.-]){re.escape(command)}\s*=\s*([\w.]+\s*:\s*[\w.]+)", text)
    return {command: declared[1]} if declared else {}
