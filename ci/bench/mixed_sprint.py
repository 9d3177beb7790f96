"""One sprint over a repository with everything in it: does each cluster get the right engine?

``python ci/bench/mixed_sprint.py [--seed S]`` draws one project with polluters, brittle tests,
chance, zones, missing things, removed names, bugs in the code, and the like; runs a sprint as a
person would; and prints per sick place what was expected to repair it, what did, and whether the
truth says that it is repaired. What remains must be named in the report.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_parts import print_table
from repair_cases.contexts import PATH, Suite, all_contexts
from repair_cases.judging import Verdict, asserts_in, judge
from repair_cases.situations import all_situations
from repair_cases.sprinting import interpreter, latest, patient, plan_of, sprint
from repair_cases.writing import compose

RECIPE, SEARCH, MODERNISE, PERSON = "recipe", "search", "modernise", "person"
EXPECTED = {
    "env-leak/assign": ("environment-leak", RECIPE),
    "module-global/setter": ("global-state-polluter", RECIPE),
    "cache/by-hand": ("global-state-polluter", RECIPE),
    "mock-left-on/start": ("global-state-polluter", RECIPE),
    "pair/two-polluters": ("global-state-polluter", RECIPE),
    "brittle/initialiser": ("missing-state-setter", RECIPE),
    "brittle/registry": ("missing-state-setter", RECIPE),
    "shared-file/left-behind": ("left-file", RECIPE),
    "runs-twice/registered": ("self-pollution", RECIPE),
    "random/choice": ("unseeded-randomness", RECIPE),
    "set-order/list-compared": ("unordered-iteration", RECIPE),
    "zone/timestamp": ("time-zone-dependence", RECIPE),
    "encoding/written": ("locale-dependence", RECIPE),
    "cwd-path/data-file": ("cwd-relative-path", RECIPE),
    "command/bare": ("bare-command", RECIPE),
    "missing-file/json": ("missing-resource", RECIPE),
    "missing-file/unknown-format": ("missing-resource", PERSON),
    "missing-module/named": ("missing-dependency", PERSON),
    "removed-name/collections-abc": ("broken-by-upgrade", MODERNISE),
    "removed-name/getargspec": ("broken-by-upgrade", MODERNISE),
    "code-bug/boundary": ("code-bug", SEARCH),
    "code-bug/operator": ("code-bug", SEARCH),
}
"""Situation -> its cause and who repairs it; a person where only one can."""


@dataclass(frozen=True)
class Row:
    """One sick place: what was expected, and what came."""

    verdict: Verdict
    cause: str
    means: str
    told: bool
    """Whether the report names its tests, as far as they are not repaired."""

    @property
    def is_right(self) -> bool:
        """Whether the right engine was at work, with the result the truth allows."""
        expected = EXPECTED[self.verdict.case.name][1]
        wanted = "policy" if expected == PERSON else "fixed"
        return self.means == expected and self.verdict.word == wanted and self.told


def main() -> int:
    """Draw, treat, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", type=Path, help="default: a new one, with pip")
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    parser.add_argument("--orders", type=int, default=30)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="mixed-sprint-"))
    python = (asked.python or interpreter(folder)).absolute()
    situations = [s for s in all_situations() if s.name in EXPECTED]
    rng = random.Random(asked.seed)
    repository = compose(rng.sample(situations, len(situations)), rng, asked.seed)
    project = patient(repository, folder / "project", cured=False)
    before = asserts_in(project)
    done = sprint(project, python, folder, {"PATH": PATH})
    suite = Suite(project, python, repository.env)
    verdicts = judge(repository.cases, suite, before, all_contexts(asked.orders))
    rows = [_row(project, verdict) for verdict in verdicts]
    _print(rows)
    print(f"the sprint took {done.seconds:.0f} s")
    return 0


def _row(project: Path, verdict: Verdict) -> Row:
    plan = plan_of(project, verdict.case.sick)
    folder = latest(project)
    if plan is None or folder is None:
        return Row(verdict, "", "nothing", told=_is_told(project, verdict))
    finding = folder / "evidence" / plan / "finding.json"
    stored = finding if finding.exists() else folder / "refusals" / f"{plan}.json"
    found = json.loads(stored.read_text("utf-8"))
    cause = found.get("cause") or (found.get("finding") or {}).get("cause", "")
    return Row(verdict, cause, _means(folder, plan), _is_told(project, verdict))


def _means(folder: Path, plan: str) -> str:
    """Return who made the commit; a person where there is none."""
    path = folder / "attempts" / f"{plan}.json"
    attempts = json.loads(path.read_text("utf-8"))["attempts"] if path.exists() else []
    recipes = [one["recipe"] for one in attempts if one["result"] == "committed"]
    if not recipes:
        return PERSON
    known = (SEARCH, MODERNISE)
    return next((word for word in known if recipes[0].startswith(word[:8])), RECIPE)


def _is_told(project: Path, verdict: Verdict) -> bool:
    folder = latest(project)
    if verdict.word == "fixed" or folder is None:
        return True
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("reports/*.md"))]
    names = [test.rpartition("::")[2] for test in verdict.case.sick]
    return all(any(name in text for text in texts) for name in names)


def _print(rows: Sequence[Row]) -> None:
    table = [["sick place", "expected", "cause", "means", "truth", "told", "right"]]
    for row in sorted(rows, key=lambda row: list(EXPECTED).index(row.verdict.case.name)):
        name = row.verdict.case.name
        cause, means = EXPECTED[name]
        same = "" if row.cause == cause else row.cause or "none"
        cells = [name, f"{cause}: {means}", same or "same", row.means, row.verdict.word]
        table.append([*cells, "yes" if row.told else "NO", "yes" if row.is_right else "no"])
    print_table(table)
    print(f"right {sum(row.is_right for row in rows)}/{len(rows)}")


if __name__ == "__main__":
    sys.exit(main())
