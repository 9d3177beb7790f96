"""A mutable value on a test class, shared by its tests: give each test its own in the set-up."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import StateChange, StateKind
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour, flavour_of
from regreen_agents.repair.recipes.methods import SET_UP, SETUP_METHOD, with_set_up
from regreen_agents.repair.recipes.monkeypatching import polluters_of
from regreen_agents.repair.recipes.names import bound_in, is_dotted_name
from regreen_agents.repair.source import Place, SourceTree, class_definition, definition

_CLASS_MADE = re.compile(r"\bcls\.(\w+)\s*=[^=]")
_USED = re.compile(r"\b(?:self|cls)\.(\w+)")


class _Held(NamedTuple):
    file: SourceFile
    classes: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class OwnInstance:
    """Moves a class attribute, or what ``setUpClass`` makes, into the set-up of each test."""

    name: str = "own_instance"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of the test class, or None when the state is not one of its attributes."""
        draft = Draft(tree)
        places = [draft.place(test) for test in polluters_of(finding)]
        path = next((place.path for place in places if place is not None), "")
        lines: list[str] = []
        names: list[str] = []
        for owner in _owners(finding, places, draft.file(path)):
            file = draft.file(path)
            held = _Held(file, *owner) if file is not None and owner is not None else None
            moved = _moved(held) if held is not None else None
            if held is None or moved is None:
                return None
            draft.put(moved)
            names.append(".".join([*held.classes, held.name]))
            lines.append(f"{path}:{_line(tree, held)} make {held.name} for each test")
        return self._proposal(draft, names, lines) if names else None

    def _proposal(self, draft: Draft, names: Sequence[str], lines: Sequence[str]) -> Proposal:
        what = " and ".join(names)
        return Proposal(
            recipe=self.name,
            title=f"Make {what} anew for each test",
            strategy=f"{what} is one object for all tests of the class, so what one test puts into "
            "it the next one finds. The set-up makes it for each test.",
            pros=("No test has to change.", "Nothing is shared any more."),
            cons=("The set-up runs once for each test.",),
            edits=draft.edits(),
            change_lines=tuple(lines),
        )


def _owners(
    finding: Finding, places: Sequence[Place | None], file: SourceFile | None
) -> list[tuple[tuple[str, ...], str] | None]:
    """Return the class and name of each attribute that is shared; None where it is none."""
    if file is None:
        return []
    if finding.state:
        return [_owner(file, change) for change in finding.state]
    return list(_made_for_the_class(finding, places, file))


def _owner(file: SourceFile, change: StateChange) -> tuple[tuple[str, ...], str] | None:
    """Return the class of this file that holds the state, and its name there."""
    if change.kind is not StateKind.CLASS_ATTRIBUTE or not is_dotted_name(change.attribute):
        return None
    *classes, name = change.attribute.split(".")
    return (tuple(classes), name) if file.is_module(change.module) and classes else None


