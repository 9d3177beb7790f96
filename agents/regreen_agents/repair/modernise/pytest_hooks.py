"""The path arguments of pytest's hooks: `py.path` went, `pathlib` came."""

import re

import libcst as cst

from regreen_agents.repair.modernise.sources import Source, parsed
from regreen_agents.repair.recipes.names import dotted

_PATH_HOOKS = {
    "pytest_collect_file": ("path", "file_path"),
    "pytest_ignore_collect": ("path", "collection_path"),
    "pytest_pycollect_makemodule": ("path", "module_path"),
    "pytest_report_header": ("startdir", "start_path"),
    "pytest_report_collectionfinish": ("startdir", "start_path"),
}


def hook_paths(source: Source) -> str | None:
    """The ``path`` argument of hooks -> the `pathlib` one; its uses follow."""
    module = parsed(source.text)
    if module is None or not re.search(r"\b(?:path|startdir)\b", source.text):
        return None
    code = module.visit(_HookPaths()).code
    return code if code != source.text else None


class _HookPaths(cst.CSTTransformer):
    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        old, new = _PATH_HOOKS.get(original_node.name.value, ("", ""))
        named = [p.name.value for p in updated_node.params.params]
        if old not in named:
            return updated_node
        if new in named:
            params = [p for p in updated_node.params.params if p.name.value != old]
        else:
            params = [
                p.with_changes(name=cst.Name(new)) if p.name.value == old else p
                for p in updated_node.params.params
            ]
        params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(
            params=updated_node.params.with_changes(params=params),
            body=updated_node.body.visit(_PathUses(old, new)),
        )


class _PathUses(cst.CSTTransformer):
    """py.path's attributes as pathlib's: ``ext``, ``basename``, ``purebasename``, ``dirname``."""

    _ATTRIBUTES = {  # noqa: RUF012 - a constant
        "ext": "{}.suffix",
        "basename": "{}.name",
        "purebasename": "{}.stem",
        "dirname": "str({}.parent)",
        "strpath": "str({})",
    }

    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self._old = old
        self._new = new

    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        form = self._ATTRIBUTES.get(original_node.attr.value)
        if form is None or dotted(original_node.value) != self._old:
            return updated_node
        return cst.parse_expression(form.format(self._new))

    def leave_Call(  # noqa: N802 - LibCST's name
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        called = dotted(original_node.func)
        if called == f"{self._old}.check" and not original_node.args:
            return cst.parse_expression(f"{self._new}.exists()")
        if called == f"{self._old}.fnmatch":
            return updated_node.with_changes(func=cst.parse_expression(f"{self._new}.match"))
        return updated_node

    def leave_Name(  # noqa: N802 - LibCST's name
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.Name:
        is_it = original_node.value == self._old
        return updated_node.with_changes(value=self._new) if is_it else updated_node

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        """``fspath=path`` of a collector is ``path=file_path``."""
        keyword = original_node.keyword
        if keyword is None:
            return updated_node
        is_path = dotted(original_node.value) == self._old
        name = "path" if keyword.value == "fspath" and is_path else keyword.value
        return updated_node.with_changes(keyword=cst.Name(name))
