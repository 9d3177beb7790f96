"""A test that depends on unseeded random numbers: seed the generators at its start."""

import re
from collections.abc import Iterable, Iterator
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
_TORCH = re.compile(
    r"\btorch\.(?:rand|randn|randint|randperm|normal|bernoulli|multinomial|dropout|nn\b)\w*"
    r"|from\s+torch\s+import|import\s+torch\.nn"
)
_UNSEEDABLE = re.compile(r"\b(?:uuid[14]|secrets\.\w+|os\.urandom|SystemRandom)\b")
_LEFT = (
    "uuid1, uuid4, secrets, os.urandom and SystemRandom cannot be seeded: what is drawn from them "
    "still changes. Pass such values in, or compare their form only."
)


@dataclass(frozen=True)
class SeedRandom:
    """Seeds ``random``, and the global generators of numpy and torch where those are used.

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
        if not places:
            return None
        paths = {place.path for place in places}
        unseedable = any(_UNSEEDABLE.search(t) for path in paths for t in _texts(path, tree))
        proposal = _proposal(name, seed, draft, places)
        cons = (*proposal.cons, *((_LEFT,) if unseedable else ()))
        return proposal.model_copy(update={"cons": cons})


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
    texts = list(_texts(file.path, file.tree))
    found = [
        (module, line)
        for module, line, pattern in (
            ("random", ".seed({seed})", _STANDARD),
            ("numpy", ".random.seed({seed})", _NUMPY),
            ("torch", ".manual_seed({seed})", _TORCH),
        )
        if any(pattern.search(text) for text in texts)
    ]
    return found or [("random", ".seed({seed})")]


def _texts(path: str, tree: SourceTree) -> Iterator[str]:
    """Yield the text of a file and of the code it imports."""
    for name in (path, *tree.imports_of(path)):
        try:
            yield tree.read(name)
        except RegreenError:
            continue
