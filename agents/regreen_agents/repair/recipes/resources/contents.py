"""Contents for which the assertions of tests hold: documents, rows, texts and tables."""

import re
from collections.abc import Sequence

from regreen_agents.repair.recipes.resources.asserted import LENGTH, LINES, Said

_QUERY = re.compile(r"select\s+(?P<columns>.+?)\s+from\s+(?P<table>\w+)", re.IGNORECASE)


def document(said: Sequence[Said]) -> tuple[dict[object, object] | list[object], bool]:
    """Return the nested value that assertions on keys describe, and whether there were any."""
    whole = [s.value for s in said if not s.steps and isinstance(s.value, dict | list)]
    if whole and isinstance(whole[0], dict | list):
        return whole[0], True
    root: dict[object, object] = {}
    for fact in said:
        if fact.operator == "==" and fact.steps:
            _put(root, fact.steps, fact.value)
    if root and all(isinstance(key, int) for key in root):
        return _listed(root), True
    return {k: _deep(v) for k, v in root.items()}, bool(root)


def _put(root: dict[object, object], steps: tuple[object, ...], value: object) -> None:
    """Enter one value; what contradicts an earlier one is left out."""
    if LINES in steps or any(isinstance(step, float | bytes) for step in steps):
        return
    if steps[-1] == LENGTH:
        steps = steps[:-1]
        value = dict(enumerate(range(value))) if isinstance(value, int) else value
    node = root
    for step in steps[:-1]:
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        node = inner
    items = {steps[-1]: value} if steps else value if isinstance(value, dict) else {}
    for key, item in items.items():
        there = node.setdefault(key, item)
        if isinstance(there, dict) and isinstance(item, dict):
            node[key] = {**item, **there}


def _deep(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, int) for key in value):
        return _listed(value)
    return {key: _deep(inner) for key, inner in value.items()}


def _listed(value: dict[object, object]) -> list[object]:
    numbers = [key for key in value if isinstance(key, int)]
    count = max(max(numbers) + 1, -min(numbers))
    return [_deep(value.get(n, value.get(n - count, n))) for n in range(count)]


def table_rows(said: Sequence[Said]) -> tuple[list[object], bool]:
    """Return the rows of a table, its head first where rows are asked by column."""
    value, derived = document(said)
    rows = value if isinstance(value, list) else []
    if rows and all(isinstance(row, dict) for row in rows):
        head = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
        body = [[row.get(key, "") for key in head] for row in rows if isinstance(row, dict)]
        return [head, *body], derived
    if rows and all(isinstance(row, list | tuple) for row in rows):
        return [list(row) for row in rows if isinstance(row, list | tuple)], derived
    return [["name", "value"], *([f"row {n}", n] for n in range(len(rows) or 2))], bool(rows)


def text_of(said: Sequence[Said]) -> tuple[str, bool]:
    """Return a text for which the assertions on text, lines and parts hold."""
    for fact in said:
        if fact.operator == "==" and not fact.steps and isinstance(fact.value, str | bytes):
            return _decoded(fact.value), True
    for fact in said:
        if fact.steps in {(LINES,), ()} and isinstance(fact.value, list) and fact.value:
            ends = "" if str(fact.value[0]).endswith("\n") else "\n"
            return "".join(f"{line}{ends}" for line in fact.value), True
    lines = {
        s.steps[-1]: _decoded(s.value)
        for s in said
        if s.operator == "==" and s.steps and isinstance(s.steps[-1], int)
        if isinstance(s.value, str | bytes)
    }
    parts = [_decoded(s.value) for s in said if s.operator == "in" and isinstance(s.value, str)]
    count = number_in(said, (LENGTH,), (), 0)
    body = [lines.get(n, f"line {n + 1}") for n in range(max([*lines, count - 1], default=-1) + 1)]
    text = "".join(line.rstrip("\n") + "\n" for line in [*body, *parts][: count or None])
    return text or "generated\n", bool(text)


def tables_in(said: Sequence[Said]) -> list[str]:
    """Return statements for tables whose rows are compared: ``SELECT a, b FROM t``."""
    made: dict[str, str] = {}
    for fact in said:
        query = _QUERY.search(fact.root)
        if query is None:
            continue
        columns, table = query["columns"], query["table"]
        names = [c.strip() for c in columns.split(",")]
        if table.isidentifier() and all(name.isidentifier() for name in names):
            made[table] = _table(table, names, fact.value)
        elif table.isidentifier() and columns.strip().upper().startswith("COUNT("):
            count = fact.value[0] if isinstance(fact.value, tuple) and fact.value else fact.value
            rows = [(n,) for n in range(count)] if isinstance(count, int) else []
            made.setdefault(table, _table(table, ["id"], rows))
    return list(made.values())


def _table(table: str, columns: list[str], value: object) -> str:
    rows = value if isinstance(value, list) else [value]
    script = f"CREATE TABLE {table} ({', '.join(columns)});"
    for row in rows:
        cells = row if isinstance(row, tuple | list) else (row,)
        if len(cells) == len(columns):
            shown = ", ".join(_sql(cell) for cell in cells)
            script += f"INSERT INTO {table} VALUES ({shown});"  # noqa: S608 - of a test's own table
    return script


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    return (
        str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
    )


def number_in(
    said: Sequence[Said], steps: tuple[str, ...], words: tuple[str, ...], default: int
) -> int:
    """Return the whole number compared with a step or with a call of one of these names."""
    for fact in said:
        about = fact.steps[-1:] == steps or any(word in fact.root for word in words)
        if about and isinstance(fact.value, int) and not isinstance(fact.value, bool):
            return fact.value
    return default


def _decoded(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
