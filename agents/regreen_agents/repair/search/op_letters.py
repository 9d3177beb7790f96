"""Typing mistakes in texts: one character too many, too few or wrong; a text without its values."""

import ast
import re
import string
from collections.abc import Iterator

from regreen_agents.repair.search.fitting import is_value, replaced
from regreen_agents.repair.search.op_texts import PREFIXED
from regreen_agents.repair.search.operators import Mutation
from regreen_agents.repair.search.scope import WORD, Site

MAX_LENGTH = 40
SHORT = 16
MARKS = "{}[]()<>|^$.*+?-_ /:,;%\\"
BRACKETS = frozenset("{}[]()<>")
FIELD = re.compile(r"%[sdrifx(]")


def corrected(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Take a word of the tests for one that is a typing mistake away from it."""
    if not isinstance(node, ast.Constant):
        return
    body, words = _body(site, node), site.scope.crash.words
    for found in WORD.finditer(body):
        for word in sorted(words) if found[0] not in words else ():
            if is_typing_mistake(found[0], word):
                text = body[: found.start()] + word + body[found.end() :]
                yield _mutation(site, node, text, 0.4)


def letter(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Leave one character of a text out, or add one."""
    body = _body(site, node) if isinstance(node, ast.Constant) else ""
    if not isinstance(node, ast.Constant) or not 0 < len(body) <= MAX_LENGTH:
        return
    for at, own in enumerate(body):
        twice = own == body[at + 1 : at + 2]
        if not twice:
            prior = 0.35 if own == body[at - 1 : at] else 0.2 if own in BRACKETS else 0.12
            yield _mutation(site, node, body[:at] + body[at + 1 :], prior)
    letters = string.ascii_lowercase if len(body) <= SHORT else ""
    for at in range(len(body) + 1):
        for new in dict.fromkeys(MARKS + body + letters):
            if new != body[at : at + 1]:
                prior = 0.14 if new in BRACKETS else 0.1 if new in body else 0.07
                yield _mutation(site, node, body[:at] + new + body[at:], prior)


def filled(site: Site, node: ast.AST) -> Iterator[Mutation]:
    """Put values into a text that has places for them."""
    if not isinstance(node, ast.Constant) or not is_value(site, node):
        return
    body = _body(site, node)
    own = site.source.text_of(node)
    for name in site.scope.names:
        forms = [f"{own} % {name}"] * bool(FIELD.search(body))
        forms += [f"{own}.format({name})"] * ("{" in body)
        for form in forms:
            found = replaced(site, node, form, "fill", 0.3)
            if found is not None:
                yield found


def is_typing_mistake(one: str, other: str) -> bool:
    """Whether two words differ by one letter, or by two neighbours exchanged."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    start = next((n for n in range(len(short)) if short[n] != long[n]), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    turned = short[:start] + short[start + 1 : start + 2] + short[start] + short[start + 2 :]
    return short[start + 1 :] == long[start + 1 :] or turned == long


def _body(site: Site, node: ast.Constant) -> str:
    """Return what stands between the quotes of a text, empty where there is nothing to edit."""
    if not isinstance(node.value, str):
        return ""
    if isinstance(site.parent(node), ast.Expr | ast.JoinedStr):
        return ""
    parts = PREFIXED.fullmatch(site.source.text_of(node))
    return parts[3] if parts else ""


def _mutation(site: Site, node: ast.Constant, body: str, prior: float) -> Mutation:
    text = site.source.text_of(node)
    parts = PREFIXED.fullmatch(text)
    prefix, quote = (parts[1], parts[2]) if parts else ("", "")
    return Mutation(*site.source.span(node), f"{prefix}{quote}{body}{quote}", "letter", prior)
