"""Standard library calls whose successors take more than a new name."""

import re
from collections.abc import Callable

import libcst as cst

from regreen_agents.repair.modernise.rename_imports import unused, without_imports
from regreen_agents.repair.modernise.sources import (
    Guarded,
    Source,
    code_of,
    transformed,
    transformed_by,
    visited,
)
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names


def call_codemod(
    name: str, rewrite: Callable[[cst.Call], str | None], wish: str = ""
) -> Callable[[Source], str | None]:
    """Return a codemod for the calls of one function.

    Args:
        name: Dotted: ``cgi.escape``.
        rewrite: From a call to the text of its successor; None leaves it.
        wish: An import the successor needs.
    """

    def codemod(source: Source) -> str | None:
        if name.rpartition(".")[2] not in source.text:
            return None
        found = visited(source, lambda names: _Calls(names, name, rewrite))
        if found is None:
            return None
        owner = name.partition(".")[0]
        ours = {k for k, q in found.names.bindings.items() if q in (owner, name)}
        changed = without_imports(found.after, unused(found.after, ours))
        return (with_import(changed, wish, source.is_ours) if wish else changed).code

    return codemod


class _Calls(Guarded):
    def __init__(self, names: Names, name: str, rewrite: Callable[[cst.Call], str | None]) -> None:
        super().__init__()
        self._names = names
        self._name = name
        self._rewrite = rewrite

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if self.guards or self._names.qualify(original_node.func) != self._name:
            return updated_node
        text = self._rewrite(updated_node)
        return updated_node if text is None else cst.parse_expression(text)


