"""Models as JSON text and back, with the version of the format in every piece."""

import json
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from regreen.store.durable import append_line, damaged, read_lines, unreadable, write_atomically
from regreen_agents.domain.identity import Model
from regreen_agents.errors import StoreError

SCHEMA_VERSION = 1
"""Written beside the fields of models that carry no version of their own."""

M = TypeVar("M", bound=Model)


def save_model(path: Path, model: Model) -> None:
    """Write a model as one line of JSON (indenting costs three times as long); repeatable."""
    text = json.dumps(_payload(model), sort_keys=True)
    write_atomically(path, (text + "\n").encode())


def load_model(path: Path, kind: type[M]) -> M:
    """Read a model written by `save_model`.

    Raises:
        StoreError: When the file is missing, damaged or of an unknown version.
    """
    found = find_model(path, kind)
    if found is None:
        raise missing(path)
    return found


def find_model(path: Path, kind: type[M]) -> M | None:
    """Read a model written by `save_model`, or return None when there is no such file.

    Raises:
        StoreError: When the file is damaged or of an unknown version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise damaged(path, "It is not UTF-8.") from error
    return _decode(text, kind, path, line=None)


def append_model(path: Path, model: Model, *, durable: bool = False) -> None:
    """Add a model to a log as one line of JSON."""
    line = json.dumps(_payload(model), sort_keys=True, separators=(",", ":"))
    append_line(path, line, durable=durable)


def read_models(path: Path, kind: type[M]) -> tuple[M, ...]:
    """Return the models of a log, oldest first; none when there is no file.

    Raises:
        StoreError: When a line other than a torn last one is damaged; names file and line.
    """
    lines = enumerate(read_lines(path), start=1)
    return tuple(_decode(text, kind, path, line=number) for number, text in lines)


def missing(path: Path) -> StoreError:
    """Return the error for a file that should be there."""
    return StoreError(
        f"{path} is missing.",
        why="The sprint has not reached the stage that writes it, or it was deleted.",
        fix="See where the sprint stands with: regreen status",
    )


def first_problem(error: ValidationError) -> str:
    """Return the first thing a model complains about, with the place of it."""
    problem = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def _payload(model: Model) -> dict[str, JsonValue]:
    payload: dict[str, JsonValue] = model.model_dump(mode="json", by_alias=True)
    if _needs_version(type(model)):
        payload["schema_version"] = SCHEMA_VERSION
    return payload


def _needs_version(kind: type[Model]) -> bool:
    """Tell whether the version goes beside the fields: an in-toto type URI is a version too."""
    fields = kind.model_fields
    return "schema_version" not in fields and "predicate_type" not in fields


def _decode(text: str, kind: type[M], path: Path, *, line: int | None) -> M:
    try:
        payload: JsonValue = json.loads(text)
    except (JSONDecodeError, RecursionError) as error:
        raise damaged(path, f"It is not JSON: {error}.", line=line) from error
    if not isinstance(payload, dict):
        raise damaged(path, "It does not hold a JSON object.", line=line)
    _check_version(payload, kind, path, line)
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        raise damaged(path, first_problem(error), line=line) from error


def _check_version(
    payload: dict[str, JsonValue], kind: type[Model], path: Path, line: int | None
) -> None:
    """Refuse other versions; take the version out where the model has no field for it."""
    if "predicate_type" in kind.model_fields:
        return
    version = payload.get("schema_version")
    if version is None:
        raise damaged(path, "It carries no schema_version.", line=line)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        place = f"{path}:{line}" if line else str(path)
        raise StoreError(
            f"{place} has schema_version {version!r}.",
            why=f"This regreen reads version {SCHEMA_VERSION}.",
            fix="Use the regreen that wrote it, or start a new sprint with: regreen sprint",
        )
    if _needs_version(kind):
        del payload["schema_version"]
