"""What pytest took away, where its successor is written in another way."""

import re

import libcst as cst

from regreen_agents.repair.modernise.sources import Source, code_of, parsed
from regreen_agents.repair.recipes.imports import with_import
from regreen_agents.repair.recipes.names import Names, dotted


def nose_setup(source: Source) -> str | None:
    """``setup``/``teardown`` as nose called them -> pytest's own names."""
    module = parsed(source.text)
    if module is None or not re.search(r"def (?:setup|teardown|setUp|tearDown)\b", source.text):
        return None
    code = module.visit(_NoseSetup(_mixins_of_cases(module))).code
    return code if code != source.text else None


class _NoseSetup(cst.CSTTransformer):
    _MODULE = {"setup": "setup_module", "teardown": "teardown_module"}  # noqa: RUF012
    _METHODS = {  # noqa: RUF012 - a constant
        "setup": "setup_method",
        "teardown": "teardown_method",
        "setUp": "setup_method",
        "tearDown": "teardown_method",
    }

    def __init__(self, mixins: frozenset[str]) -> None:
        super().__init__()
        self._mixins = mixins
        self._classes: list[bool] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802 - LibCST's name
        bases = [code_of(base.value) for base in node.bases]
        own = all(base == "object" for base in bases) and node.name.value not in self._mixins
        self._classes.append(own or (node.name.value.startswith("Test") and not _is_case(bases)))

    def leave_ClassDef(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.ClassDef,  # noqa: ARG002
        updated_node: cst.ClassDef,
    ) -> cst.ClassDef:
        self._classes.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002
        return False

    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if original_node.decorators:
            return updated_node
        known = self._METHODS if self._classes and self._classes[-1] else {}
        known = known if self._classes else self._MODULE
        new = known.get(original_node.name.value)
        return updated_node.with_changes(name=cst.Name(new)) if new else updated_node


def _mixins_of_cases(module: cst.Module) -> frozenset[str]:
    """Names of the classes that a `unittest` case of this module inherits from."""
    classes = {
        node.name.value: [code_of(base.value) for base in node.bases]
        for node in module.body
        if isinstance(node, cst.ClassDef)
    }
    found: set[str] = set()
    waiting = [base for bases in classes.values() if _is_case(bases) for base in bases]
    while waiting:
        name = waiting.pop()
        if name in classes and name not in found:
            found.add(name)
            waiting += classes[name]
    return frozenset(found)


def _is_case(bases: list[str]) -> bool:
    return any("TestCase" in base for base in bases)


def funcargs(source: Source) -> str | None:
    """``def pytest_funcarg__x(request)`` -> a fixture ``x``."""
    module = parsed(source.text)
    if module is None or "pytest_funcarg__" not in source.text:
        return None
    changed = with_import(module.visit(_Funcargs()), "import pytest", source.is_ours)
    return changed.code


class _Funcargs(cst.CSTTransformer):
    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        name = original_node.name.value
        if not name.startswith("pytest_funcarg__"):
            return updated_node
        fixture = cst.Decorator(cst.parse_expression("pytest.fixture"))
        short = cst.Name(name.removeprefix("pytest_funcarg__"))
        return updated_node.with_changes(name=short, decorators=[fixture, *updated_node.decorators])


def marks_on_fixtures(source: Source) -> str | None:
    """Take marks off fixtures: they never had an effect there."""
    module = parsed(source.text)
    if module is None or "fixture" not in source.text or "mark." not in source.text:
        return None
    code = module.visit(_UnmarkedFixtures()).code
    return code if code != source.text else None


class _UnmarkedFixtures(cst.CSTTransformer):
    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef:
        texts = [code_of(d.decorator) for d in updated_node.decorators]
        if not any(re.match(r"(?:pytest\.)?(?:yield_)?fixture\b", text) for text in texts):
            return updated_node
        kept = [
            decorator
            for decorator, text in zip(updated_node.decorators, texts, strict=True)
            if not re.match(r"(?:pytest\.)?mark\.", text)
        ]
        return updated_node.with_changes(decorators=kept)


def raises_text(source: Source) -> str | None:
    """``pytest.raises(E, "f(x)")`` -> ``with pytest.raises(E): f(x)``."""
    module = parsed(source.text)
    if module is None or "raises(" not in source.text:
        return None
    code = module.visit(_RaisesText(source.names(module))).code
    return code if code != source.text else None


