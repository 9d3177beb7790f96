"""A test that depends on unseeded random numbers: seed the generators at its start."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.errors import RegreenError
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import with_first_statements
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.source import Place, SourceTree

_STANDARD = re.compile(
    r"(?<![\w.])random\.(?!seed\b|Random\b|SystemRandom\b)[a-z]\w*\s*\(|from\s+random\s+import"
)
_NUMPY = re.compile(
    r"\b(?:np|numpy)\.random\.(?!default_rng|RandomState|Generator|SeedSequence|seed\b)[a-z]\w*"
    r"|from\s+numpy\s+import\s+random|from\s+numpy\.random\s+import"
)


@dataclass(frozen=True)
class SeedRandom:
    """Seeds ``random``, and numpy's global generator where that is used.

    The variant is the seed: a seed under which the test passes has to be found by running it.
    """

    name: str = "seed_random"
    causes: frozenset[Cause] = frozenset({Cause.UNSEEDED_RANDOMNESS})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the smallest seed that is not known to fail."""
        return self._seeded(1 if finding.random_seed == 0 else 0, self.name, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with a given seed; None for one that is known to fail."""
        if number == finding.random_seed:
            return None
        return self._seeded(number, f"{self.name}={number}", finding, tree)

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the default only: a list of seeds is no choice for a person."""
        proposal = self.propose(finding, tree)
        return (proposal,) if proposal is not None else ()

    def _seeded(self, seed: int, name: str, finding: Finding, tree: SourceTree) -> Proposal | None:
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in finding.victims:
            site = site_of(draft, node_id)
            if site is None:
                return None
            file = _with_seed(site, seed)
            if file is not None:
                draft.put(file)
                places[site.place] = None
        return _proposal(name, seed, draft, places) if places else None


def _proposal(name: str, seed: int, draft: Draft, places: Iterable[Place]) -> Proposal:
    return Proposal(
        recipe=name,
        title="Seed the random generator in the test",
        strategy="The test draws the same numbers in every run, from a seed under which it passes.",
        pros=("The result no longer changes from run to run.", "Touches only the test."),
        cons=(
            "Hides failures that depend on the drawn values: check that the assertion holds for "
            "every draw the code may make.",
            "The drawn values may change with the version of Python or numpy.",
        ),
        edits=draft.edits(),
        change_lines=tuple(f"{p.path}:{p.line} seed with {seed}" for p in places),
    )


def _with_seed(site: Site, seed: int) -> SourceFile | None:
    """Return the file with seeds at the start of one test, or None when it has them."""
    file, local = site.file, bound_in(site.function)
    before = file.module.code_for_node(site.function.body)
    lines: list[str] = []
    for module, line in _generators(file):
        library, file = file.refer(module, (), local)
        if f"{library}{line.partition('(')[0]}(" not in before:
            lines.append(f"{library}{line.format(seed=seed)}")
    function = file.function(site.place)
    if function is None or not lines:
        return None
    return file.swap(function, with_first_statements(function, statements(file.module, lines)))


def _generators(file: SourceFile) -> list[tuple[str, str]]:
    """Return the modules whose global generator the file, or code it imports, draws from."""
    texts = [file.module.code]
    for path in file.tree.imports_of(file.path):
        try:
            texts.append(file.tree.read(path))
        except RegreenError:
            continue
    numpy = any(_NUMPY.search(text) for text in texts)
    standard = any(_STANDARD.search(text) for text in texts)
    generators = [("random", ".seed({seed})")] if standard or not numpy else []
    return [*generators, *([("numpy", ".random.seed({seed})")] if numpy else [])]
