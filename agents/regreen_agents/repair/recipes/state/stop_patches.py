"""A patch that a test starts and does not always stop: register the stop where it starts."""

from dataclasses import dataclass

import libcst as cst

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.flavours import Flavour
from regreen_agents.repair.recipes.functions import contains, with_parameter
from regreen_agents.repair.recipes.monkeypatching import Site, polluters_of, site_of, takes_fixtures
from regreen_agents.repair.recipes.names import Names, dotted
from regreen_agents.repair.recipes.snippets import statement
from regreen_agents.repair.source import Place, SourceTree

_STOPS = {"freeze_time": "stop", "Timer": "cancel", "MonkeyPatch": "undo"}
"""By the last part of what makes an object that is started."""
_SET_UPS = ("setUp",)


@dataclass(frozen=True)
class StopPatches:
    """Adds ``addCleanup(patcher.stop)`` or a finalizer after each ``patcher.start()``."""

    name: str = "stop_patches"
    causes: frozenset[Cause] = frozenset({Cause.GLOBAL_STATE, Cause.SELF_POLLUTION})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return edits of every polluter, or None when one starts nothing by a name."""
        draft = Draft(tree)
        places: dict[Place, None] = {}
        for node_id in polluters_of(finding):
            site = site_of(draft, node_id)
            if site is None:
                return None
            for one in _sites(site):
                file = _stopped(one) if one.place not in places else None
                if file is not None:
                    draft.put(file)
                    places[one.place] = None
                    break
            else:
                if not any(one.place in places for one in _sites(site)):
                    return None
        return self._proposal(draft, tuple(places)) if places else None

    def _proposal(self, draft: Draft, places: tuple[Place, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Stop what the test starts, also when it fails",
            strategy="Right after each `.start()` of a patch the test registers its `.stop()`, "
            "which then runs when the test ends, however it ends.",
            pros=("Touches only the tests that leak.", "Works even when the test fails."),
            cons=("A `with` block would show the extent of the patch better.",),
            edits=draft.edits(),
            change_lines=tuple(f"{p.path}:{p.line} stop the patch at the end" for p in places),
        )


def _sites(site: Site) -> list[Site]:
    """Return the test, and the set-up method of its class."""
    found = [site]
    for name in _SET_UPS if site.flavour is Flavour.UNITTEST else ():
        place = site.place._replace(function=name)
        function = site.file.function(place)
        if function is not None:
            found.append(site._replace(place=place, function=function))
    return found


def _stopped(site: Site) -> SourceFile | None:
    """Return the file with the stops registered in one function, or None when none is missing."""
    if site.flavour is Flavour.UNITTEST:
        register = "self.addCleanup"
    elif takes_fixtures(site):
        register = "request.addfinalizer"
    else:
        return None
    adding = _Adding(site, register)
    body = site.function.body.visit(adding)
    if adding.added == 0 or not isinstance(body, cst.BaseSuite):
        return None
    function = site.function.with_changes(body=body)
    if register.startswith("request"):
        function = with_parameter(function, "request")
    return site.file.swap(site.function, function)


class _Adding(cst.CSTTransformer):
    """Adds a line after each start whose stop is missing, or is reached by a green test only."""

    def __init__(self, site: Site, register: str) -> None:
        super().__init__()
        self._site = site
        self._names = site.file.names_in(site.function)
        self._register = register
        self._seen = _Seen(self._names)
        site.function.visit(self._seen)
        self.added = 0

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        node = _called(original_node)
        if node is None or not isinstance(node.func, cst.Attribute):
            return updated_node
        if node.func.attr.value != "start":
            return updated_node
        if isinstance(node.func.value, cst.Call):
            return self._unchained(updated_node, node.func.value)
        owner = dotted(node.func.value)
        stop = self._seen.stops.get(owner, "")
        if not stop:
            return updated_node
        line = statement(self._site.file.module, f"{self._register}({owner}.{stop})")
        if contains(self._site.file.module, self._site.function, line):
            return updated_node
        self.added += 1
        return cst.FlattenSentinel([updated_node, line])

    def _unchained(
        self, line: cst.SimpleStatementLine, maker: cst.Call
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        """Give the patcher of ``patch(...).start()`` a name."""
        stop = _stop_of(self._names.qualify(maker.func))
        if not stop:
            return line
        name = "patcher" if not self.added else f"patcher_{self.added + 1}"
        while name in self._names.used:
            name += "_"
        self.added += 1
        made = cst.Assign([cst.AssignTarget(cst.Name(name))], maker)
        started = line.with_deep_changes(_call_in(line), func=cst.parse_expression(f"{name}.start"))
        return cst.FlattenSentinel(
            [
                cst.SimpleStatementLine([made], leading_lines=line.leading_lines),
                started.with_changes(leading_lines=[]),
                statement(self._site.file.module, f"{self._register}({name}.{stop})"),
            ]
        )


class _Seen(cst.CSTVisitor):
    """Collects the names that stand for something to be stopped, and how."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self.stops: dict[str, str] = {}
        self.made: dict[str, str] = {}
        self._in_finally = 0

    def visit_Finally(self, node: cst.Finally) -> None:  # noqa: N802, ARG002 - LibCST's name
        self._in_finally += 1

    def leave_Finally(self, original_node: cst.Finally) -> None:  # noqa: N802, ARG002 - LibCST's name
        self._in_finally -= 1

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802 - LibCST's name
        name = dotted(node.targets[0].target)
        if name and isinstance(node.value, cst.Call):
            function = self._names.qualify(node.value.func)
            if _stop_of(function):
                self.stops[name] = _stop_of(function)
                self.made[name] = "patch" if "patch" in function.split(".")[-2:] else ""

    def visit_Call(self, node: cst.Call) -> None:  # noqa: N802 - LibCST's name
        """A second ``stop`` is harmless for mock's patchers, and an error for others."""
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in _STOPS.values():
            owner = dotted(node.func.value)
            if self.made.get(owner) != "patch" or self._in_finally:
                self.stops.pop(owner, None)


def _stop_of(function: str) -> str:
    """Return the method that ends what a function makes, or an empty text."""
    parts = function.split(".")
    if "patch" in parts[-2:]:
        return "stop"
    return _STOPS.get(parts[-1], "")


def _called(line: cst.SimpleStatementLine) -> cst.Call | None:
    """Return the call of ``owner.method()`` or ``x = owner.method()``."""
    small = line.body[0] if len(line.body) == 1 else None
    value = small.value if isinstance(small, cst.Expr | cst.Assign) else None
    return value if isinstance(value, cst.Call) and not value.args else None


def _call_in(line: cst.SimpleStatementLine) -> cst.Call:
    found = _called(line)
    if found is None:
        raise TypeError("The line is no call.")
    return found
