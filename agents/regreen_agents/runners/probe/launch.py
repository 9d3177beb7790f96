"""Start pytest in the target's interpreter, as ``python -m pytest`` would, with our plugins.

``launch.py CONFIG.json PYTEST_ARGUMENT...``. Python 3.8+, no dependency. What the target sees is
what a person's own ``python -m pytest`` shows it: same sys.path, same environment but for one
marking variable. An editable install of the main checkout is pointed at the worktree instead.
"""

import atexit
import importlib.util
import json
import os
import random
import sys
from typing import Any, Dict, List

leave = os._exit  # a test may replace it for good


def load_module(name: str) -> Any:
    """Import a file of this folder under its own name without putting the folder on sys.path."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def moved(path: str, checkout: str, tree: str) -> str:
    """Return the path's twin in the tree when it lies in the main checkout's sources."""
    if not checkout or not path:
        return path
    real = os.path.realpath(path)
    if real == tree or real.startswith(tree + os.sep) or "site-packages" in real:
        return path
    if real == checkout:
        return tree
    if not real.startswith(checkout + os.sep):
        return path
    twin = os.path.join(tree, os.path.relpath(real, checkout))
    return twin if os.path.exists(twin) else path


def point_imports_at(checkout: str, tree: str) -> None:
    """Make path entries and setuptools' editable finders import from the tree."""
    sys.path[:] = [moved(entry, checkout, tree) for entry in sys.path]
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""), None)
        if module is None and isinstance(finder, type):
            module = sys.modules.get(finder.__module__)
        mapping = getattr(module, "MAPPING", None)
        if isinstance(mapping, dict):
            for name, path in list(mapping.items()):
                mapping[name] = moved(path, checkout, tree)


def main(arguments: List[str]) -> int:
    """Run pytest and return its exit code."""
    with open(arguments[0], encoding="utf-8") as file:
        config: Dict[str, Any] = json.load(file)
    if os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        sys.path[0] = os.getcwd()  # as `-m pytest` does; under PYTHONSAFEPATH neither stands here
    point_imports_at(config.get("checkout", ""), config["tree"])
    if config.get("factors"):
        load_module("regreen_factors").apply(config["factors"])
    if config.get("process_seed") is not None:
        random.seed(config["process_seed"])
    import pytest

    pytest_main = os.path.join(os.path.dirname(pytest.__file__), "__main__.py")
    sys.argv[:] = [pytest_main, *arguments[1:]]
    plugins = []
    for name in ["regreen_probe", *config.get("plugins", [])]:
        module = load_module(name)
        plugins.append(module.make_plugin(config, load_module))
    code = 1
    try:
        code = int(pytest.main(arguments[1:], plugins=plugins))
    finally:
        if config.get("forked"):  # a child of the warm process: exit handlers are its parent's
            leave_now(code)
    if config.get("warm"):  # nobody reads what the collected modules say as they are taken down
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name for it
        leave_now(code)
    return code


def leave_now(code: int) -> None:
    """End this process, with what it has printed and without anything else."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        leave(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
