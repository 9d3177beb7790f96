"""Code that draws from a generator of its own module, made without a seed: give it a seeded one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import with_first_statements, with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.recipes.values.suspicion import files_of_interest, module_at
from regreen_agents.repair.source import SourceTree

_MAKERS = {
    "random.Random": ("random", ("Random",)),
    "numpy.random.default_rng": ("numpy", ("random", "default_rng")),
    "numpy.random.RandomState": ("numpy", ("random", "RandomState")),
}


class _Generator(NamedTuple):
    target: str
    """``shop.deck._RNG``."""
    kind: str


@dataclass(frozen=True)
class ReplaceRng:
    """Puts a seeded generator in place of a module's own; the variant is the seed."""

    name: str = "replace_rng"
    causes: frozenset[Cause] = frozenset({Cause.UNSEEDED_RANDOMNESS, Cause.UNEXPLAINED})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with seed 0, or None when no module near has a generator of its own."""
        return self.variant(0, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with a given seed."""
        if finding.cause is Cause.UNEXPLAINED and finding.category is not Category.NOD:
            return None
        found, draft = list(dict.fromkeys(_generators(finding, tree))), Draft(tree)
        lines: dict[str, None] = {}
        for node_id in finding.victims if found else ():
            site = site_of(draft, node_id)
            file = _replaced(site, found, number) if site is not None else None
            if site is None or file is None:
                return None
            draft.put(file)
            lines[f"{site.place.path}:{site.place.line} seed the code's generator"] = None
        return self._proposal(number, draft, tuple(lines)) if lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the default only: a list of seeds is no choice for a person."""
        proposal = self.propose(finding, tree)
        return (proposal,) if proposal is not None else ()

    def _proposal(self, number: int, draft: Draft, lines: tuple[str, ...]) -> Proposal:
        return Proposal(
            recipe=f"{self.name}={number}",
            title="Give the module under test a seeded generator in the test",
            strategy="The module draws from a generator it makes without a seed when it is "
            "imported. While the test runs, a seeded one stands in its place.",
            pros=("The same numbers in every run.", "The old generator comes back afterwards."),
            cons=(
                "Hides failures that depend on the drawn values: check that the assertion holds "
                "for every draw the code may make.",
                "Knows a name inside the module; a parameter for the generator would not.",
            ),
            edits=draft.edits(),
            change_lines=lines,
        )


def _generators(finding: Finding, tree: SourceTree) -> Iterator[_Generator]:
    """Yield the unseeded generators that modules near the failure make when imported."""
    for path in files_of_interest(finding, tree):
        module = module_at(tree, path)
        for line in module.parsed.module.body if module is not None else ():
            for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                if module is None or not isinstance(small, cst.Assign):
                    continue
                call, target = small.value, small.targets[0].target
                if not isinstance(call, cst.Call) or call.args or not isinstance(target, cst.Name):
                    continue
                kind = module.names.qualify(call.func)
                if kind in _MAKERS and not path.rpartition("/")[2].startswith("test_"):
                    yield _Generator(f"{tree.module_name(path)}.{target.value}", kind)


def _replaced(site: Site, found: list[_Generator], seed: int) -> SourceFile | None:
    """Return the file with the generators replaced in one plain test."""
    if not takes_fixtures(site):
        return None
    file, local = site.file, bound_in(site.function)
    lines = []
    for generator in found:
        library, attributes = _MAKERS[generator.kind]
        maker, file = file.refer(library, attributes, local)
        lines.append(f'monkeypatch.setattr("{generator.target}", {maker}({seed}))')
    function = file.function(site.place)
    if function is None or f'"{found[0].target}"' in file.module.code_for_node(function):
        return None
    changed = with_first_statements(function, statements(file.module, lines))
    return file.swap(function, with_parameter(changed, "monkeypatch"))
