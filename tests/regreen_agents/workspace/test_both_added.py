"""Two commits that add at one place are both kept; whatever else collides stays a conflict."""

import pytest

from regreen_agents.workspace.commits import changed_paths, cherry_pick, commit_edits
from regreen_agents.workspace.worktrees import Worktrees
from scratch_git import AUTHOR, DATE, Scratch

BASE = "import logging\n\nimport shop\n\n\ndef test_it():\n    assert shop\n"
CLASS = "class TestA:\n    def test_it(self):\n        {}assert True\n"


def fixture(name: str) -> str:
    return (
        f'@pytest.fixture(autouse=True)\ndef _restore_{name}():\n    """Put {name} back."""\n'
        f"    saved = shop.{name}\n    yield\n    shop.{name} = saved\n\n\n"
    )


def with_fixtures(*names: str) -> str:
    imported = BASE.replace("\nimport shop\n", "\nimport pytest\n\nimport shop\n")
    head, mark, rest = imported.partition("def test_it")
    return head + "".join(fixture(name) for name in names) + mark + rest


def both(repo: Scratch, base: str, first: str, second: str) -> str | None:
    """Return the file with one commit put onto the other, or None for a conflict."""
    repo.commit({"tests/test_a.py": base})
    repo.open().prepare_state_folder()
    trees = Worktrees(repo.open(), "S1")
    picks = []
    for name, text in (("PR1", first), ("PR2", second)):
        tree = trees.add(name, "HEAD")
        Scratch(tree).write("tests/test_a.py", text)
        edited = ["tests/test_a.py"]
        picks.append(commit_edits(tree, edited, f"Fix {name}", date=DATE, author=AUTHOR))
    tree = trees.add("gate", "HEAD")
    made = [cherry_pick(tree, pick, date=DATE) for pick in picks]
    assert changed_paths(tree) == ()
    return (tree / "tests/test_a.py").read_text() if made[1] else None


def test_two_fixtures_below_the_imports_are_both_kept(repo: Scratch) -> None:
    got = both(repo, BASE, with_fixtures("tax"), with_fixtures("rates"))

    assert got == with_fixtures("tax", "rates")


def test_an_import_that_both_add_is_there_once(repo: Scratch) -> None:
    first = BASE.replace("import logging\n", "import logging\nimport os\nimport time\n")
    second = BASE.replace("import logging\n", "import logging\nimport os\nimport socket\n")

    got = both(repo, BASE, first, second)

    assert got is not None
    assert got.startswith("import logging\nimport os\nimport time\nimport socket\n\nimport shop")


def test_two_methods_of_a_class_are_both_kept(repo: Scratch) -> None:
    base = CLASS.format("")
    method = "    def set_{}(self):\n        pass\n\n"
    first, second = (
        base.replace("TestA:\n", "TestA:\n" + method.format(name)) for name in ("up", "down")
    )

    got = both(repo, base, first, second)

    assert got == base.replace("TestA:\n", "TestA:\n" + method.format("up") + method.format("down"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CLASS.format("x = 1\n        "), CLASS.format("x = 2\n        ")),
        (CLASS.replace("{}assert True", "assert 1"), CLASS.replace("{}assert True", "assert 2")),
        (CLASS.format("") + "x = (\n", CLASS.format("") + "y = (\n"),
    ],
)
def test_other_collisions_stay_conflicts(repo: Scratch, first: str, second: str) -> None:
    assert both(repo, CLASS.format(""), first, second) is None
