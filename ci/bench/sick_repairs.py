"""Do sprints repair what they find? Generated sick repositories, judged by their truth.

``python ci/bench/sick_repairs.py [--cases N] [--seed S] [--per N] [--kinds K,...] [--jobs N]``
draws cases from the situations of `repair_cases`, puts them into repositories, shows that each is
sick as it says and that its known-good repair heals it, runs ``regreen sprint . --yes-plans`` and
``regreen commit approve --all`` there as a person would, and judges every case: the sick tests
green in random orders, seeds, zones, encodings and folders, nothing lost, skipped or asserted less,
and a bug planted in the code under test still noticed.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench_parts import print_table
from repair_cases.contexts import PATH, Suite, all_contexts
from repair_cases.judging import Verdict, asserts_in, judge
from repair_cases.situations import Situation, all_situations
from repair_cases.sprinting import Sprinted, interpreter, patient, sprint
from repair_cases.truth import shows
from repair_cases.writing import Repository, compose, truth_of

GOAL_FIXED = 0.95
VERIFYING_ORDERS = 4
WORDS = ("fixed", "policy", "not fixed", "masked", "broke")


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    cases: int
    seed: int
    per: int
    kinds: tuple[str, ...]
    python: Path
    folder: Path
    orders: int
    jobs: int
    verify: bool
    only_verify: bool


def drawn(asked: Asked) -> list[Repository]:
    """Draw all repositories: every situation as often as the others, mixed."""
    rng = random.Random(asked.seed)
    known = [s for s in all_situations() if not asked.kinds or _is_asked(s, asked.kinds)]
    chosen: list[Situation] = []
    count = asked.cases or len(known)
    while len(chosen) < count:
        chosen += rng.sample(known, len(known))
    chosen = chosen[:count]
    groups = [chosen[n : n + asked.per] for n in range(0, len(chosen), asked.per)]
    return [compose(group, rng, number) for number, group in enumerate(groups)]


def _is_asked(one: Situation, kinds: Sequence[str]) -> bool:
    return any(kind in (one.family, one.kind, one.name) for kind in kinds)


def unsound(repository: Repository, folder: Path, python: Path) -> list[str]:
    """Return what is not as the truth says: a case that does not show, or a repair that fails."""
    found: list[str] = []
    sick = Suite(patient(repository, folder / "sick", cured=False), python, repository.env)
    found += [f"{case.name}: does not show" for case in repository.cases if not shows(case, sick)]
    cured = Suite(patient(repository, folder / "cured", cured=True), python, repository.env)
    wanted = [case for case in repository.cases if case.wants == "fix"]
    verdicts = judge(wanted, cured, asserts_in(cured.project), all_contexts(VERIFYING_ORDERS))
    found += [
        f"{v.case.name}: repaired, {v.word}: {v.why}"
        for v in verdicts
        if v.word != "fixed" or v.why
    ]
    return found


def treated(repository: Repository, folder: Path, asked: Asked) -> tuple[list[Verdict], Sprinted]:
    """Run a sprint in a repository as a person would, and judge what became of its cases."""
    project = patient(repository, folder / "project", cured=False)
    (folder / "truth.json").write_text(truth_of(repository))
    before = asserts_in(project)
    done = sprint(project, asked.python, folder, {"PATH": PATH})
    suite = Suite(project, asked.python, repository.env)
    return judge(repository.cases, suite, before, all_contexts(asked.orders)), done


@dataclass(frozen=True)
class Done:
    """What came of one repository."""

    wrong: list[str]
    verdicts: list[Verdict]
    seconds: float = 0.0


def done_with(number: int, repository: Repository, asked: Asked) -> Done:
    """Verify one repository, treat it, judge it and tell."""
    folder = asked.folder / f"repository-{number}"
    wrong = unsound(repository, folder, asked.python) if asked.verify else []
    for line in wrong:
        print(f"repository {number}: {line}", flush=True)
    if asked.only_verify:
        return Done(wrong, [])
    found, done = treated(repository, folder, asked)
    _tell(number, found, done)
    return Done(wrong, found, done.seconds)


def main() -> int:
    """Draw, verify, treat, judge and print."""
    asked = _arguments()
    repositories = drawn(asked)
    with ThreadPoolExecutor(asked.jobs) as pool:
        one = partial(done_with, asked=asked)
        done = list(pool.map(one, range(len(repositories)), repositories))
    verdicts = [verdict for each in done for verdict in each.verdicts]
    if verdicts:
        report(verdicts, sum(each.seconds for each in done))
    wrong = sum(len(each.wrong) for each in done)
    if asked.verify:
        print(f"{wrong} lines say that a case is not as its truth says")
    return 1 if wrong else 0


def _tell(number: int, found: Sequence[Verdict], done: Sprinted) -> None:
    """Print what became of one repository, and why where a case is not simply fixed."""
    fixed = sum(one.word == "fixed" for one in found)
    print(
        f"repository {number}: {fixed}/{len(found)} fixed, sprint {done.seconds:.0f} s", flush=True
    )
    for one in found:
        if one.word != "fixed" or one.why:
            said = done.said(one.case.sick)
            print(
                f"  {one.word}: {one.case.name}: {one.case.sick[0]}: {one.why} | {said}", flush=True
            )


def report(verdicts: Sequence[Verdict], seconds: float) -> None:
    """Print a table by kind and the sum."""
    kinds = sorted({(v.case.family, v.case.kind) for v in verdicts})
    rows = [["family", "kind", "cases", *WORDS]]
    for family, kind in kinds:
        mine = [v.word for v in verdicts if v.case.kind == kind and v.case.family == family]
        rows.append([family, kind, str(len(mine)), *(str(mine.count(w) or "") for w in WORDS)])
    words = [v.word for v in verdicts]
    rows.append(["all", "", str(len(words)), *(str(words.count(w)) for w in WORDS)])
    print_table(rows)
    wanted = len(words) - words.count("policy")
    share = words.count("fixed") / max(1, wanted)
    print(f"fixed {share:.1%} of {wanted} (goal {GOAL_FIXED:.0%}), masked {words.count('masked')}")
    print(f"sprints took {seconds:.0f} s, {seconds / len(words):.1f} s per case")


def _arguments() -> Asked:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--cases", type=int, default=200, help="0: every situation once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per", type=int, default=20, help="cases in one repository")
    parser.add_argument("--kinds", default="", help="families, kinds or kind/variant")
    parser.add_argument("--python", type=Path, help="default: a new one, with pip")
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    parser.add_argument("--orders", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=1, help="repositories at once")
    parser.add_argument("--no-verify", action="store_true")
    parser.add_argument("--only-verify", action="store_true")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="sick-repairs-"))
    kinds = tuple(kind for kind in given.kinds.split(",") if kind)
    return Asked(
        given.cases,
        given.seed,
        given.per,
        kinds,
        (given.python or interpreter(folder)).absolute(),
        folder.absolute(),
        given.orders,
        given.jobs,
        not given.no_verify,
        given.only_verify,
    )


if __name__ == "__main__":
    sys.exit(main())
