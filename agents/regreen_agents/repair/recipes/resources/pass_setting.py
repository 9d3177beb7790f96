"""Code that reads its configuration from the environment: a parameter that tests can pass (R9)."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
import libcst.matchers as m

from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.identity import NodeId
from regreen_agents.domain.runs import StateKind
from regreen_agents.lab.signatures import is_test_path
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.draft import Draft, SourceFile
from regreen_agents.repair.recipes.functions import swapped, with_first_statements
from regreen_agents.repair.recipes.literals import text_of
from regreen_agents.repair.recipes.monkeypatching import Site, polluters_of, site_of
from regreen_agents.repair.recipes.names import Names, bound_in
from regreen_agents.repair.recipes.snippets import statements
from regreen_agents.repair.recipes.unused_imports import without_unused
from regreen_agents.repair.source import SourceTree, definition, definitions


class _Reader(NamedTuple):
    """A function of the code under test that reads the variable, once."""

    path: str
    function: cst.FunctionDef
    read: cst.Call
    module: str


@dataclass(frozen=True)
class PassSetting:
    """Adds a keyword parameter whose default is the environment, and passes it in the tests."""

    name: str = "pass_setting"
    causes: frozenset[Cause] = frozenset({Cause.ENVIRONMENT_LEAK})

    def propose(self, finding: Finding, tree: SourceTree) -> Proposal | None:
        """Return the edits of the code and of every polluter.

        None when the variable is read in more than one place, at import, or where no test's own
        assignment of it can become an argument.
        """
        variables = sorted({c.target for c in finding.state if c.kind is StateKind.ENVIRONMENT})
        tests = polluters_of(finding)
        if len(variables) != 1 or not tests:
            return None
        variable = variables[0]
        reader = _reader(variable, tests, tree)
        draft = Draft(tree)
        file = draft.file(reader.path) if reader else None
        if reader is None or file is None:
            return None
        parameter = _parameter(variable, reader.function)
        draft.put(_with_parameter(file, reader, parameter))
        lines = [f"{reader.path}:1 {reader.function.name.value}() takes {parameter}"]
        for node_id in tests:
            site = site_of(draft, node_id)
            changed = _passing(site, reader, variable, parameter) if site else None
            if site is None or changed is None:
                return None
            draft.put(changed)
            lines.append(f"{site.place.path}:{site.place.line} pass {parameter}")
        return self._proposal(variable, parameter, draft, lines)

    def _proposal(self, variable: str, parameter: str, draft: Draft, lines: list[str]) -> Proposal:
        return Proposal(
            recipe=self.name,
            title=f"Pass {parameter} as an argument instead of setting {variable}",
            strategy=f"The code takes `{parameter}` as a keyword argument and asks the environment "
            f"for {variable} only without it; the tests pass it and leave the environment alone.",
            pros=(
                "No test changes the environment of the process any more.",
                "Callers see what the code depends on; nothing changes for those of today.",
            ),
            cons=(
                "It changes the signature of code under test: a maintainer has to want that.",
                f"The tests no longer show that {variable} itself is read: keep one that does.",
            ),
            edits=draft.edits(),
            change_lines=tuple(dict.fromkeys(lines)),
        )


def _reader(variable: str, tests: tuple[NodeId, ...], tree: SourceTree) -> _Reader | None:
    """Return the only function of the code under test that reads the variable."""
    paths = {path for test in tests for path in tree.imports_of(test.partition("::")[0])}
    found: list[_Reader] = []
    for path in sorted(p for p in paths if not is_test_path(p)):
        parsed = tree.parse(path)
        if parsed is None or variable not in parsed.module.code:
            continue
        file = SourceFile(tree, path, parsed.module)
        every = [c for c in _calls(parsed.module) if _reads(c, file.names, variable)]
        inside = [
            _Reader(path, function, call, tree.module_name(path))
            for function in definitions(parsed.module)
            if isinstance(function, cst.FunctionDef)
            for call in every
            if call in _calls(function.body)
        ]
        if len(inside) != len(every) or parsed.module.code.count(f"{variable}") > len(every):
            return None
        found += inside
    return found[0] if len(found) == 1 else None


def _calls(node: cst.CSTNode) -> list[cst.Call]:
    return [call for call in m.findall(node, m.Call()) if isinstance(call, cst.Call)]


def _reads(call: cst.Call, names: Names, variable: str) -> bool:
    """Tell whether a call is ``os.environ.get("X", ...)`` or ``os.getenv("X", ...)``."""
    function = names.qualify(call.func)
    named = bool(call.args) and text_of(call.args[0].value) == variable
    return named and function in {"os.environ.get", "os.getenv"}


def _parameter(variable: str, function: cst.FunctionDef) -> str:
    """Return a name for the parameter: ``SHOP_REGION`` gives ``region``, if that is free."""
    words = re.sub(r"\W+", "_", variable.lower()).strip("_")
    short = words.rpartition("_")[2]
    taken = bound_in(function) | {function.name.value}
    return next(n for n in (short, words, f"{words}_value") if n.isidentifier() and n not in taken)


def _with_parameter(file: SourceFile, reader: _Reader, name: str) -> SourceFile:
    """Return the file with ``name=None`` as a keyword parameter, used before the environment."""
    old = definition(file.module, (), reader.function.name.value)
    if old is None:
        return file
    read = file.module.code_for_node(reader.read)
    body = _swapped_body(old, reader.read, cst.Name(name))
    annotated = bool(old.returns or any(p.annotation for p in old.params.params))
    optional = cst.Annotation(cst.parse_expression("str | None")) if annotated else None
    space = (
        cst.MaybeSentinel.DEFAULT
        if annotated
        else cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    )
    new = cst.Param(cst.Name(name), annotation=optional, default=cst.Name("None"), equal=space)
    star = old.params.star_arg
    params = old.params.with_changes(
        kwonly_params=[*old.params.kwonly_params, new],
        star_arg=star if isinstance(star, cst.Param | cst.ParamStar) else cst.ParamStar(),
    )
    lines = statements(file.module, [f"if {name} is None:", f"    {name} = {read}"])
    changed = with_first_statements(old.with_changes(params=params, body=body), lines)
    return file.swap(old, changed)


def _swapped_body(
    function: cst.FunctionDef, old: cst.CSTNode, new: cst.BaseExpression
) -> cst.BaseSuite:
    """Return a function's body with one node exchanged."""
    body = function.body.deep_replace(old, new)
    if not isinstance(body, cst.BaseSuite):
        raise TypeError("A body was replaced by something else.")
    return body


