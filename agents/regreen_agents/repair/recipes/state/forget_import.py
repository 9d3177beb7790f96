"""A test that imports a module for the first time, and is not the first: forget it before."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import (
    contains,
    with_first_statements,
    with_parameter,
)
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in, names_of
from regreen_agents.repair.recipes.snippets import quoted, statements
from regreen_agents.repair.source import Place, SourceTree


@dataclass(frozen=True)
class ForgetImport:
    """Takes the modules a victim imports out of ``sys.modules`` at its start."""

    name: str = "forget_import"
    causes: frozenset[Cause] = frozenset({Cause.SELF_POLLUTION, Cause.GLOBAL_STATE})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every victim, or None when one does not look at ``sys.modules``."""
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in finding.victims if not finding.state else ():
            site = site_of(draft, node_id)
            file = _forgetting(site) if site is not None and site.place not in places else None
            if site is None or (file is None and site.place not in places):
                return None
            if file is not None:
                draft.put(file)
                places[site.place] = None
        return self._proposal(draft, tuple(places)) if places else None

    def _proposal(self, draft: Draft, places: tuple[Place, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Let the test import its module as if for the first time",
            strategy="The test is about the first import of a module, which happens once in a "
            "process. It takes the module out of sys.modules first, so each run imports it anew.",
            pros=("Touches only the test that fails.", "Works whoever imported it before."),
            cons=("Other tests that hold the old module keep it.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} forget the import first" for p in places),
        )


def _forgetting(site: Site) -> SourceFile | None:
    """Return the file with the test forgetting what it imports, or None when it need not."""
    if "sys.modules" not in site.file.module.code_for_node(site.function):
        return None
    modules = _imported(site)
    path, file = site.file.refer("sys", ("modules",), bound_in(site.function))
    if takes_fixtures(site):
        lines = [f"monkeypatch.delitem({path}, {quoted(m)}, raising=False)" for m in modules]
    elif site.flavour is Flavour.UNITTEST:
        lines = [f"{path}.pop({quoted(m)}, None)" for m in modules]
    else:
        return None
    function = file.function(site.place)
    new = statements(file.module, lines)
    if function is None or not new or contains(file.module, function, new[0]):
        return None
    changed = with_first_statements(function, new)
    if takes_fixtures(site):
        changed = with_parameter(changed, "monkeypatch")
    return file.swap(function, changed)


def _imported(site: Site) -> list[str]:
    """Return the modules of the tree that a test imports itself, in order of their names."""
    lines = site.function.body.body
    inner = cst.Module([n for n in lines if isinstance(n, cst.SimpleStatementLine)])
    file = site.file
    names = names_of(inner, name=file.tree.module_name(file.path), path=file.path)
    known = {*names.bindings.values(), *names.modules}
    return sorted(name for name in known if file.tree.module_path(name) is not None)
