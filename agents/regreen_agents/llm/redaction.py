"""What must not be on a tape: keys in every usual spelling, home folders, names, scratch folders.

Only what tells of a machine or a person is replaced. Paths that a project may itself contain
(``/tmp/cache.db``, ``src/root/a.py``) stay, for an edit that quotes them has to fit on replay.
"""

import base64
import getpass
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, JsonValue

KEY = "<key>"
PYTHON = "<python>"
SHORTEST_SECRET = 8
"""Characters; anything shorter would be found in innocent words."""

_KEY_SHAPE = re.compile(r"sk-ant-[A-Za-z0-9_-]{8,}")
_START = r"(?<![\w.~-])"
_END = r"(?![\w-]|\.\w)"
_SHARED_TEMP = frozenset({"/", "/tmp", "/var/tmp", "/private/tmp"})  # noqa: S108 - names, not use
_SCRATCH_NAMES = r"(?:regreen-[^/\s'\"<>]+|pytest-of-[^/\s]+/pytest-\d+|tmp[a-z0-9_]{8})"

Any_ = TypeVar("Any_", bound=BaseModel)
_Rule = tuple[re.Pattern[str], str]


class Marks(NamedTuple):
    """What stands for a machine's and a person's own."""

    home: str = "~"
    user: str = "<user>"
    scratch: str = "<tmp>"
    python: str = PYTHON
    folder: str = ""
    """Of the interpreter, as an entry of PATH; empty leaves it."""


SHOWN = Marks()
REVERSIBLE = Marks(
    "<regreen:home>", "<regreen:user>", "<regreen:tmp>", "<regreen:python>", "<regreen:bin>"
)
"""For documents that regreen itself reads again: nothing else is written so."""


@dataclass(frozen=True)
class Redactor:
    """Replaces secrets and traces of this machine in texts and values; twice changes nothing more.

    Args:
        secrets: Whole keys; shorter than 8 characters is refused.
        home: The home folder; empty or ``/`` means none.
        user: The user's name; empty means none.
        temp: Folders for temporary files besides ``/tmp`` and ``/var/tmp``.
        python: Absolute path of the interpreter that runs the suite; empty means none.
        marks: What is put in their place.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    home: str = ""
    user: str = ""
    temp: tuple[str, ...] = ()
    python: str = ""
    marks: Marks = SHOWN
    _rules: tuple[_Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the rules; secrets come first, then the longest paths."""
        if any(len(secret) < SHORTEST_SECRET for secret in self.secrets):
            raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters")
        rules = (
            *_secret_rules(self.secrets),
            *_python_rules(self.python, self.marks),
            *([] if self.marks is REVERSIBLE else _scratch_rules(self.marks.scratch, self.temp)),
            *_temp_rules(self.marks.scratch, self.temp),
            *_home_rules(self.home, self.user, self.marks.home),
            *_user_rules(self.user, self.marks.user),
        )
        object.__setattr__(self, "_rules", rules)

    @classmethod
    def of_this_machine(cls, secrets: Sequence[str] = (), python: str = "") -> "Redactor":
        """Return one that knows this process's home, user and temporary folder.

        Args:
            secrets: Those shorter than 8 characters are left out: a local server's ``none`` is no
                secret.
            python: The suite's interpreter, as commands show it; one inside the project is the
                same everywhere and stays.
        """
        temp = Path(tempfile.gettempdir())
        found = tuple(dict.fromkeys((str(temp), str(temp.resolve()))))
        long = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        outside = python if Path(python).is_absolute() else ""
        return cls(long, str(_or_none(Path.home)), _user(), found, outside)

    def text(self, text: str) -> str:
        """Return a text without what must not be told."""
        for pattern, replacement in self._rules:
            text = pattern.sub(replacement, text)
        return text

    @property
    def keys_only(self) -> "Redactor":
        """One that replaces keys and nothing else."""
        return Redactor(self.secrets, marks=REVERSIBLE)

    def here(self, text: str) -> str:
        """Return a redacted text with this machine's interpreter where the other one stood."""
        return text.replace(PYTHON, self.python or "python")

    def value(self, value: JsonValue) -> JsonValue:
        """Return a JSON value with every text in it redacted, keys of objects too."""
        return changed(value, self.text)

    @property
    def reversible(self) -> "Redactor":
        """One whose texts `restored` can turn into this or another machine's."""
        return replace(self, marks=REVERSIBLE)

    def restored(self, text: str) -> str:
        """Return what `reversible` redacted with this machine's own in its place; keys are gone."""
        python = self.python or "python"
        folder = str(Path(python).parent)
        own = Marks(self.home or "~", self.user, tempfile.gettempdir(), python, folder)
        for mark, here in zip(REVERSIBLE, own, strict=True):
            text = text.replace(mark, here)
        return text

    def model(self, model: Any_) -> Any_:
        """Return a model with every text in it redacted; the very object where nothing is."""
        dumped: JsonValue = model.model_dump(mode="json")
        redacted = self.value(dumped)
        return model if redacted == dumped else type(model).model_validate(redacted)