def _made_for_the_class(
    finding: Finding, places: Sequence[Place | None], file: SourceFile
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what ``setUpClass`` makes and all these tests of one class use.

    It is made anew whenever the class is run, so no change of it is seen from outside.
    """
    tests = [*places, *(Draft(file.tree).place(victim) for victim in finding.victims)]
    classes = {(place.path, place.classes) for place in tests if place is not None}
    functions = [file.function(place) for place in tests if place is not None]
    if len(classes) != 1 or len(functions) != len(tests) or not all(c for _, c in classes):
        return
    ((_, owner),) = classes
    wide = [definition(file.module, owner, name) for name in ("setUpClass", "setup_class")]
    made = [code for one in wide if one is not None for code in _CLASS_MADE.findall(_code(one))]
    uses = [set(_USED.findall(_code(function))) for function in functions if function]
    for name in [name for name in dict.fromkeys(made) if all(name in used for used in uses)][:1]:
        yield owner, name  # the whole set-up moves with the first


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _moved(held: _Held) -> SourceFile | None:
    """Return the file with the value made in the set-up, or None when it is made elsewhere."""
    holder = class_definition(held.file.module, held.classes)
    set_up = _set_up_name(held)
    if holder is None or not set_up:
        return None
    return _from_body(held, holder, set_up) or _from_class_set_up(held, set_up)


def _set_up_name(held: _Held) -> str:
    flavour = flavour_of(held.file, Place(held.file.path, held.classes, "", 1))
    return {Flavour.UNITTEST: SET_UP, Flavour.PLAIN: SETUP_METHOD}.get(flavour, "")


def _from_body(held: _Held, holder: cst.ClassDef, set_up: str) -> SourceFile | None:
    """Move ``name = value`` from the body of the class."""
    for line in holder.body.body:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        value = _assigned(small, held.name)
        if small is None or value is None:
            continue
        if _used_in_body(holder, line, held.name):
            return None
        code = held.file.module.code_for_node(value)
        body = [one for one in holder.body.body if one is not line]
        if not body:
            return None
        bare = holder.with_changes(body=holder.body.with_changes(body=body))
        file = held.file.swap(holder, bare)
        return with_set_up(file, held.classes, (f"self.{held.name} = {code}",), set_up)
    return None


def _from_class_set_up(held: _Held, set_up: str) -> SourceFile | None:
    """Turn ``setUpClass`` into ``setUp`` where it only makes attributes."""
    wide = "setUpClass" if set_up == SET_UP else "setup_class"
    function = definition(held.file.module, held.classes, wide)
    if function is None or definition(held.file.module, held.classes, set_up) is not None:
        return None
    module = held.file.module
    if f"cls.{held.name}" not in module.code_for_node(function):
        return None
    tear_down = {"setUpClass": "tearDownClass", "setup_class": "teardown_class"}[wide]
    if definition(module, held.classes, tear_down) is not None or bound_in(function) & {"self"}:
        return None
    body = function.body.visit(_Receiver(wide, set_up))
    params = function.params.with_changes(params=[cst.Param(cst.Name("self"))])
    if not isinstance(body, cst.BaseSuite):
        return None
    changed = function.with_changes(name=cst.Name(set_up), params=params, body=body, decorators=[])
    if function.decorators:
        changed = changed.with_changes(leading_lines=function.leading_lines)
    return held.file.swap(function, changed)


class _Receiver(cst.CSTTransformer):
    """Writes ``self`` for ``cls``, and calls the narrow method of the base class."""

    def __init__(self, wide: str, narrow: str) -> None:
        super().__init__()
        self._names = {"cls": "self", wide: narrow}

    def leave_Name(  # noqa: N802 - LibCST's name
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.Name:
        return updated_node.with_changes(
            value=self._names.get(original_node.value, original_node.value)
        )


def _assigned(small: cst.CSTNode | None, name: str) -> cst.BaseExpression | None:
    if isinstance(small, cst.Assign):
        targets = [one.target for one in small.targets]
        if len(targets) == 1 and isinstance(targets[0], cst.Name) and targets[0].value == name:
            return small.value
    if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
        return small.value if small.target.value == name else None
    return None


def _used_in_body(holder: cst.ClassDef, line: cst.CSTNode, name: str) -> bool:
    """Tell whether the body of the class itself, or a decorator in it, uses the name."""
    for other in holder.body.body:
        if other is line:
            continue
        nodes: Sequence[cst.CSTNode] = (
            other.decorators if isinstance(other, cst.FunctionDef) else [other]
        )
        for node in nodes:
            if isinstance(node, cst.ClassDef):
                continue
            found = _Names()
            node.visit(found)
            if name in found.found:
                return True
    return False


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - LibCST's name
        self.found.add(node.value)


def _line(tree: SourceTree, held: _Held) -> int:
    parsed = tree.parse(held.file.path)
    holder = class_definition(parsed.module, held.classes) if parsed is not None else None
    return parsed.line(holder) if parsed is not None and holder is not None else 1
