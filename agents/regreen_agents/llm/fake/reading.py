"""Read a scenario from a file; what is wrong with it is told with its line and key."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from regreen_agents.errors import UsageError
from regreen_agents.llm.fake.scenario import Scenario

_FIX = "Correct it; docs/fake-model.md describes every key."


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a YAML file, with those that follow it.

    Raises:
        UsageError: A file cannot be read, is no YAML, does not validate, or follows itself.
    """
    read = [path.name]
    scenario = parse_scenario(_text_of(path), path.name)
    while scenario.then:
        name = scenario.then
        if name in read or Path(name).name != name:
            told = "it follows itself" if name in read else "it is no file beside this one"
            raise _wrong(path.name, f"then: {name!r}: {told}")
        read.append(name)
        after = parse_scenario(_text_of(path.with_name(name)), name)
        scenario = scenario.followed_by(after).model_copy(update={"then": after.then})
    return scenario


def parse_scenario(text: str, name: str) -> Scenario:
    """Return the scenario in a YAML text; what follows it is not read.

    Args:
        text: YAML with one document.
        name: What it is called in messages.

    Raises:
        UsageError: It is no YAML, a key occurs twice, or it does not validate.
    """
    root, content = _parsed(text, name)
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        told = "; ".join(
            f"line {_line(root, one['loc'])}, {_key(one['loc'])}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise _wrong(name, told) from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The scenario {path.name!r} cannot be read.",
            why=(error.strerror if isinstance(error, OSError) else None) or str(error),
            fix="Name a scenario file, UTF-8 text.",
        ) from error


def _parsed(text: str, name: str) -> tuple[yaml.Node | None, object]:
    """Return a YAML text as nodes, which know their lines, and as values."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            _refuse_twins(root, name)
        return root, yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if isinstance(mark, yaml.Mark) else 1
        raise _wrong(name, f"line {line}: {getattr(error, 'problem', error)}") from error


def _wrong(name: str, why: str) -> UsageError:
    return UsageError(f"The scenario {name!r} does not validate.", why=why, fix=_FIX)


def _key(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place) or "the whole"


def _line(root: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """Return the line of the deepest node on the way to a place."""
    node, line = root, 1
    for part in place:
        child, at = _child(node, part)
        if child is None:
            continue  # pydantic's loc also names members of unions
        node, line = child, at
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child: yaml.Node = node.value[part]
        return child, child.start_mark.line + 1
    return None, 1


def _refuse_twins(node: yaml.Node, name: str) -> None:
    """YAML lets the last of two equal keys win; here that is a mistake."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_twins(child, name)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value != "<<" and str(key.value) in seen:
            line = key.start_mark.line + 1
            raise _wrong(name, f"line {line}, {key.value}: the key is there twice")
        seen.add(str(key.value))
        _refuse_twins(value, name)