def spellings(secret: str) -> tuple[str, ...]:
    """Return how a secret may be written: whole, URL-encoded, in hexadecimal, in base64.

    Base64 has three forms of a text inside a longer one, by where it begins; what is returned is
    the part that depends on nothing around it.
    """
    raw = secret.encode()
    found = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret)]
    found += [raw.hex(), raw.hex().upper()]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        start = (shift * 8 + 5) // 6
        whole = coded[start : (shift + len(raw)) * 8 // 6]
        found += [whole, whole.replace("+", "-").replace("/", "_")]
    return tuple(sorted(dict.fromkeys(found), key=len, reverse=True))


def _secret_rules(secrets: Iterable[str]) -> list[_Rule]:
    words = [word for secret in secrets for word in spellings(secret)]
    words.sort(key=len, reverse=True)
    rules = [(re.compile("|".join(map(re.escape, words))), KEY)] if words else []
    return [*rules, (_KEY_SHAPE, KEY)]


def _python_rules(python: str, marks: Marks) -> list[_Rule]:
    rules = [(_path(python), marks.python)] if python else []
    if python and marks.folder:
        entry = re.escape(str(Path(python).parent))
        rules.append((re.compile(f"(?<=[=:]){entry}(?=[:'\" ]|$)"), marks.folder))
    return rules


def _scratch_rules(mark: str, temp: Iterable[str]) -> list[_Rule]:
    """Replace folders with random names anywhere."""
    own = [folder.rstrip("/") for folder in temp]
    folders = sorted({*own, *_SHARED_TEMP} - {"", "/"}, key=len, reverse=True)
    places = "|".join(map(re.escape, folders))
    return [(re.compile(f"{_START}(?:{places})/{_SCRATCH_NAMES}{_END}"), mark)]


def _temp_rules(mark: str, temp: Iterable[str]) -> list[_Rule]:
    """Replace temporary folders of one's own."""
    own = {folder.rstrip("/") for folder in temp} - {"", *_SHARED_TEMP}
    return [(_path(folder), mark) for folder in sorted(own, key=len, reverse=True)]


def _home_rules(home: str, user: str, mark: str) -> list[_Rule]:
    homes = {home.rstrip("/"), *_named_homes(user)} - {""}
    rules = [(_path(one), mark) for one in sorted(homes, key=len, reverse=True)]
    return rules + [
        (re.compile(re.escape(quote(one, safe="")) + r"(?![\w-])"), mark) for one in homes
    ]


def _named_homes(user: str) -> tuple[str, ...]:
    return (f"/home/{user}", f"/Users/{user}") if user else ()


def _user_rules(user: str, mark: str) -> list[_Rule]:
    """Replace the name as a folder of an absolute path; `root` tells of nobody."""
    if not user:
        return []
    name = re.escape(user)
    rules = [(re.compile(rf"\bpytest-of-{name}(?![\w-])"), f"pytest-of-{mark}")]
    if user != "root":
        inside = re.compile(rf"{_START}((?:/[\w.@+~-]+)*/){name}{_END}")
        rules.append((inside, rf"\g<1>{mark}"))
    return rules


def _path(path: str) -> re.Pattern[str]:
    return re.compile(_START + re.escape(path) + _END)


def changed(value: JsonValue, change: Callable[[str], str], source: str = "") -> JsonValue:
    """Return a JSON value with every text in it changed, keys of objects too.

    Args:
        value: Any JSON.
        change: Applied to every text.
        source: Key of an object whose values are left alone; empty means none.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed(one, change, source) for one in value]
    if isinstance(value, dict):
        return {
            change(key): one if key == source else changed(one, change, source)
            for key, one in value.items()
        }
    return value


def _user() -> str:
    return str(_or_none(getpass.getuser))


def _or_none(ask: Callable[[], object]) -> object:
    """Return what the machine says; nothing where it knows no such user."""
    try:
        return ask()
    except (OSError, KeyError, RuntimeError):
        return ""
