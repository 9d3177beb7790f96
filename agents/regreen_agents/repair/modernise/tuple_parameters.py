"""Parameters that unpack a tuple, which only Python 2 can read, rewritten token by token.

As lib2to3's fixer tuple_params does it: the parameter gets the joined names, a lambda indexes it,
a function unpacks it in its first line.
"""

from regreen_agents.repair.modernise.old_syntax import Line, Token, statements_of
from regreen_agents.repair.modernise.sources import Source


def tuple_parameters(source: Source) -> str | None:
    """``lambda (a, b): a`` -> ``lambda a_b: a_b[0]``; ``def f((a, b)):`` unpacks in its body."""
    parts: list[str] = []
    waiting: list[str] = []
    for statement in statements_of(source.text):
        line = _lambdas(statement)
        if waiting and not _is_docstring(line):
            line, waiting = _before(line, waiting), []
        if _first(line) == "def":
            line, waiting = _function(line)
        parts += [token.text for token in line]
    new = "".join(parts)
    return new if new != source.text and not waiting else None


def _first(line: Line) -> str:
    return next((t.text for t in line if t.kind not in ("space", "end", "comment")), "")


def _is_docstring(line: Line) -> bool:
    """Whether a statement is a string, or what stands between a header and its block."""
    return all(t.kind in ("string", "space", "end", "comment") for t in line)


def _before(line: Line, texts: list[str]) -> Line:
    """Put statements before one, with its indentation."""
    at = next(i for i, t in enumerate(line) if t.kind not in ("space", "end", "comment"))
    indent = line[at - 1].text if at and line[at - 1].kind == "space" else ""
    made = "".join(f"{text}\n{indent}" for text in texts)
    return [*line[:at], Token("op", made), *line[at:]]


def _function(line: Line) -> tuple[Line, list[str]]:
    opening = next((i for i, t in enumerate(line) if t.text == "("), None)
    if opening is None:
        return line, []
    new, made = _parameters(line, opening + 1)
    return new, [f"{', '.join(names)} = {'_'.join(names)}" for names in made]


def _lambdas(line: Line) -> Line:
    index = 0
    while index < len(line):
        if line[index].text == "lambda":
            line, made = _parameters(line, index + 1)
            start = _end(line, index + 1, ":")
            for names in made:
                line = _indexed(line, start, names)
        index += 1
    return line


def _parameters(line: Line, start: int) -> tuple[Line, list[list[str]]]:
    """Return the tokens with every flat group among the parameters as one name, and the groups."""
    new, made, index, fresh = line[:start], [], start, True
    while index < len(line) and line[index].text not in (":", ")"):
        token = line[index]
        end = _end(line, index + 1, ")")
        names = [t.text for t in line[index + 1 : end] if t.kind == "name"]
        flat = all(t.kind in ("name", "space") or t.text == "," for t in line[index + 1 : end])
        if token.text == "(" and fresh and flat and names:
            new.append(Token("name", "_".join(names)))
            made.append(names)
            index = end
        else:
            new.append(token)
        fresh = token.text == "," or (fresh and token.kind in ("space", "end"))
        index += 1
    return [*new, *line[index:]], made


def _end(line: Line, start: int, closing: str) -> int:
    """Return the index of the first such token outside of brackets, or the end."""
    depth = 0
    for index in range(start, len(line)):
        if line[index].text == closing and depth == 0:
            return index
        depth += (line[index].text in "([{") - (line[index].text in ")]}")
        if depth < 0:
            return index
    return len(line)


def _indexed(line: Line, start: int, names: list[str]) -> Line:
    """Write the names of a group as items of its parameter, to the end of the lambda."""
    end = min(_end(line, start + 1, closing) for closing in (",", ")"))
    new = list(line)
    for index in range(start + 1, end):
        token, before = line[index], line[index - 1]
        if token.kind == "name" and token.text in names and before.text != ".":
            item = f"{'_'.join(names)}[{names.index(token.text)}]"
            new[index] = Token("name", item)
    return new
