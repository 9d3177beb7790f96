"""Plan documents as text: Markdown with YAML front matter, one plan each."""

import difflib
import json
import re
import reprlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import get_args

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from regreen.store import frontmatter
from regreen.store.files import finding_file
from regreen.store.frontmatter import FrontMatter, FrontMatterError, Location, Problem
from regreen.store.names import is_plan_id
from regreen.store.plan_body import plan_body
from regreen_agents.domain.findings import Finding
from regreen_agents.domain.identity import Digest, PlanId, SprintId, digest_of
from regreen_agents.domain.plans import Plan
from regreen_agents.errors import DocumentError

FindingLoader = Callable[[PlanId], Finding]
"""Returns the finding that lies beside a plan's document."""

_STAMPED = re.compile(r"\.regreen/sprints/[^/\s\"]+/")
_FINDING = "finding"
_FINDING_DIGEST = "finding_digest"
_RARE = frozenset({"edits", "rival", "confidence", "telling", "routing", "opinions"})
"""Fields a document shows only where there is something in them."""


def digest_of_finding(finding: Finding) -> Digest:
    """Return the digest a plan document binds its evidence with.

    Fields at their defaults do not count, so a field that a later regreen adds changes no digest;
    nor does the sprint's stamp in paths, so the same tree gives the same digest again.
    """
    told = finding.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return digest_of(_STAMPED.sub(".regreen/sprints/<sprint>/", text))


def render(plan: Plan, finding_digest: Digest) -> str:
    """Return the plan as a document; the same plan gives the same bytes."""
    values: dict[str, JsonValue] = {}
    for name, value in plan.model_dump(mode="json").items():
        if name in _RARE and not value:
            continue
        values[name] = _options(value) if name == "options" else value
        if name == _FINDING:
            values[name] = finding_file(plan.id)
            values[_FINDING_DIGEST] = finding_digest
    return f"{frontmatter.write(values)}\n{plan_body(plan)}"


def _options(options: list[dict[str, JsonValue]]) -> JsonValue:
    """Return options without the fields that only searched edits have, where they are empty."""
    return [
        {name: value for name, value in option.items() if value or name not in _RARE}
        for option in options
    ]


def parse(
    text: str, *, source: Path, load_finding: FindingLoader, sprint: SprintId | None = None
) -> Plan:
    """Return the plan a document's front matter describes.

    Args:
        text: The whole document; below the front matter nothing is read.
        source: Where it lies; its stem must be the plan's id.
        load_finding: Gives the finding the plan rests on.
        sprint: The sprint it must belong to; None takes any.

    Raises:
        DocumentError: Naming ``file:line`` for each problem found.
        StoreError: When the finding is missing or damaged.
    """
    try:
        matter = frontmatter.read(text)
    except FrontMatterError as error:
        raise document_error(source, error.problems) from error
    problems = list(_identity_problems(matter, source.stem, sprint))
    if problems:
        raise document_error(source, problems)
    finding = load_finding(PlanId(source.stem))
    problems += _finding_problems(matter, finding)
    plan = _validated(matter, finding, problems)
    if plan is None or problems:
        raise document_error(source, problems)
    return plan


def document_error(source: Path, problems: list[Problem] | tuple[Problem, ...]) -> DocumentError:
    """Return the error that shows each problem at its line."""
    found = [f"{source}:{line}: {text}" for line, text in sorted(set(problems))]
    many = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    return DocumentError(
        f"The plan document {source.name} does not validate: {many}.",
        why="\n".join(found),
        fix=f"Correct it with: regreen plan edit {source.stem}",
    )


def _identity_problems(
    matter: FrontMatter, stem: str, sprint: SprintId | None
) -> Iterator[Problem]:
    """Yield what is wrong with whose plan this is, before anything is loaded by that name."""
    expected: list[tuple[str, JsonValue, str]] = [
        ("id", stem, f"the file is called {stem}.md"),
        (_FINDING, f"evidence/{stem}/finding.json", "the evidence of a plan has a fixed place"),
    ]
    if sprint is not None:
        expected.append(("sprint", sprint, "the document lies in that sprint's folder"))
    if not is_plan_id(stem):
        yield Problem(1, f"{stem!r} is not the id of a plan: PR1, PR2, ...")
    for name, value, why in expected:
        found = matter.values.get(name)
        if found is None:
            yield Problem(matter.line_of((name,)), f"{name}: is missing")
        elif found != value:
            yield Problem(
                matter.line_of((name,)), f"{name}: is {found!r}, must be {value!r}: {why}"
            )


