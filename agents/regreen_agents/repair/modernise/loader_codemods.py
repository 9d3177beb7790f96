"""Finding and loading modules, TLS around sockets, names of the system: more than a new name."""

from collections import Counter
from collections.abc import Mapping

import libcst as cst

from regreen_agents.repair.modernise.rename_imports import unused, uses, without_imports
from regreen_agents.repair.modernise.sources import (
    Guarded,
    Source,
    code_of,
    transformed_by,
    visited,
)
from regreen_agents.repair.modernise.stdlib_codemods import arguments
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names, dotted

_FINDERS = ("pkgutil.find_loader", "pkgutil.get_loader", "importlib.find_loader")


def finders(source: Source) -> str | None:
    """``finder.find_module(n)`` -> ``finder.find_spec(n).loader``; ``find_loader`` likewise.

    A module may be None where nothing is found, as a loader was: where only that is asked, the
    specification stands for the loader.
    """
    has = any(word in source.text for word in ("find_module", "_loader"))
    found = visited(source, _Finders) if has else None
    if found is None:
        return None
    ours = {k for k, q in found.names.bindings.items() if q in (*_FINDERS, "pkgutil")}
    gone = unused(found.after, ours)
    if found.by.written["importlib"] >= uses(found.before)["importlib"]:
        gone.add("importlib")
    changed = without_imports(found.after, gone)
    wish = "import importlib.util"
    return (with_import(changed, wish, source.is_ours) if found.by.asks else changed).code


class _Finders(Guarded):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self._used: set[cst.CSTNode] = set()
        self.written: Counter[str] = Counter()
        """Local name -> how many of its uses were written otherwise."""
        self.asks = False
        """Whether importlib.util is needed."""

    def visit_Attribute(self, node: cst.Attribute) -> None:  # noqa: N802 - LibCST's name
        self._used.add(node.value)

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if self.guards or len(updated_node.args) != 1:
            return updated_node
        loader = ".loader" if original_node in self._used else ""
        if self._names.qualify(original_node.func) in _FINDERS:
            self.asks = True
            self.written[dotted(original_node.func).partition(".")[0]] += 1
            found = f"importlib.util.find_spec({arguments(updated_node)[0]})"
            return cst.parse_expression(f"{found}{loader}")
        return self._method(original_node, updated_node, loader)

    def _method(self, original: cst.Call, updated: cst.Call, loader: str) -> cst.BaseExpression:
        function = updated.func
        if not isinstance(function, cst.Attribute) or function.attr.value != "find_module":
            return updated
        if self._names.qualify(original.func) == "imp.find_module" or not loader:
            return updated
        renamed = updated.with_changes(func=function.with_changes(attr=cst.Name("find_spec")))
        return cst.Attribute(value=renamed, attr=cst.Name("loader"))


_WRAP = ("sock", "keyfile", "certfile", "server_side", "cert_reqs", "ssl_version", "ca_certs")
_OF_THE_CONTEXT = ("keyfile", "certfile", "cert_reqs", "ssl_version", "ca_certs", "ciphers")


def wrap_socket(source: Source) -> str | None:
    """``ssl.wrap_socket(...)`` as a statement of its own -> a context made before it."""
    return transformed_by(source, _WrapSocket) if "wrap_socket" in source.text else None


class _WrapSocket(Guarded):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names
        self._before: list[str] = []

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:  # noqa: N802, ARG002
        self._before = []

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        called = self._names.qualify(original_node.func) == "ssl.wrap_socket"
        if not called or self.guards or self._before or any(a.star for a in updated_node.args):
            return updated_node
        args = {
            _WRAP[i] if a.keyword is None else a.keyword.value: code_of(a.value)
            for i, a in enumerate(updated_node.args)
        }
        if "sock" not in args:
            return updated_node
        self._before = _context(args)
        rest = [f"{k}={v}" for k, v in args.items() if k not in ("sock", *_OF_THE_CONTEXT)]
        return cst.parse_expression(f"context.wrap_socket({', '.join([args['sock'], *rest])})")

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleStatementLine,  # noqa: ARG002
        updated_node: cst.SimpleStatementLine,
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.BaseStatement]:
        before, self._before = self._before, []
        if not before:
            return updated_node
        made = [cst.parse_statement(line) for line in before]
        first = made[0].with_changes(leading_lines=updated_node.leading_lines)
        return cst.FlattenSentinel([first, *made[1:], updated_node.with_changes(leading_lines=[])])


def _context(args: Mapping[str, str]) -> list[str]:
    """Return the statements that make a context as wrap_socket made one of its arguments."""
    serves = args.get("server_side", "False") == "True"
    side = "ssl.PROTOCOL_TLS_SERVER" if serves else "ssl.PROTOCOL_TLS_CLIENT"
    lines = [f"context = ssl.SSLContext({side})"]
    if not serves:
        lines.append("context.check_hostname = False")
    if not serves or "cert_reqs" in args:
        lines.append(f"context.verify_mode = {args.get('cert_reqs', 'ssl.CERT_NONE')}")
    if "ca_certs" in args:
        lines.append(f"context.load_verify_locations({args['ca_certs']})")
    if "certfile" in args:
        files = [args["certfile"], *([args["keyfile"]] if "keyfile" in args else [])]
        lines.append(f"context.load_cert_chain({', '.join(files)})")
    if "ciphers" in args:
        lines.append(f"context.set_ciphers({args['ciphers']})")
    return lines


_RELEASE = ("NAME", "VERSION_ID", "VERSION_CODENAME")
"""Keys of os-release for what linux_distribution returned, in its order."""


def linux_distribution(source: Source) -> str | None:
    """``platform.linux_distribution()`` -> ``platform.freedesktop_os_release()``."""
    has = any(word in source.text for word in ("linux_distribution", "dist("))
    found = visited(source, _Distribution) if has else None
    return with_import(found.after, "import platform", source.is_ours).code if found else None


class _Distribution(Guarded):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def _is_it(self, node: cst.CSTNode) -> bool:
        gone = ("platform.linux_distribution", "platform.dist")
        return isinstance(node, cst.Call) and self._names.qualify(node.func) in gone

    def leave_Subscript(  # noqa: N802 - LibCST's name
        self, original_node: cst.Subscript, updated_node: cst.Subscript
    ) -> cst.BaseExpression:
        index = code_of(original_node.slice[0])
        if self.guards or not self._is_it(original_node.value) or index not in ("0", "1", "2"):
            return updated_node
        key = _RELEASE[int(index)]
        return cst.parse_expression(f'platform.freedesktop_os_release().get("{key}", "")')

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if self.guards or not self._is_it(original_node):
            return updated_node
        keys = ", ".join(f'"{key}"' for key in _RELEASE)
        release = "platform.freedesktop_os_release()"
        return cst.parse_expression(f'tuple({release}.get(key, "") for key in ({keys}))')