def arguments(call: cst.Call) -> list[str]:
    """Return the texts of a call's arguments, keywords and stars with them."""
    return [code_of(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in call.args]


def _escape(call: cst.Call) -> str | None:
    args = arguments(call)
    quoted = len(args) > 1 or any("quote" in a for a in args)
    return f"html.escape({', '.join(args if quoted else [*args, 'quote=False'])})"


cgi_escape = call_codemod("cgi.escape", _escape, "import html")


def _new_module(call: cst.Call) -> str:
    return f"types.ModuleType({', '.join(arguments(call))})"


imp_new_module = call_codemod("imp.new_module", _new_module, "import types")


def _load_source(call: cst.Call) -> str | None:
    args = arguments(call)
    if len(args) != 2:  # noqa: PLR2004 - a name and a path
        return None
    return f"importlib.machinery.SourceFileLoader({', '.join(args)}).load_module()"


imp_load_source = call_codemod("imp.load_source", _load_source, "import importlib.machinery")


def _make_suite(call: cst.Call) -> str | None:
    args = arguments(call)
    if len(args) != 1:
        return None
    return f"unittest.defaultTestLoader.loadTestsFromTestCase({args[0]})"


make_suite = call_codemod("unittest.makeSuite", _make_suite, "import unittest")


def _resource(call: cst.Call) -> str | None:
    args = arguments(call)
    return f"pkgutil.get_data({', '.join(args)})" if args and args[0] == "__name__" else None


resource_string = call_codemod("pkg_resources.resource_string", _resource, "import pkgutil")


def _yaml_load(call: cst.Call) -> str | None:
    args = arguments(call)
    function = call.func
    if len(args) != 1 or not isinstance(function, cst.Attribute):
        return None
    return f"{code_of(function.value)}.safe_{function.attr.value}({args[0]})"


yaml_load = call_codemod("yaml.load", _yaml_load)
yaml_load_all = call_codemod("yaml.load_all", _yaml_load)


def distribution_version(source: Source) -> str | None:
    """``pkg_resources.get_distribution(x).version`` -> ``importlib.metadata.version(x)``."""
    found = visited(source, _Version) if "get_distribution" in source.text else None
    if found is None:
        return None
    ours = unused(found.after, ("pkg_resources", "get_distribution"))
    changed = without_imports(found.after, ours)
    return with_import(changed, "import importlib.metadata", source.is_ours).code


class _Version(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        call = original_node.value
        if original_node.attr.value != "version" or not isinstance(call, cst.Call):
            return updated_node
        if self._names.qualify(call.func) != "pkg_resources.get_distribution":
            return updated_node
        return cst.parse_expression(f"importlib.metadata.version({', '.join(arguments(call))})")


_INLINE = re.compile(r"\(\?[aiLmsux]+\)")


def inline_flags(source: Source) -> str | None:
    """Move ``(?i)`` from the middle of a literal pattern to its start."""
    return transformed(source, _Flags()) if "(?" in source.text else None


class _Flags(cst.CSTTransformer):
    def leave_SimpleString(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleString,  # noqa: ARG002
        updated_node: cst.SimpleString,
    ) -> cst.SimpleString:
        text = updated_node.value
        opening = updated_node.prefix + updated_node.quote
        inside = text[len(opening) : -len(updated_node.quote)]
        found = _INLINE.findall(inside)
        if not found or (inside.startswith("(?") and len(found) == 1):
            return updated_node
        moved = "".join(found) + _INLINE.sub("", inside)
        return updated_node.with_changes(value=f"{opening}{moved}{updated_node.quote}")


def universal_newlines(source: Source) -> str | None:
    """``open(path, 'rU')`` -> ``open(path, 'r')``: text mode reads any newline."""
    has = re.search(r"['\"]r?b?U", source.text)
    return transformed_by(source, _OpenMode) if has else None


class _OpenMode(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.Call:
        if self._names.qualify(original_node.func) not in ("open", "io.open", "codecs.open"):
            return updated_node
        args = list(updated_node.args)
        for index, arg in enumerate(args):
            is_mode = index == 1 if arg.keyword is None else arg.keyword.value == "mode"
            if is_mode and isinstance(arg.value, cst.SimpleString) and "U" in arg.value.value:
                mode = arg.value.value.replace("U", "")
                mode = mode if re.search(r"[rwa]", mode) else mode[0] + "r" + mode[1:]
                args[index] = arg.with_changes(value=arg.value.with_changes(value=mode))
        return updated_node.with_changes(args=args)


def get_children(source: Source) -> str | None:
    """``element.getchildren()`` -> ``list(element)``, ``getiterator()`` -> ``iter()``."""
    has = "getchildren" in source.text or "getiterator" in source.text
    return transformed(source, _Elements()) if has else None


class _Elements(cst.CSTTransformer):
    def leave_Call(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Call,  # noqa: ARG002
        updated_node: cst.Call,
    ) -> cst.Call:
        function = updated_node.func
        name = function.attr.value if isinstance(function, cst.Attribute) else ""
        if isinstance(function, cst.Attribute) and name == "getchildren" and not updated_node.args:
            return cst.Call(func=cst.Name("list"), args=[cst.Arg(function.value)])
        if isinstance(function, cst.Attribute) and name == "getiterator":
            return updated_node.with_changes(func=function.with_changes(attr=cst.Name("iter")))
        return updated_node


def array_bytes(source: Source) -> str | None:
    """``a.tostring()`` -> ``a.tobytes()``; with arguments it is another function's."""
    return transformed(source, _ArrayBytes()) if "tostring()" in source.text else None


class _ArrayBytes(cst.CSTTransformer):
    def leave_Call(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.Call,  # noqa: ARG002
        updated_node: cst.Call,
    ) -> cst.Call:
        function = updated_node.func
        if not isinstance(function, cst.Attribute) or updated_node.args:
            return updated_node
        if function.attr.value != "tostring":
            return updated_node
        return updated_node.with_changes(func=function.with_changes(attr=cst.Name("tobytes")))


def unescape(source: Source) -> str | None:
    """``HTMLParser().unescape(s)`` -> ``html.unescape(s)``."""
    found = visited(source, _Unescape) if "unescape" in source.text else None
    return with_import(found.after, "import html", source.is_ours).code if found else None


class _Unescape(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.Call:
        function = original_node.func
        if not isinstance(function, cst.Attribute) or function.attr.value != "unescape":
            return updated_node
        owner = function.value
        made = isinstance(owner, cst.Call) and self._names.qualify(owner.func)
        if made not in ("html.parser.HTMLParser", "HTMLParser.HTMLParser"):
            return updated_node
        return updated_node.with_changes(func=cst.parse_expression("html.unescape"))
