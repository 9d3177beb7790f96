"""A test whose code takes its generator or seed as a parameter, or makes one: seed that one."""

import re
from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Category, Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import SourceFile
from regreen_agents.repair.recipes.names import bound_in
from regreen_agents.repair.recipes.snippets import expression
from regreen_agents.repair.recipes.values.callees import (
    Callee,
    Changes,
    Free,
    callees,
    free_parameters,
    victims_in,
    written,
)
from regreen_agents.repair.recipes.values.calls import with_keyword
from regreen_agents.repair.recipes.values.suspicion import Module
from regreen_agents.repair.source import SourceTree

_GENERATORS = {
    "random.Random": ("random", "Random"),
    "numpy.random.default_rng": ("numpy.random", "default_rng"),
    "numpy.random.RandomState": ("numpy.random", "RandomState"),
}
_RNG = re.compile(r"_?(rng|rand|random|generator|gen|random_generator|random_source|prng)")
_SEED = re.compile(r"_?(seed|random_state|random_seed|rng_seed)")


@dataclass(frozen=True)
class PassRng:
    """Seeds the generator the test makes or the code takes; the variant is the seed."""

    name: str = "pass_rng"
    causes: frozenset[Cause] = frozenset({Cause.UNSEEDED_RANDOMNESS, Cause.UNEXPLAINED})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with the smallest seed not known to fail, or None when nothing fits."""
        return self.variant(1 if finding.random_seed == 0 else 0, finding, tree)

    def variant(self, number: int, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits with a given seed."""
        if finding.cause is Cause.UNEXPLAINED and finding.category is not Category.NOD:
            return None
        changes = Changes(tree)
        for module, place, function in victims_in(finding, tree):
            if not _seeded(changes, module, function, number):
                return None
            changes.say(f"{place.path}:{place.line} seed the generator with {number}")
        return self._proposal(number, changes) if changes.lines else None

    def variants(self, finding: Finding, tree: SourceTree) -> tuple[Proposal, ...]:
        """Return the default only: a list of seeds is no choice for a person."""
        proposal = self.propose(finding, tree)
        return (proposal,) if proposal is not None else ()

    def _proposal(self, number: int, changes: Changes) -> Proposal:
        return Proposal(
            recipe=f"{self.name}={number}",
            title="Give the code under test a seeded generator",
            strategy="The code draws from a generator it is given. The test now gives it one with "
            "a seed under which it passes, and no state of the process is touched.",
            pros=(
                "The same numbers in every run, whatever other tests draw.",
                "No global state is changed.",
            ),
            cons=(
                "Hides failures that depend on the drawn values: check that the assertion holds "
                "for every draw the code may make.",
            ),
            edits=changes.edits(),
            change_lines=tuple(changes.lines),
        )


def _seeded(changes: Changes, module: Module, function: cst.FunctionDef, seed: int) -> bool:
    """Seed every generator one test makes or leaves to the code; tell whether there was one."""
    found = False
    for call in module.calls():
        inside = function in module.parsed.ancestors(call)
        if inside and module.names.qualify(call.func) in _GENERATORS and not call.args:
            new = call.with_changes(args=[cst.Arg(cst.Integer(str(seed)))])
            changes.exchange(module, {call: new}, [])
            found = True
    for callee in callees(module, function):
        given = _given(callee, changes.file(module), bound_in(function), seed)
        if given is not None:
            changes.exchange(module, {callee.call: given[0]}, given[1])
            found = True
    return found


def _given(
    callee: Callee, file: SourceFile, local: frozenset[str], seed: int
) -> tuple[cst.Call, list[str]] | None:
    """Return the call with a seed or a seeded generator more, and the imports it needs."""
    for free in free_parameters(callee):
        if not isinstance(free.default, cst.Name) or free.default.value != "None":
            continue
        if _SEED.fullmatch(free.name):
            value, wish = str(seed), ""
        elif _RNG.fullmatch(free.name):
            kind = _kind_of(callee, free)
            if kind is None:
                continue
            name, wish = _generator(file, kind, local)
            value = f"{name}({seed})"
        else:
            continue
        node = expression(file.module, value)
        return with_keyword(callee.call, free.name, node), [wish]
    return None


def _generator(file: SourceFile, kind: str, local: frozenset[str]) -> tuple[str, str]:
    """Return how a kind of generator is written in a file, and the import it needs."""
    module, name = _GENERATORS[kind]
    if module == "numpy.random" and (numpy := file.names.find("numpy", local)):
        return f"{numpy}.random.{name}", ""
    if module == "random":
        if known := file.names.find(kind, local):
            return known, ""
        reference = file.names.refer("random", local)
        return f"{reference.text}.{name}", reference.wish
    return written(file, module, name, local)


def _kind_of(callee: Callee, free: Free) -> str | None:
    """Return the qualified name of the generator the function makes when it is given none."""
    body = callee.module.parsed.module.code_for_node(callee.function.body)
    for call in callee.module.calls():
        name = callee.module.names.qualify(call.func)
        if name in _GENERATORS and callee.function in callee.module.parsed.ancestors(call):
            return name
    for kind in _GENERATORS:
        if kind.rpartition(".")[2] in free.annotation:
            return kind
    if "Generator" in free.annotation:
        return "numpy.random.default_rng"
    uses = re.search(rf"\b{re.escape(free.name)}\s*=\s*{re.escape(free.name)}\s+or\s+(\w+)\b", body)
    fallback = callee.module.names.bindings.get(uses[1], "") if uses else ""
    return "random.Random" if fallback == "random" else None