class _RaisesText(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def leave_SimpleStatementLine(  # noqa: N802 - LibCST's name
        self,
        original_node: cst.SimpleStatementLine,  # noqa: ARG002
        updated_node: cst.SimpleStatementLine,
    ) -> cst.BaseStatement:
        small = updated_node.body[0]
        value = small.value if isinstance(small, cst.Expr | cst.Assign) else None
        if len(updated_node.body) != 1 or not isinstance(value, cst.Call) or len(value.args) != 2:  # noqa: PLR2004
            return updated_node
        kind, code = (arg.value for arg in value.args)
        is_raises = self._names.qualify(value.func) in ("pytest.raises", "py.test.raises")
        if not is_raises or not isinstance(code, cst.SimpleString | cst.ConcatenatedString):
            return updated_node
        text = code.evaluated_value
        inner = parsed(text.strip()) if isinstance(text, str) else None
        if inner is None or len(inner.body) != 1:
            return updated_node
        name = f" as {code_of(small.targets[0].target)}" if isinstance(small, cst.Assign) else ""
        header = f"with {code_of(value.func)}({code_of(kind)}){name}:\n    {str(text).strip()}\n"
        return cst.parse_statement(header).with_changes(leading_lines=updated_node.leading_lines)


def module_skips(source: Source) -> str | None:
    """Say ``allow_module_level=True`` where a module skips itself, as it always did."""
    module = parsed(source.text)
    if module is None or "skip(" not in source.text:
        return None
    code = module.visit(_ModuleSkips(source.names(module))).code
    return code if code != source.text else None


class _ModuleSkips(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802, ARG002
        return False

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802
        if self._names.qualify(original_node.func) != "pytest.skip":
            return updated_node
        if any(a.keyword and a.keyword.value == "allow_module_level" for a in updated_node.args):
            return updated_node
        made = cst.parse_expression("f(allow_module_level=True)")
        added = made.args[0] if isinstance(made, cst.Call) else updated_node.args[0]
        return updated_node.with_changes(args=[*updated_node.args, added])


def namespace_hook(source: Source) -> str | None:
    """``pytest_namespace`` -> attributes of `pytest` set in ``pytest_configure``."""
    module = parsed(source.text)
    if module is None or "pytest_namespace" not in source.text or "pytest_configure" in source.text:
        return None
    changed = module.visit(_Namespace())
    if changed.code == source.text:
        return None
    return with_import(changed, "import pytest", source.is_ours).code


class _Namespace(cst.CSTTransformer):
    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        if original_node.name.value != "pytest_namespace":
            return updated_node
        last = original_node.body.body[-1]
        small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
        told = small.value if isinstance(small, cst.Return) else None
        if not isinstance(told, cst.Dict):
            return updated_node
        lines = [
            cst.parse_statement(f"pytest.{e.key.raw_value} = {code_of(e.value)}")
            for e in told.elements
            if isinstance(e, cst.DictElement) and isinstance(e.key, cst.SimpleString)
        ]
        if len(lines) != len(told.elements):
            return updated_node
        body = updated_node.body.with_changes(body=[*updated_node.body.body[:-1], *lines])
        return updated_node.with_changes(name=cst.Name("pytest_configure"), body=body)


def request_config(source: Source) -> str | None:
    """``pytest.config`` in a test or fixture -> ``request.config``."""
    module = parsed(source.text)
    if module is None or "pytest.config" not in source.text:
        return None
    code = module.visit(_Config()).code
    return code if code != source.text else None


class _Config(cst.CSTTransformer):
    def leave_FunctionDef(  # noqa: N802 - LibCST's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        fixture = any("fixture" in code_of(d.decorator) for d in original_node.decorators)
        if not fixture and not original_node.name.value.startswith("test"):
            return updated_node
        body = updated_node.body.visit(_ConfigUses())
        if not isinstance(body, cst.BaseSuite) or body.deep_equals(updated_node.body):
            return updated_node
        params = updated_node.params
        if all(p.name.value != "request" for p in params.params):
            new = [*params.params, cst.Param(cst.Name("request"))]
            params = params.with_changes(params=new)
        return updated_node.with_changes(params=params, body=body)


class _ConfigUses(cst.CSTTransformer):
    def leave_Attribute(  # noqa: N802 - LibCST's name
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        is_it = dotted(original_node) == "pytest.config"
        return cst.parse_expression("request.config") if is_it else updated_node


_SIX_METHODS = """
    def find_spec(self, fullname, path, target=None):
        if fullname in self.known_modules:
            from importlib.util import spec_from_loader
            return spec_from_loader(fullname, self)
        return None

    def create_module(self, spec):
        return self.load_module(spec.name)

    def exec_module(self, module):
        pass
"""


def six_importer(source: Source) -> str | None:
    """Give a vendored old ``six`` the methods its importer needs since Python 3.12."""
    if "class _SixMetaPathImporter" not in source.text or "def find_spec" in source.text:
        return None
    found = re.search(r"^    def find_module\(self.*?(?=^    def )", source.text, re.M | re.S)
    if found is None:
        return None
    return (
        source.text[: found.end()] + _SIX_METHODS.lstrip("\n") + "\n" + source.text[found.end() :]
    )
