"""JSON that came from a server, as far as it can be kept: valid Unicode, and not too deep."""

import json
from typing import NoReturn

from pydantic import JsonValue, TypeAdapter, ValidationError

DEEPEST = 100
"""Levels of an event or an input; what is deeper could be written to a tape, and not read."""
_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


def object_of(text: str) -> dict[str, JsonValue]:
    """Return the JSON object a text is.

    Raises:
        ValueError: It is none, has a number JSON does not know, or is nested too deeply.
        RecursionError: It is nested more deeply than the parser goes.
    """
    value: JsonValue = json.loads(text, parse_constant=_refuse)
    _require_shallow(value, DEEPEST)
    return _OBJECT.validate_python(value)


def input_of(text: str) -> dict[str, JsonValue] | None:
    """Return a tool's input; None where the text is no JSON object a server would take back."""
    try:
        value = object_of(text)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError, ValidationError):
        return None
    return value


def clean(text: str) -> str:
    """Return a text that is valid Unicode: a lone surrogate can be sent and stored nowhere."""
    return text.encode("utf-8", "replace").decode()


def clean_object(value: JsonValue) -> dict[str, JsonValue]:
    """Return an object with every text in it valid, its keys too; an empty one for no object."""
    known = value if isinstance(value, dict) else {}
    return {clean(key): _clean_value(one) for key, one in known.items()}


def _clean_value(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_value(one) for one in value]
    return clean_object(value) if isinstance(value, dict) else value


def _require_shallow(value: JsonValue, levels: int) -> None:
    if not levels:
        raise ValueError(levels)
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _require_shallow(one, levels - 1)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
