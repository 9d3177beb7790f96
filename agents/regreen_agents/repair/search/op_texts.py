"""Changes of texts, patterns, slices and empty collections."""

import ast
import re
from collections.abc import Iterator

from regreen_agents.repair.search.fitting import replaced
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import Site, others

PATTERN_CALLS = frozenset(
    {"compile", "match", "search", "fullmatch", "sub", "subn", "findall", "finditer", "split"}
)
PATTERN_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[.+*?^$]")
PREFIXED = re.compile(r"([rRbBuU]*)('''|\"\"\"|'|\")(.*)\2", re.DOTALL)
SWAPS: dict[str, tuple[str, ...]] = {
    ".": (r"\.",),
    r"\.": (".",),
    "+": ("*", "+?"),
    "*": ("+", "*?"),
    "?": ("", "*"),
    "^": ("",),
    "$": ("", r"\Z"),
    r"\d": (r"\d+", r"\w"),
    r"\w": (r"\w+", r"\S"),
    r"\s": (r"\s*", r"\s+"),
}
EMPTY: dict[type[ast.expr], tuple[str, ...]] = {
    ast.List: ("{}", "[[]]", "set()", "()", "[None]", "[0]"),
    ast.Dict: ("[]", "set()"),
    ast.Tuple: ("[]",),
}
UNLIKELY = frozenset({"{}", "set()", "()", "[None]", "[0]"})
MAX_SHORT = 3
MAX_TEXTS = 8


def pattern(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Escape, anchor or loosen one token of a regular expression."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return
    literal = node.args[0]
    if node.func.attr not in PATTERN_CALLS or not isinstance(literal, ast.Constant):
        return
    parts = PREFIXED.fullmatch(site.source.text_of(literal))
    if parts is None or not isinstance(literal.value, str):
        return
    prefix, quote, body = parts.groups()
    plain = "\\" in body and "r" not in prefix.lower()
    for changed, prior in [] if plain else _patterns(body):
        raw = prefix if "r" in prefix.lower() or "\\" not in changed else f"r{prefix}"
        found = replaced(site, literal, f"{raw}{quote}{changed}{quote}", "pattern", prior)
        if found is not None:
            yield found


def _patterns(body: str) -> Iterator[tuple[str, float]]:
    if not body.startswith("^"):
        yield "^" + body, 0.35
    if not body.endswith("$"):
        yield body + "$", 0.35
        yield body + r"\Z", 0.2
    for token in PATTERN_TOKEN.finditer(body):
        head, tail = body[: token.start()], body[token.end() :]
        for other in SWAPS.get(token[0], ()):
            yield head + other + tail, 0.35
        if token[0].startswith("["):
            yield head + token[0] + "+" + tail, 0.2
            yield head + token[0] + "*" + tail, 0.15


def text(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take another text of the function, or the same with other space or letters."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    if isinstance(site.parent(node), ast.Expr | ast.JoinedStr):
        return
    own = site.source.text_of(node)
    parts = PREFIXED.fullmatch(own)
    if parts is None:
        return
    prefix, quote, body = parts.groups()
    changed = [body.strip(), body + " ", " " + body, body.lower(), body.upper(), body.rstrip("s")]
    changed += ["", " ", body + r"\n"] if len(body) < MAX_SHORT else []
    for other in dict.fromkeys(changed):
        if other != body:
            yield Mutation(*site.source.span(node), f"{prefix}{quote}{other}{quote}", "text", 0.2)
    for donor in others(own, site.scope.strings)[:MAX_TEXTS]:
        yield Mutation(*site.source.span(node), donor, "text", 0.3)


def steps(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Turn a slice round, or leave it out."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return
    if isinstance(node.ctx, ast.Load):
        for changed, prior in _slices(site, site.source.text_of(node.value), node.slice):
            found = replaced(site, node, changed, "slice", prior)
            if found is not None:
                yield found


def _slices(site: Site, base: str, bounds: ast.Slice) -> Iterator[tuple[str, float]]:
    lower, upper = (site.source.text_of(b) if b else "" for b in (bounds.lower, bounds.upper))
    yield base, 0.3
    if bounds.step is not None:
        yield f"{base}[{lower}:{upper}]", 0.3
        return
    yield f"{base}[{lower}:{upper}:-1]", 0.15
    yield f"{base}[{upper}:{lower}]", 0.15 if lower and upper else 0.4
    if upper and not lower:
        yield f"{base}[-{upper}:]", 0.2
    if lower and not upper:
        yield f"{base}[{lower}]", 0.2


def empty(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Start from another empty value, or put something into it."""
    if isinstance(node, ast.Dict):
        choices = () if node.keys else EMPTY[ast.Dict]
    elif isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load):
        only = isinstance(node, ast.List) and len(node.elts) == 1
        choices = ("[]",) if only else () if node.elts else EMPTY[type(node)]
    else:
        return
    if isinstance(node, ast.List) and not node.elts:
        choices += tuple(f"[{name}]" for name in site.scope.names)
    for choice in choices:
        found = replaced(site, node, choice, "empty", 0.15 if choice in UNLIKELY else 0.3)
        if found is not None:
            yield found
