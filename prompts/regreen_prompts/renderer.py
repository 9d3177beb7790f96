"""Fills the template files: every placeholder is required, every value must be wanted."""

from functools import cache
from importlib.resources import files
from string import Template


def render(name: str, /, **values: str) -> str:
    """Return the template of that name with its placeholders replaced.

    Values are inserted as they are: a ``$`` inside one is never expanded.

    Args:
        name: File name in ``templates/`` without ``.md``.
        **values: One text per placeholder of the template, no more and no fewer.

    Raises:
        LookupError: No template has that name.
        ValueError: A value is missing, or one is given that the template does not use.
    """
    wanted = placeholders(name)
    missing = sorted(wanted - values.keys())
    unknown = sorted(values.keys() - wanted)
    if missing or unknown:
        raise ValueError(f"template {name!r}: missing {missing}, unknown {unknown}")
    return _template(name).substitute(values)


def placeholders(name: str) -> frozenset[str]:
    """Return the names the template asks for."""
    return frozenset(_template(name).get_identifiers())


@cache
def _template(name: str) -> Template:
    folder = files("regreen_prompts") / "templates"
    known = {entry.name.removesuffix(".md"): entry for entry in folder.iterdir()}
    if name not in known:
        raise LookupError(f"no template {name!r}; there are {sorted(known)}")
    template = Template(known[name].read_text(encoding="utf-8"))
    if not template.is_valid():
        raise ValueError(f"template {name!r} has a lone '$'; write '$$' for a dollar sign")
    return template
