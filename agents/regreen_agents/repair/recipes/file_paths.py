"""How a test file names another file of the tree, wherever the suite is started."""

from pathlib import PurePosixPath

from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.snippets import quoted


def anchored(target: str, file: SourceFile) -> tuple[str, SourceFile]:
    """Return an expression of a path, seen from the file it is written in.

    Args:
        target: The path, relative to the tree, posix.
        file: The file the expression goes into; its import of `pathlib` is added.
    """
    maker, file = file.refer_name("pathlib", "Path")
    here, there = PurePosixPath(file.path).parent.parts, PurePosixPath(target).parts
    common = 0
    while common < min(len(here), len(there) - 1) and here[common] == there[common]:
        common += 1
    up = len(here) - common
    start = f"{maker}(__file__).parent" if up == 0 else f"{maker}(__file__).parents[{up}]"
    return " / ".join([start, *map(quoted, there[common:])]), file
