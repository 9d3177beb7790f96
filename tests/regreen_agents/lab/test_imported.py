from pathlib import Path

from recipe_cases import write_tree
from regreen_agents.lab.imported import reached_from


def test_files_are_followed_through_two_imports(tmp_path: Path) -> None:
    files = {
        "tests/test_a.py": "from shop import till\nimport json\nfrom . import near\n",
        "tests/near.py": "",
        "src/shop/__init__.py": "",
        "src/shop/till.py": "from .clock import now\n",
        "src/shop/clock.py": "import shop.far\n",
        "src/shop/far.py": "",
        "src/shop/other.py": "",
    }
    write_tree(tmp_path, files)

    found = reached_from(tmp_path, ["tests/test_a.py", "gone.py"])

    assert set(found) == {
        "gone.py",
        "tests/test_a.py",
        "tests/near.py",
        "src/shop/__init__.py",
        "src/shop/till.py",
        "src/shop/clock.py",
    }
