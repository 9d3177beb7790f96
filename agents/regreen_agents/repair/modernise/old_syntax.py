"""Statements only Python 2 can read, rewritten token by token: no parser of today takes them.

The forms are those of lib2to3's fixers print, except, raise, exec, repr, ne and numliterals.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from regreen_agents.repair.modernise.sources import Source

_TOKEN = re.compile(
    r"""(?P<string>(?i:\b[bur]{1,2})?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"
        |'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<comment>\#[^\n]*)|(?P<name>\w+)|(?P<end>\r?\n)|(?P<space>(?:[ \t\f]|\\\r?\n)+)
    |(?P<op>>>|<>|==|!=|<=|>=|\*\*|.)""",
    re.VERBOSE | re.DOTALL,
)
_NOT_A_CALL = frozenset({"=", ".", "in", ")", ",", "]"})


class Token(NamedTuple):
    """A piece of the text; all of them in a row are the text."""

    kind: str
    text: str


def python3_statements(source: Source) -> str | None:
    """Rewrite print, except, raise, exec, backticks, ``<>``, octal and long numbers."""
    return _changed(source.text, (_literals, _backticks, *_STATEMENTS))


def async_renamed(source: Source) -> str | None:
    """Rename what is called ``async``, a keyword since Python 3.7, to ``async_``."""
    return _changed(source.text, (_async,))


def tabs_expanded(source: Source) -> str | None:
    """Write indentation that mixes tabs and spaces with spaces, a tab to the next eighth column."""
    if not re.search(r"^ *\t", source.text, re.MULTILINE):
        return None
    return re.sub(r"^[ \t]+", lambda found: found[0].expandtabs(8), source.text, flags=re.MULTILINE)


Line = list[Token]
_Fix = Callable[[Line], Line]


def _changed(text: str, fixes: Sequence[_Fix]) -> str | None:
    parts: list[str] = []
    for line in statements_of(text):
        for fix in fixes:
            line = fix(line)  # noqa: PLW2901 - one fix works on what the one before made
        parts += [token.text for token in line]
    new = "".join(parts)
    return new if new != text else None


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        yield Token(found.lastgroup or "op", found[0])


def statements_of(text: str) -> Iterator[Line]:
    """Yield simple statements, and headers of blocks with what stands before them."""
    line: Line = []
    depth, header = 0, False
    for token in _tokens(text):
        line.append(token)
        depth += _depth([token])
        first = next((t.text for t in line if t.kind not in ("space", "end", "comment")), "")
        header = first in _HEADERS
        at_end = token.kind == "end" and depth == 0
        if at_end or (depth == 0 and (token.text == ";" or (token.text == ":" and header))):
            yield line
            line = []
    yield line


_HEADERS = frozenset(
    ["if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class"]
)


def _literals(line: Line) -> Line:
    new: Line = []
    for token in line:
        text = token.text
        after_point = bool(new) and new[-1].text == "."
        if token.kind == "string":
            text = re.sub(r"^(?i:ur)(?=['\"])", "r", text)
        elif token.kind == "name" and not after_point:
            if re.fullmatch(r"0[0-7]*[1-7][0-7]*[lL]?", text):
                text = "0o" + text[1:].rstrip("lL")
            elif re.fullmatch(r"(?:\d+|0[xX][\da-fA-F]+)[lL]", text):
                text = text[:-1]
        elif text == "<>":
            text = "!="
        new.append(Token(token.kind, text))
    return new


def _backticks(line: Line) -> Line:
    ticks = [index for index, token in enumerate(line) if token.text == "`"]
    for opening, closing in zip(ticks[::2], ticks[1::2], strict=False):
        line[opening], line[closing] = Token("op", "repr("), Token("op", ")")
    return line


def _print(line: Line) -> Line:
    head, rest, tail = _parts(line, "print")
    if not head or (rest and rest[0].text in _NOT_A_CALL):
        return line
    if rest and rest[0].text == "(" and _closes_at_end(rest):
        return line
    items = _split(rest)
    file = ""
    if items and items[0] and items[0][0].text == ">>":
        file = f"file={_text(items[0][1:])}"
        items = items[1:]
    end = "end=' '" if len(items) > 1 and not _text(items[-1]) else ""
    told = [_text(item) for item in items if _text(item)]
    return _call(head, "print", [*told, end, file], tail)


def _exec(line: Line) -> Line:
    head, rest, tail = _parts(line, "exec")
    if not head or not rest or rest[0].text in {"(", *_NOT_A_CALL}:
        return line
    index = next((i for i, t in enumerate(rest) if t.text == "in" and _depth(rest[:i]) == 0), None)
    if index is None:
        return _call(head, "exec", [_text(rest)], tail)
    spaces = [_text(item) for item in _split(rest[index + 1 :])]
    return _call(head, "exec", [_text(rest[:index]), *spaces], tail)


def _raise(line: Line) -> Line:
    head, rest, tail = _parts(line, "raise")
    items = _split(rest)
    if not head or len(items) < 2:  # noqa: PLR2004 - an exception and its argument
        return line
    value = _text(items[1])
    made = f"{_text(items[0])}({'' if value == 'None' else value})"
    if len(items) > 2:  # noqa: PLR2004 - and a traceback
        made += f".with_traceback({_text(items[2])})"
    return [*head, Token("name", "raise"), Token("space", " "), Token("op", made), *tail]


def _except(line: Line) -> Line:
    head, rest, tail = _parts(line, "except")
    if not head or not rest or rest[-1].text != ":":
        return line
    items = _split(rest[:-1])
    if len(items) != 2 or not _text(items[1]).isidentifier():  # noqa: PLR2004 - types and a name
        return line
    made = f"except {_text(items[0])} as {_text(items[1])}:"
    return [*head, Token("op", made), *tail]


def _async(line: Line) -> Line:
    new = list(line)
    for index, token in enumerate(line):
        after = next((t.text for t in line[index + 1 :] if t.kind != "space"), "")
        if token == Token("name", "async") and after not in {"def", "for", "with"}:
            new[index] = Token("name", "async_")
    return new


_STATEMENTS: tuple[_Fix, ...] = (_print, _exec, _raise, _except)
_NOTHING = Token("space", "")


def _parts(line: Line, keyword: str) -> tuple[Line, Line, Line]:
    """Split a statement into what stands before the keyword, what follows, and its end.

    The first part is empty when the statement does not begin with the keyword.
    """
    start = next(
        (i for i, t in enumerate(line) if t.kind not in ("space", "end", "comment")), len(line)
    )
    if start == len(line) or line[start].text != keyword:
        return [], [], []
    stop = len(line)
    while stop > start + 1 and (line[stop - 1].kind in ("end", "comment", "space")):
        stop -= 1
    if line[stop - 1].text == ";":
        stop -= 1
    rest = line[start + 1 : stop]
    while rest and rest[0].kind == "space":
        rest = rest[1:]
    return [_NOTHING, *line[:start]], rest, line[stop:]


def _call(head: Line, name: str, arguments: Sequence[str], tail: Line) -> Line:
    told = ", ".join(argument for argument in arguments if argument)
    return [*head, Token("op", f"{name}({told})"), *tail]


def _split(tokens: Sequence[Token]) -> list[Line]:
    """Split at commas outside brackets."""
    items: list[Line] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in "([{") - (token.text in ")]}") if token.kind == "op" else 0
        if token.text == "," and depth == 0:
            items.append([])
        else:
            items[-1].append(token)
    return items


def _depth(tokens: Sequence[Token]) -> int:
    ops = [token.text for token in tokens if token.kind == "op"]
    return sum((text in "([{") - (text in ")]}") for text in ops)


def _closes_at_end(tokens: Sequence[Token]) -> bool:
    """Whether the bracket that opens closes last: ``(a), b`` does not."""
    return all(_depth(tokens[:n]) > 0 for n in range(1, len(tokens)))


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens).strip()