def _finding_problems(matter: FrontMatter, finding: Finding) -> Iterator[Problem]:
    found = matter.values.get(_FINDING_DIGEST)
    line = matter.line_of((_FINDING_DIGEST,))
    if found is None:
        yield Problem(line, f"{_FINDING_DIGEST}: is missing")
    elif found != digest_of_finding(finding):
        stored = matter.values[_FINDING]
        yield Problem(line, f"{_FINDING_DIGEST}: {stored} is not the evidence this plan rests on")


def _validated(matter: FrontMatter, finding: Finding, problems: list[Problem]) -> Plan | None:
    """Return the plan, or None after adding to the problems."""
    values = {k: v for k, v in matter.values.items() if k != _FINDING_DIGEST}
    try:
        plan = Plan.model_validate({**values, _FINDING: finding})
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_model_problem(matter, detail) for detail in details]
        return None
    problems += _option_problems(matter, plan)
    problems += _scope_problems(matter, plan)
    return plan


def _model_problem(matter: FrontMatter, detail: ErrorDetails) -> Problem:
    at: Location = detail["loc"]
    name = ".".join(str(part) for part in at)
    line = matter.line_of(at)
    found = reprlib.repr(detail["input"])
    match detail["type"]:
        case "missing":
            return Problem(line, f"{name}: is missing")
        case "extra_forbidden":
            return Problem(line, f"{name}: unknown field{_meant(at)}")
        case "string_type":
            return Problem(line, f"{name}: must be text, found {found}: put it in quotes")
        case _:
            said = detail["msg"].replace("Input should", "should").replace("tuple", "list")
            return Problem(line, f"{name}: {said}, found {found}")


def _meant(at: Location) -> str:
    """Return the field that could have been meant by an unknown one."""
    close = difflib.get_close_matches(str(at[-1]), _known_fields(at), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _known_fields(at: Location) -> list[str]:
    """Return the fields there are at the place of an unknown one."""
    if len(at) == 1:
        return [*Plan.model_fields, _FINDING_DIGEST]
    kind = Plan.model_fields[str(at[0])].annotation
    models = [k for k in (kind, *get_args(kind)) if isinstance(k, type)]
    return [name for k in models if issubclass(k, BaseModel) for name in k.model_fields]


def _option_problems(matter: FrontMatter, plan: Plan) -> Iterator[Problem]:
    keys = [option.key for option in plan.options]
    listed = ", ".join(keys)
    for name, key in (("recommended", plan.recommended), ("chosen", plan.chosen)):
        if key and key not in keys:
            yield Problem(
                matter.line_of((name,)), f"{name}: there is no option {key!r}, only {listed}"
            )
    for number, key in enumerate(keys):
        if key in keys[:number]:
            line = matter.line_of(("options", number, "key"))
            yield Problem(line, f"options.{number}.key: there are two options {key!r}")


def _scope_problems(matter: FrontMatter, plan: Plan) -> Iterator[Problem]:
    for number, path in enumerate(plan.scope):
        wrong = _outside(path)
        if wrong:
            line = matter.line_of(("scope", number))
            yield Problem(line, f"scope.{number}: {path!r} {wrong}")


def _outside(path: str) -> str:
    """Return why a path may not stand in a scope, or an empty text."""
    if path.startswith(("/", "~")) or PureWindowsPath(path).anchor:
        return "is not relative to the repository"
    if ".." in PurePosixPath(path).parts:
        return "climbs out with '..'"
    if "\\" in path:
        return "must be written with '/'"
    return "" if PurePosixPath(path).parts else "names the whole repository: list files or folders"
