"""Where the modules of a project were loaded from.

Runs in the target's interpreter: Python 3.8+, no dependency.
"""

import os
import sys
from typing import Any, List

realpath = os.path.realpath  # the real one: a test may replace it


def foreign_modules(checkout: str, tree: str) -> List[str]:
    """Return modules whose file lies in the main checkout though the tree has a twin of it."""
    if not checkout or checkout == tree:
        return []
    found = []
    for name, module in list(sys.modules.items()):
        path = file_of(module)
        if not path.startswith(tree + os.sep):
            path = realpath(path)
        if not path.startswith(checkout + os.sep):
            continue
        if path.startswith(tree + os.sep) or "site-packages" in path:
            continue
        if os.path.exists(os.path.join(tree, os.path.relpath(path, checkout))):
            found.append(name)
    return sorted(found)[:50]


def installed_copies(tree: str) -> List[str]:
    """Return packages of this tree that were imported from site-packages: no edit would show."""
    found = []
    for name, module in list(sys.modules.items()):
        if "." in name or "site-packages" not in file_of(module):
            continue
        places = (name, os.path.join("src", name), name + ".py")
        if any(os.path.exists(os.path.join(tree, place)) for place in places):
            found.append(name)
    return sorted(found)


def file_of(module: Any) -> str:
    """Return a module's file, or an empty text; what stands for a module may raise anything."""
    try:
        path = module.__file__
    except Exception:
        return ""
    return path if isinstance(path, str) else ""
