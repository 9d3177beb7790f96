import ast
import random
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from repair_cases.contexts import Context, Suite
from repair_cases.judging import Verdict, asserts_in, judge
from repair_cases.situations import Situation, all_situations, situations_of
from repair_cases.sprinting import patient
from repair_cases.truth import shows
from repair_cases.writing import Repository, compose

SITUATIONS = {one.name: one for one in all_situations()}
PYTHON = Path(sys.executable)


def drawn(*names: str, seed: int = 1) -> Repository:
    return compose([SITUATIONS[name] for name in names], random.Random(seed), 0)


def suite_of(repository: Repository, folder: Path, *, cured: bool) -> Suite:
    return Suite(patient(repository, folder, cured=cured), PYTHON, repository.env)


def test_a_situation_is_read_with_all_its_sections() -> None:
    text = """about

=== leak/one shows=after direct
--- source
x = []
--- polluter fills (tmp_path, caplog)
M.x.append(1)
--- sick reads_<n>
assert M.x == []
--- cure polluter fills
pass
--- mutate
[] ==> [0]
"""

    (one,) = situations_of("state", text)

    assert (one.family, one.name, one.shows, one.direct) == ("state", "leak/one", "after", True)
    assert [(t.role, t.name, t.fixtures) for t in one.tests] == [
        ("polluter", "fills", ("tmp_path", "caplog")),
        ("sick", "reads_<n>", ()),
    ]
    assert one.cures == {"polluter fills": "pass\n"}
    assert one.mutation == ("[]", "[0]")


def test_a_situation_that_shows_in_no_known_way_is_refused() -> None:
    with pytest.raises(ValueError, match="shows must be one of"):
        list(situations_of("state", "=== leak/one shows=sometimes\n--- source\n"))


@pytest.mark.parametrize("one", SITUATIONS.values(), ids=SITUATIONS)
def test_every_situation_has_a_sick_test_a_repair_and_a_bug_to_plant(one: Situation) -> None:
    old, new = one.mutation

    sick = [t for t in one.tests if t.role == "sick"] + [
        name for role, name in one.module_tests if role == "sick"
    ]
    assert sick
    assert old in one.source
    assert old in one.cures.get("source", one.source)
    assert old != new
    assert bool(one.cures) == (one.wants == "fix")


def test_a_seed_repeats_its_repository_and_another_seed_does_not() -> None:
    names = list(SITUATIONS)[:6]

    assert drawn(*names, seed=3).sick == drawn(*names, seed=3).sick
    assert drawn(*names, seed=3).sick != drawn(*names, seed=4).sick


@pytest.mark.parametrize("seed", range(6))
def test_all_files_are_python_that_parses_and_no_test_is_told_twice(seed: int) -> None:
    repository = drawn(*SITUATIONS, seed=seed)

    for files in (repository.sick, repository.cured):
        for path, text in files.items():
            if path.endswith(".py"):
                ast.parse(text, path)
                assert "<n>" not in text
    told = [test for case in repository.cases for test in case.everything]
    assert len(set(told)) == len(told)
    assert {case.name for case in repository.cases} == set(SITUATIONS)


@pytest.mark.parametrize(
    "name", ["env-leak/assign", "brittle/registry", "random/choice", "runs-twice/registered"]
)
def test_the_truth_is_true_of_the_sick_and_false_of_the_repaired(tmp_path: Path, name: str) -> None:
    repository = drawn(name)
    (case,) = repository.cases

    assert shows(case, suite_of(repository, tmp_path / "sick", cured=False))
    assert not shows(case, suite_of(repository, tmp_path / "cured", cured=True))


def judged(repository: Repository, suite: Suite, before: dict[str, int]) -> Verdict:
    (verdict,) = judge(
        repository.cases, suite, before, [Context("order", {"shuffle": 2, "seed": 1})]
    )
    return verdict


def test_the_known_good_repair_is_judged_to_be_one(tmp_path: Path) -> None:
    repository = drawn("module-global/setter")
    sick = suite_of(repository, tmp_path / "sick", cured=False)
    cured = suite_of(repository, tmp_path / "cured", cured=True)
    before = asserts_in(sick.project)

    assert judged(repository, sick, before).word == "not fixed"
    assert judged(repository, cured, before) == Verdict(repository.cases[0], "fixed")


@pytest.mark.parametrize(
    ("pattern", "replacement", "why"),
    [
        (r"^( *)(def test_total)", r"\1@pytest.mark.skip\n\1\2", "skipped now"),
        (r"assert (.*) == 0\.3", r"\1", "asserts less"),
        (r"== 0\.3", r"!= 7", "planted bug"),
    ],
)
def test_a_test_that_was_weakened_is_masked(
    tmp_path: Path, pattern: str, replacement: str, why: str
) -> None:
    situation = replace(SITUATIONS["float/sum"], style="pytest")
    repository = compose([situation], random.Random(5), 0)
    suite = suite_of(repository, tmp_path / "sick", cured=False)
    before = asserts_in(suite.project)
    file = suite.project / repository.cases[0].tests[0]
    text, count = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
    file.write_text("import pytest\n\n" + text)
    suite.git("commit", "-qam", "Weaken a test")

    verdict = judged(repository, suite, before)

    assert count == 1
    assert verdict.word == "masked"
    assert why in verdict.why
