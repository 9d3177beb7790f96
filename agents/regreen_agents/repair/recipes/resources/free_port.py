"""A fixed port that something else holds: let the system choose one, and ask which."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.lab.validation import TAKEN
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import swapped
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import Site, site_of
from regreen_agents.repair.source import SourceTree

_SERVERS = re.compile(r"(?:^|\.)\w*(?:HTTP|TCP|UDP|RPC|WSGI)\w*Server$")
_PLAIN_PORTS = range(1024, 65536)
_CAUSES = frozenset(
    {Cause.CONCURRENCY, Cause.NETWORK, Cause.GLOBAL_STATE, Cause.SELF_POLLUTION, Cause.CODE_BUG}
    | {Cause.SURROUNDINGS, Cause.UNEXPLAINED, Cause.LEFT_FILE}
)


class _Bound(NamedTuple):
    """Where a port is bound in a test."""

    port: cst.BaseExpression
    """The number, or the constant that stands for it."""
    number: int
    asked: str
    """The expression that tells the port that was chosen."""


@dataclass(frozen=True)
class FreePort:
    """Binds port 0, and writes the chosen port where the fixed one was written."""

    name: str = "free_port"
    causes: frozenset[Cause] = _CAUSES

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the edits of the tests that bind the port; None when none binds one itself."""
        said = finding.failure.message if finding.failure else ""
        draft = Draft(tree)
        lines: dict[str, None] = {}
        for node_id in (*finding.victims, *finding.polluters) if TAKEN.search(said) else ():
            site = site_of(draft, node_id)
            bound = _bound(site) if site is not None else None
            if site is None or bound is None:
                continue
            draft.put(_freed(site, bound))
            lines[f"{site.place.path}:{site.place.line} let the system choose the port"] = None
        return self._proposal(draft, tuple(lines)) if lines else None

    def _proposal(self, draft: Draft, lines: tuple[str, ...]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title="Bind any free port instead of a fixed one",
            strategy="The server binds port 0, so the system gives it a free port; the rest of "
            "the test asks the server which one that is.",
            pros=(
                "Two runs, workers or leftovers of another test cannot take the port.",
                "Nothing is retried, and nothing waits.",
            ),
            cons=("A number in a log is no longer the same each time.",),
            edits=draft.edits(),
            change_lines=lines,
        )


def _bound(site: Site) -> _Bound | None:
    """Return the server or socket that a test makes on a fixed port."""
    constants = _constants(site.file.module)
    for call, name in _made(site.function):
        address = call.args[0].value if call.args else None
        if not isinstance(address, cst.Tuple) or len(address.elements) < 2:  # noqa: PLR2004 - host, port
            continue
        port = address.elements[1].value
        number = _number(port, constants)
        if number in _PLAIN_PORTS and number is not None:
            return _Bound(port, number, name)
    return None


def _made(function: cst.FunctionDef) -> list[tuple[cst.Call, str]]:
    """Return calls that bind an address, each with the expression of the port it got."""
    found: list[tuple[cst.Call, str]] = []
    for node in m.findall(function, m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Call())):
        target, value = _parts(node)
        if value is not None and _SERVERS.search(_written(value.func)):
            found.append((value, f"{target}.server_address[1]"))
    for item in m.findall(function, m.WithItem(item=m.Call(), asname=m.AsName(m.Name()))):
        if isinstance(item, cst.WithItem) and isinstance(item.item, cst.Call) and item.asname:
            name = _written(item.asname.name)
            if _SERVERS.search(_written(item.item.func)):
                found.append((item.item, f"{name}.server_address[1]"))
    for call in m.findall(function, m.Call(func=m.Attribute(m.Name(), m.Name("bind")))):
        if isinstance(call, cst.Call):
            name = _written(call.func).removesuffix(".bind")
            found.append((call, f"{name}.getsockname()[1]"))
    return found


def _parts(node: cst.CSTNode) -> tuple[str, cst.Call | None]:
    assign = cst.ensure_type(node, cst.Assign)
    value = assign.value if isinstance(assign.value, cst.Call) else None
    return cst.ensure_type(assign.targets[0].target, cst.Name).value, value


def _written(node: cst.BaseExpression) -> str:
    return cst.Module([]).code_for_node(node)


def _constants(module: cst.Module) -> dict[str, int]:
    found = {}
    for line in module.body:
        for node in m.findall(
            line, m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Integer())
        ):
            assign = cst.ensure_type(node, cst.Assign)
            name = cst.ensure_type(assign.targets[0].target, cst.Name).value
            found[name] = cst.ensure_type(assign.value, cst.Integer).evaluated_value
    return found


def _number(node: cst.BaseExpression, constants: dict[str, int]) -> int | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    return constants.get(node.value) if isinstance(node, cst.Name) else None


def _freed(site: Site, bound: _Bound) -> SourceFile:
    """Return the file with port 0 bound and the chosen port everywhere else in the test."""
    asked = cst.parse_expression(bound.asked)
    instead: dict[cst.CSTNode, cst.CSTNode] = {bound.port: cst.Integer("0")}
    for node in m.findall(site.function.body, m.Integer() | m.Name()):
        same = node.deep_equals(bound.port)
        if same and node is not bound.port:
            instead[node] = asked
    for node in m.findall(site.function.body, m.SimpleString()):
        formatted = _formatted(cst.ensure_type(node, cst.SimpleString), bound)
        if formatted is not None:
            instead[node] = formatted
    file = SourceFile(site.file.tree, site.file.path, swapped(site.file.module, instead))
    return _without_constant(file, bound)


def _formatted(node: cst.SimpleString, bound: _Bound) -> cst.BaseExpression | None:
    """Return ``"http://localhost:8765/x"`` with the port asked for."""
    text = text_of(node)
    wanted = f":{bound.number}"
    plain = text is not None and wanted in text and not {"{", "}"} & set(text) and not node.prefix
    if not plain or node.raw_value.count(wanted) == 0:
        return None
    raw = node.raw_value.replace(wanted, f":{{{bound.asked}}}")
    return cst.parse_expression(f"f{node.quote}{raw}{node.quote}")


def _without_constant(file: SourceFile, bound: _Bound) -> SourceFile:
    """Take away the constant of the port where nothing uses it any more."""
    if not isinstance(bound.port, cst.Name):
        return file
    uses = m.findall(file.module, m.Name(bound.port.value))
    lines = [n for n in file.module.body if m.matches(n, _assigns(bound.port.value))]
    if len(uses) == 1 and len(lines) == 1:
        body = [node for node in file.module.body if node is not lines[0]]
        return SourceFile(file.tree, file.path, file.module.with_changes(body=body))
    return file


def _assigns(name: str) -> m.SimpleStatementLine:
    return m.SimpleStatementLine([m.Assign(targets=[m.AssignTarget(m.Name(name))])])
