"""How a file of a known format is written in Python, with no more than its standard library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from pprint import pformat
from typing import NamedTuple

from regreen_agents.repair.recipes.resources.asserted import LENGTH, Said
from regreen_agents.repair.recipes.resources.contents import (
    document,
    number_in,
    table_rows,
    tables_in,
    text_of,
)
from regreen_agents.repair.recipes.snippets import quoted, restyled

_WIDTH = 76
DEFAULT_BYTES = 1024


class Facts(NamedTuple):
    """What is known of one file's content."""

    said: Sequence[Said]
    names: tuple[str, ...]
    """Files that must come out of it, for archives."""


@dataclass(frozen=True)
class Written:
    """The code that writes one file."""

    call: str
    """An expression over ``path``, with ``{}`` where the content stands."""
    content: str
    """The content as an expression; empty when the call has none."""
    imports: tuple[str, ...] = ()
    """Modules it needs."""
    helper: str = ""
    """Name of the function of `HELPERS` it calls."""
    derived: bool = True
    """Whether the content follows from assertions; else it is any content of the format."""


_TAR_MODES = {
    ".tar": "w",
    ".tar.gz": "w:gz",
    ".tgz": "w:gz",
    ".tar.bz2": "w:bz2",
    ".tbz2": "w:bz2",
    ".tbz": "w:bz2",
    ".tar.xz": "w:xz",
    ".txz": "w:xz",
}
_PACKERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
_TEXTS = frozenset({"", ".txt", ".md", ".rst", ".log", ".html", ".xml", ".svg", ".sql", ".cfg~"})
_SECTIONED = frozenset({".ini", ".cfg", ".conf"})
_ROW_FORMATS = {".csv": '","', ".tsv": r'"\t"'}
"""The delimiter, as it is written in source."""
_LISTINGS = ("namelist", "getnames", "filenames")
"""What libraries call the list of an archive's members."""
_BINARY = frozenset({".bin", ".dat", ".raw", ".blob"})


def written(path: str, facts: Facts) -> Written | None:
    """Return the code that writes a file, by its name; None where the format is not known."""
    suffix = _suffix(path)
    for is_mine, write in _WRITERS:
        if is_mine(suffix):
            return write(suffix, facts)
    return None


def _suffix(path: str) -> str:
    """Return the ending that tells the format; ``x_tar_gz`` counts as ``.tar.gz``."""
    name = PurePosixPath(path).name.lower()
    for ending in sorted(_TAR_MODES, key=len, reverse=True):
        if name.endswith((ending, ending.replace(".", "_"))):
            return ending
    for ending in ("_zip", "_json", "_csv", "_txt"):
        if name.endswith(ending):
            return "." + ending[1:]
    return PurePosixPath(name).suffix


def _archive(suffix: str, facts: Facts) -> Written:
    names = facts.names or tuple(_members(facts.said))
    shown = _shown(list(names) or ["generated.txt"])
    if suffix in _TAR_MODES:
        call = f"_write_tar(path, {quoted(_TAR_MODES[suffix])}, {{}})"
        return Written(call, shown, helper="_write_tar", derived=bool(names))
    return Written("_write_zip(path, {})", shown, helper="_write_zip", derived=bool(names))


def _members(said: Sequence[Said]) -> list[str]:
    """Return members compared with ``namelist()``, ``getnames()`` and the like, else with a call.

    What the code under test makes of an archive is mostly its names, where it is a list of texts.
    """
    listed = [f for f in said if any(word in f.root for word in _LISTINGS)]
    called = [f for f in said if f.root.endswith(")") and not f.steps and _is_of_names(f)]
    found: dict[str, None] = {}
    for fact in listed or called:
        values = fact.value if isinstance(fact.value, list | tuple | set) else [fact.value]
        found.update(dict.fromkeys(v for v in values if isinstance(v, str)))
    return list(found)


def _is_of_names(fact: Said) -> bool:
    """Whether a fact lists texts, or says of one that it is listed."""
    if isinstance(fact.value, str):
        return fact.operator == "in"
    values = fact.value if isinstance(fact.value, list | tuple | set) else ()
    return bool(values) and all(isinstance(value, str) and value for value in values)


def _json(_suffix: str, facts: Facts) -> Written:
    value, derived = document(facts.said)
    call = 'path.write_text(json.dumps({}), encoding="utf-8")'
    return Written(call, _shown(value), ("json",), derived=derived)


def _pickle(_suffix: str, facts: Facts) -> Written:
    value, derived = document(facts.said)
    return Written(
        "path.write_bytes(pickle.dumps({}))", _shown(value), ("pickle",), derived=derived
    )


def _sections(_suffix: str, facts: Facts) -> Written:
    value, derived = document(facts.said)
    table = value if isinstance(value, dict) else {}
    if not table or not all(isinstance(inner, dict) for inner in table.values()):
        table = {"main": table}
    lines = [
        line
        for name, inner in table.items()
        for line in (f"[{name}]", *(f"{key} = {text}" for key, text in _items(inner)))
    ]
    return _text_call("\n".join(lines) + "\n", derived=derived)


