"""The table of removals: what an error looks like, what took the name away, what replaces it.

The rows are data, in ``table/*.toml``. A row needs no code when what went was renamed: modules,
names of modules, builtins, methods or keywords. What takes more names a codemod.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

from pydantic import Field

from regreen_agents.domain.identity import Model

TABLE = Path(__file__).with_name("table")


class TextRule(Model):
    """A replacement in files that are not Python, such as configuration."""

    file: str
    """Name of the file: ``setup.cfg``."""
    find: str
    """A regular expression, multi-line."""
    put: str


class Example(Model):
    """The smallest source the row changes; every one is run as a test."""

    before: str
    after: str
    path: str = "module.py"
    beside: tuple[str, ...] = ()
    """Other files that have to be there."""
    lines: tuple[int, ...] = ()
    """Lines the failure points at, for rows that edit only those."""
    runs: bool = True
    """Whether the new text runs on a plain Python; False where it needs a package or a test run."""


class Row(Model):
    """One removal and its repair."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    library: str
    """``Python``, or a distribution."""
    removed: str
    """The first version without it."""
    cause: str
    """What went, as the end of ``... took away``."""
    link: str
    """Where the changelog says so."""
    errors: tuple[str, ...] = ()
    """Regular expressions over ``Type: message``; those of renamed things are derived."""
    source: str = ""
    """A regular expression a file must contain to be edited."""
    weak: bool = False
    """The error alone says little: tried after all others."""
    modules: Mapping[str, str] = Field(default_factory=dict)
    """``StringIO`` -> ``io``."""
    names: Mapping[str, str] = Field(default_factory=dict)
    """``collections.Mapping`` -> ``collections.abc.Mapping``; without a dot it is a builtin."""
    builtins: Mapping[str, str] = Field(default_factory=dict)
    """``unicode`` -> ``str``, ``reduce`` -> ``functools.reduce``."""
    methods: Mapping[str, str] = Field(default_factory=dict)
    """Attributes of any object: ``assertEquals`` -> ``assertEqual``."""
    keywords: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Keyword -> the callables that no longer take it; it is left out."""
    codemods: tuple[str, ...] = ()
    text: tuple[TextRule, ...] = ()
    example: Example

    @cached_property
    def error_pattern(self) -> re.Pattern[str]:
        """What a failure's text looks like when this row may answer it."""
        return re.compile("|".join(f"(?:{one})" for one in (*self.errors, *self._derived())))

    def _derived(self) -> list[str]:
        told = [rf"No module named '{re.escape(m)}['.]" for m in self.modules]
        for name in self.names:
            owner, _, last = name.rpartition(".")
            told.append(rf"cannot import name '{last}' from '{re.escape(owner)}'")
            told.append(rf"module '{re.escape(owner)}' has no attribute '{last}'")
        told += [rf"name '{name}' is not defined" for name in self.builtins]
        told += [rf"has no attribute '{name}'" for name in self.methods]
        told += [rf"unexpected keyword argument '{name}'" for name in self.keywords]
        return told or [r"(?!)"]

    @cached_property
    def source_pattern(self) -> re.Pattern[str]:
        """What a file must contain; without a pattern of its own, any of the names."""
        if self.source or self.codemods or self.text:
            return re.compile(self.source, re.MULTILINE)
        named = (*self.modules, *self.names, *self.builtins, *self.methods, *self.keywords)
        words = sorted({name.rpartition(".")[2] for name in named} | set(self.modules))
        return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b")

    @property
    def took_away(self) -> str:
        """``Python 3.10 took away ...``."""
        return f"{self.library} {self.removed} took away {self.cause}"


@cache
def table() -> tuple[Row, ...]:
    """Return all rows in the order of their files and of the rows in them.

    Raises:
        ValueError: A row is wrong, or two have one id.
    """
    rows: list[Row] = []
    for path in sorted(TABLE.glob("*.toml")):
        rows += [Row.model_validate(row) for row in tomllib.loads(path.read_text("utf-8"))["row"]]
    ids = [row.id for row in rows]
    if len(set(ids)) != len(ids):
        raise ValueError(f"rows with one id: {sorted({i for i in ids if ids.count(i) > 1})}")
    return tuple(rows)
