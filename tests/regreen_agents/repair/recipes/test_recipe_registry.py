import difflib
import keyword
from pathlib import Path

import libcst as cst
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe_cases import env_change, make_finding, owned_change, write_tree
from regreen_agents.domain.findings import Cause
from regreen_agents.domain.runs import ABSENT
from regreen_agents.repair.recipes.registry import RECIPES, proposals, propose
from regreen_agents.repair.source import SourceTree

TEST = "tests/test_a.py::test_it"


def test_the_narrowest_repair_comes_first_and_equal_ones_once(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path, {"tests/test_a.py": "import os\n\n\ndef test_it():\n    os.environ['A'] = '1'\n"}
    )
    finding = make_finding(Cause.ENVIRONMENT_LEAK, TEST, state=(env_change("A"),))

    found = proposals(finding, tree)

    assert [p.recipe for p in found] == ["env_monkeypatch", "restore_fixture"]
    assert [propose(p.recipe, finding, tree) for p in found] == list(found)


@pytest.mark.parametrize(("functions", "crowded"), [(3, False), (4, True)])
def test_many_victims_in_one_file_put_the_fixture_first(
    tmp_path: Path, functions: int, crowded: bool
) -> None:
    names = [f"test_{number}" for number in range(functions)]
    text = "\n\n\n".join(f"def {name}():\n    pass" for name in names)
    tree = write_tree(tmp_path, {"tests/test_a.py": f"{text}\n", "tests/test_b.py": f"{text}\n"})
    victims = [f"tests/test_a.py::{name}{case}" for name in names for case in ("[1]", "[2]")]
    finding = make_finding(
        Cause.ENVIRONMENT_VARIABLE,
        *victims,
        "tests/test_b.py::test_0",
        state=(env_change("A", after=ABSENT),),
    )

    found = [proposal.recipe for proposal in proposals(finding, tree)]

    assert found == sorted(["unset_variable", "unset_variable_fixture"], reverse=crowded)


@pytest.mark.parametrize(
    "name", ["unknown", "seed_random", "env_monkeypatch=2", "restore_fixture=x", ""]
)
def test_a_recipe_that_is_unknown_or_for_another_cause_proposes_nothing(
    tmp_path: Path, name: str
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})
    finding = make_finding(Cause.ENVIRONMENT_LEAK, TEST, state=(env_change("A"),))

    assert propose(name, finding, tree) is None


@pytest.mark.parametrize("cause", [Cause.CODE_BUG, Cause.CRASH, Cause.UNEXPLAINED])
def test_a_cause_without_a_recipe_has_no_proposals(tmp_path: Path, cause: Cause) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": "def test_it():\n    pass\n"})

    assert proposals(make_finding(cause, TEST), tree) == ()


def test_recipe_names_are_unique() -> None:
    names = [recipe.name for recipe in RECIPES]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("text", [None, "", "def test_it(:\n", "# only a comment\n", "x = 1\n"])
def test_a_file_that_is_missing_broken_or_empty_is_no_error(
    tmp_path: Path, cause: Cause, text: str | None
) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": text} if text is not None else {})
    finding = make_finding(
        cause,
        TEST,
        state=(env_change("A"), owned_change("shop", "RATES")),
        missing=("data/x.txt",),
        state_setters=(TEST,),
    )

    for proposal in proposals(finding, tree):
        cst.parse_module(proposal.edits[0].after)


NAMES = st.from_regex(r"[a-z]{3,6}", fullmatch=True).filter(lambda n: not keyword.iskeyword(n))
LINES = st.one_of(
    st.sampled_from(
        ["", "# a comment", "x = {  'odd' :1 }", 'y = "text"  # why', "z = [\n    1,\n]"]
    ),
    NAMES.map(lambda name: f"import {name}_module"),
    NAMES.map(lambda name: f"def {name}_helper(a, b=1):\n    return a  # {name}"),
    NAMES.map(lambda name: f"if x:\n    import {name}_other\nelse:\n    pass"),
)
CASES = {
    "restore_fixture": make_finding(
        Cause.GLOBAL_STATE, TEST, state=(env_change("A"), owned_change("shop.tax", "RATES"))
    ),
    "state_setter": make_finding(
        Cause.MISSING_STATE_SETTER, TEST, state=(owned_change("shop.tax", "RATES"),)
    ),
    "unset_variable": make_finding(
        Cause.ENVIRONMENT_VARIABLE, TEST, state=(env_change("A", after=ABSENT),)
    ),
    "unset_variable_fixture": make_finding(
        Cause.ENVIRONMENT_VARIABLE, TEST, state=(env_change("TZ", after=ABSENT),)
    ),
    "seed_random": make_finding(Cause.UNSEEDED_RANDOMNESS, TEST),
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    database=None,
)
@given(
    above=st.lists(LINES, max_size=6),
    below=st.lists(LINES, max_size=3),
    style=st.tuples(st.sampled_from(["    ", "\t", "  "]), st.sampled_from(["\n", "\r\n"])),
    recipe=st.sampled_from(sorted(CASES)),
)
def test_whatever_the_file_looks_like_nothing_is_lost(
    tmp_path: Path, above: list[str], below: list[str], style: tuple[str, str], recipe: str
) -> None:
    indent, newline = style
    text = "\n".join([*above, "def test_it():", "    # first", "    pass", *below, ""])
    text = text.replace("    ", indent).replace("\n", newline)
    (tmp_path / "test_a.py").write_text(text, newline="")
    finding = CASES[recipe].model_copy(
        update={"victims": ("test_a.py::test_it",), "polluters": ("test_a.py::test_it",)}
    )

    proposal = propose(recipe, finding, SourceTree(tmp_path))

    assert proposal is not None
    (edit,) = proposal.edits
    cst.parse_module(edit.after)
    assert edit.before == text
    assert newline == "\n" or "\n" not in edit.after.replace("\r\n", "")
    lost = [
        line[2:]
        for line in difflib.ndiff(text.splitlines(), edit.after.splitlines())
        if line.startswith("- ") and line[2:].strip()
    ]
    assert lost in ([], ["def test_it():"])
    (tmp_path / "test_a.py").write_text(edit.after, newline="")
    assert propose(recipe, finding, SourceTree(tmp_path)) is None