def _items(table: object) -> list[tuple[object, object]]:
    return list(table.items()) if isinstance(table, dict) else []


def _toml(_suffix: str, facts: Facts) -> Written:
    value, derived = document(facts.said)
    return _text_call("".join(_toml_lines(_items(value), "")), derived=derived)


def _toml_lines(table: Sequence[tuple[object, object]], above: str) -> list[str]:
    plain = [f"{key} = {_toml_value(v)}\n" for key, v in table if not isinstance(v, dict)]
    inner = [
        line
        for key, value in table
        if isinstance(value, dict)
        for line in _toml_lines(_items(value), f"{above}.{key}" if above else str(key))
    ]
    return [*([f"[{above}]\n"] if above and plain else []), *plain, *inner]


def _toml_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else restyled(repr(value))


def _rows(suffix: str, facts: Facts) -> Written:
    rows, derived = table_rows(facts.said)
    call = f"_write_csv(path, {{}}, {_ROW_FORMATS[suffix]})"
    return Written(call, _shown(rows), helper="_write_csv", derived=derived)


def _text(suffix: str, facts: Facts) -> Written | None:
    text, derived = text_of(facts.said)
    return _text_call(text, derived=derived) if suffix or derived else None


def _packed(suffix: str, facts: Facts) -> Written:
    text, derived = text_of(facts.said)
    module = _PACKERS[suffix]
    stamp = ", mtime=0" if module == "gzip" else ""
    call = f"path.write_bytes({module}.compress({{}}{stamp}))"
    return Written(call, _shown(text.encode()), (module,), derived=derived)


def _bytes(_suffix: str, facts: Facts) -> Written:
    exact = next((s.value for s in facts.said if isinstance(s.value, bytes) and not s.steps), None)
    if exact is not None:
        return Written("path.write_bytes({})", _shown(exact))
    length = number_in(facts.said, (LENGTH,), ("st_size", "getsize"), 0)
    call = "path.write_bytes(bytes(random.Random(0).choices(range(256), k={})))"
    return Written(call, str(length or DEFAULT_BYTES), ("random",), derived=bool(length))


def _sqlite(_suffix: str, facts: Facts) -> Written:
    made = tables_in(facts.said)
    script = "".join(made) or "CREATE TABLE generated (id INTEGER PRIMARY KEY);"
    call = "_write_sqlite(path, {})"
    return Written(call, _shown(script), helper="_write_sqlite", derived=bool(made))


def _picture(suffix: str, facts: Facts) -> Written:
    pairs = [s.value for s in facts.said if isinstance(s.value, tuple) and s.value[2:] == ()]
    size = pairs[0] if pairs else ()
    width = number_in(facts.said, ("width",), ("width",), _whole(size, 0))
    height = number_in(facts.said, ("height",), ("height",), _whole(size, 1))
    name = "_write_png" if suffix == ".png" else "_write_bmp"
    derived = bool(width or height)
    return Written(f"{name}(path, {{}})", f"{width or 2}, {height or 2}", (), name, derived)


def _sound(_suffix: str, facts: Facts) -> Written:
    asked = (("getnchannels", 1), ("getsampwidth", 2), ("getframerate", 8000), ("getnframes", 80))
    found = [number_in(facts.said, (name,), (name,), default) for name, default in asked]
    derived = any(name in s.root for s in facts.said for name, _ in asked)
    call = "_write_wav(path, {})"
    return Written(call, ", ".join(map(str, found)), helper="_write_wav", derived=derived)


_Writer = Callable[[str, Facts], Written | None]
_WRITERS: tuple[tuple[Callable[[str], bool], _Writer], ...] = (
    (lambda s: s in _TAR_MODES or s in {".zip", ".jar", ".whl", ".egg"}, _archive),
    (lambda s: s in {".json", ".geojson", ".ipynb", ".yaml", ".yml"}, _json),
    (lambda s: s in {".pkl", ".pickle"}, _pickle),
    (lambda s: s in _SECTIONED, _sections),
    (lambda s: s == ".toml", _toml),
    (lambda s: s in _ROW_FORMATS, _rows),
    (lambda s: s in _PACKERS, _packed),
    (lambda s: s in {".db", ".sqlite", ".sqlite3"}, _sqlite),
    (lambda s: s in {".png", ".bmp"}, _picture),
    (lambda s: s == ".wav", _sound),
    (lambda s: s in _BINARY, _bytes),
    (lambda s: s in _TEXTS, _text),
)


def _whole(size: object, index: int) -> int:
    value = size[index] if isinstance(size, tuple) and index < len(size) else 0
    return value if isinstance(value, int) else 0


def _text_call(text: str, *, derived: bool) -> Written:
    return Written('path.write_text({}, encoding="utf-8")', _shown(text), derived=derived)


def _shown(value: object) -> str:
    plain = isinstance(value, str | bytes)
    text = repr(value) if plain else pformat(value, width=_WIDTH, sort_dicts=False)
    return restyled(text)
