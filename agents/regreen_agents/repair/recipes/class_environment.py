"""The environment of a whole TestCase class, held still by its ``setUp``."""

from collections.abc import Mapping, Sequence

import libcst as cst

from regreen_agents.domain.findings import Finding
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.methods import with_set_up
from regreen_agents.repair.recipes.monkeypatching import site_of
from regreen_agents.repair.recipes.snippets import quoted

TIME_ZONE = "TZ"
"""The C library keeps its own copy of this one until ``time.tzset()``."""
MAX_CLASSES = 2
"""More than these are better served by one fixture."""


def unittest_classes(finding: Finding, path: str, draft: Draft) -> tuple[tuple[str, ...], ...]:
    """Return the classes of a file's victims where it is written for unittest alone.

    Returns:
        Nothing where the file knows pytest or has tests outside classes, a victim is no TestCase
        method, or there are many.
    """
    file = draft.file(path)
    if file is None or file.names.find("pytest") or _has_test_functions(file):
        return ()
    sites = [site_of(draft, v) for v in finding.victims if v.partition("::")[0] == path]
    classes = {site.place.classes for site in sites if site and site.flavour is Flavour.UNITTEST}
    known = all(site is not None and site.place.classes in classes for site in sites)
    return tuple(sorted(classes)) if known and len(classes) <= MAX_CLASSES else ()


def _has_test_functions(file: SourceFile) -> bool:
    return any(
        isinstance(node, cst.FunctionDef) and node.name.value.startswith("test")
        for node in file.module.body
    )


def with_environment(
    file: SourceFile,
    classes: Sequence[tuple[str, ...]],
    values: Mapping[str, str] | None = None,
    unset: Sequence[str] = (),
) -> SourceFile | None:
    """Return the file with variables set and unset before each test of these classes.

    Args:
        file: Where the classes stand.
        classes: Each outermost first.
        values: Variables to set.
        unset: Variables to take away.

    Returns:
        None where a class is not there or does so already.
    """
    values = values or {}
    patch, file = file.refer("unittest.mock", ("patch",))
    environ, file = file.refer("os", ("environ",))
    entries = ", ".join(f"{quoted(name)}: {quoted(value)}" for name, value in values.items())
    given = f", {{{entries}}}" if entries else ""
    lines = [
        f"patcher = {patch}.dict({environ}{given})",
        "patcher.start()",
        "self.addCleanup(patcher.stop)",
        *(f"{environ}.pop({quoted(name)}, None)" for name in unset),
    ]
    if TIME_ZONE in {*values, *unset}:
        # Clean-ups run last in, first out: this one has to find the old value in place.
        tzset, file = file.refer("time", ("tzset",))
        lines = [f"self.addCleanup({tzset})", *lines, f"{tzset}()"]
    changed: SourceFile | None = file
    for holder in classes:
        changed = with_set_up(changed, holder, lines) if changed is not None else None
    return changed
