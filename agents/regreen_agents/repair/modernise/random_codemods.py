"""Calls that need another argument, edited only on the lines a failure passed through."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from regreen_agents.repair.modernise.sources import Source, code_of, parsed
from regreen_agents.repair.modernise.stdlib_codemods import arguments


def at_lines(
    name: str, rewrite: Callable[[cst.Call], str | None]
) -> Callable[[Source], str | None]:
    """Return a codemod for the calls of one function on the lines a failure passed through."""

    def codemod(source: Source) -> str | None:
        module = parsed(source.text) if source.lines else None
        if module is None:
            return None
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        ranges = wrapper.resolve(PositionProvider)
        names = source.names(module)
        for call in m.findall(module, m.Call()):
            spanned = range(ranges[call].start.line, ranges[call].end.line + 1)
            if not isinstance(call, cst.Call) or not source.lines & set(spanned):
                continue
            if names.qualify(call.func) == name and (text := rewrite(call)) is not None:
                changed = module.deep_replace(call, cst.parse_expression(text))
                return changed.code if isinstance(changed, cst.Module) else None
        return None

    return codemod


def _sample(call: cst.Call) -> str | None:
    args = arguments(call)
    if isinstance(call.args[0].value, cst.List | cst.Tuple) or args[0].startswith(
        ("sorted(", "list(")
    ):
        return None
    return f"{code_of(call.func)}({', '.join([f'sorted({args[0]})', *args[1:]])})"


random_sample = at_lines("random.sample", _sample)


def _seed(call: cst.Call) -> str | None:
    args = arguments(call)
    if len(args) != 1 or "hash(" in args[0]:
        return None
    value = args[0]
    if not isinstance(call.args[0].value, cst.Name | cst.Attribute):
        return f"{code_of(call.func)}(hash({value}))"
    kinds = "int, float, str, bytes, bytearray"
    kept = (
        f"    {value}",
        f"    if {value} is None or isinstance({value}, ({kinds}))",
        f"    else hash({value})",
    )
    return "\n".join([f"{code_of(call.func)}(", *kept, ")"])


random_seed = at_lines("random.seed", _seed)
random_generator = at_lines("random.Random", _seed)