def _passing(site: Site, reader: _Reader, variable: str, parameter: str) -> SourceFile | None:
    """Return the test's file with its assignment of the variable made an argument of its calls."""
    set_lines = [n for n in _statements(site.function) if _sets(n, site.file.names, variable)]
    calls = [c for c in _calls(site.function.body) if _is_call_of(c, site.file.names, reader)]
    if len(set_lines) != 1 or not calls:
        return None
    value = _value(set_lines[0])
    if value is None:
        return None
    gone = set_lines[0]
    argument = cst.Arg(
        value,
        keyword=cst.Name(parameter),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    instead: dict[cst.CSTNode, cst.CSTNode] = {
        call: call.with_changes(args=[*call.args, argument]) for call in calls
    }
    body = site.function.body
    if not isinstance(body, cst.IndentedBlock) or gone not in body.body:
        return None
    module = swapped(site.file.module, instead)
    file = SourceFile(site.file.tree, site.file.path, module)
    function = file.function(site.place)
    index = list(body.body).index(gone)
    if function is None or not isinstance(function.body, cst.IndentedBlock):
        return None
    kept = [node for n, node in enumerate(function.body.body) if n != index]
    if any(_mentions(file.module, node, variable) for node in kept):
        return None
    shorter = function.with_changes(body=function.body.with_changes(body=kept))
    return without_unused(file.swap(function, shorter), ("os",))


def _mentions(module: cst.Module, node: cst.CSTNode, variable: str) -> bool:
    return variable in module.code_for_node(node)


def _statements(function: cst.FunctionDef) -> list[cst.SimpleStatementLine]:
    found = m.findall(function.body, m.SimpleStatementLine())
    return [node for node in found if isinstance(node, cst.SimpleStatementLine)]


def _sets(node: cst.SimpleStatementLine, names: Names, variable: str) -> bool:
    small = node.body[0] if len(node.body) == 1 else None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return False
    target = small.targets[0].target
    if not isinstance(target, cst.Subscript) or names.qualify(target.value) != "os.environ":
        return False
    index = target.slice[0].slice
    return isinstance(index, cst.Index) and text_of(index.value) == variable


def _value(node: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    small = node.body[0]
    return small.value if isinstance(small, cst.Assign) else None


def _is_call_of(call: cst.Call, names: Names, reader: _Reader) -> bool:
    return names.qualify(call.func) == f"{reader.module}.{reader.function.name.value}"
