from pathlib import Path

import pytest

from recipe_cases import assert_repairs, at, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.registry import propose

DATA = {"tests/fixtures/catalog.json": "{}"}


def relative(*, missing: str = "fixtures/catalog.json", line: int = 0) -> Finding:
    locations = at("tests/test_a.py", line) if line else ()
    return make_finding(
        Cause.CWD_RELATIVE_PATH,
        "tests/test_a.py::test_it",
        missing=(missing,),
        locations=locations,
    )


HERE = "Path(__file__).parent"
JOIN = "os.path.join(os.path.dirname(__file__), "


@pytest.mark.parametrize(
    ("imports", "use", "anchored"),
    [
        ("from pathlib import Path", 'open("{}")', f'open({HERE} / "{{}}")'),
        ("import pathlib", 'open("{}")', f'open(pathlib.{HERE} / "{{}}")'),
        ("import os", 'open("{}")', f'open({JOIN}"{{}}"))'),
        ("from os import path", "open('{}')", "open(path.join(path.dirname(__file__), '{}'))"),
        ("from pathlib import Path", 'Path("{}").read_text()', f'({HERE} / "{{}}").read_text()'),
        ("from pathlib import Path", 'x = Path("{}")', f'x = {HERE} / "{{}}"'),
        ("from pathlib import Path", 'Path("fixtures") / name', f'{HERE} / "fixtures" / name'),
        (
            "from pathlib import Path",
            'Path("fixtures", "catalog.json")',
            f'{HERE}.joinpath("fixtures", "catalog.json")',
        ),
        ("import os", 'os.path.join("fixtures", name)', f'{JOIN}"fixtures", name)'),
        ("import os", 'os.path.join(".", "fixtures", name)', f'{JOIN}"fixtures", name)'),
        ("import os", 'os.path.exists("./{}")', f'os.path.exists({JOIN}"./{{}}"))'),
        ("import os", 'open("fixtures/" + name)', f'open({JOIN}"fixtures/" + name))'),
        (
            "from pathlib import Path",
            'open("fixtures/" + name)',
            f'open({HERE} / ("fixtures/" + name))',
        ),
        (
            "from pathlib import Path",
            'open("fixtures/%s.json" % name)',
            f'open({HERE} / ("fixtures/%s.json" % name))',
        ),
        (
            "from pathlib import Path",
            'open("fixtures/{{}}.json".format(name))',
            f'open({HERE} / "fixtures/{{{{}}}}.json".format(name))',
        ),
        (
            "from pathlib import Path",
            'open(f"fixtures/{{name}}.json")',
            f'open({HERE} / f"fixtures/{{{{name}}}}.json")',
        ),
        ("from pathlib import Path", 'load("{}")', f'load(str({HERE} / "{{}}"))'),
        ("import os", 'load("{}")', f'load({JOIN}"{{}}"))'),
    ],
)
def test_a_relative_path_starts_at_the_files_folder(
    tmp_path: Path, imports: str, use: str, anchored: str
) -> None:
    text = "{}\n\n\ndef test_it():\n    {}  # data\n"
    path = "fixtures/catalog.json"
    tree = write_tree(tmp_path, {**DATA, "tests/test_a.py": text.format(imports, use.format(path))})
    after = text.format(imports, anchored.format(path))

    proposal = assert_repairs(tree, "anchor_path", relative(line=5), {"tests/test_a.py": after})

    assert proposal.change_lines == (
        "tests/test_a.py:5 anchor 'fixtures/catalog.json' at its folder",
    )


def test_the_import_is_added_where_no_path_library_is_known(tmp_path: Path) -> None:
    before = """
        import json

        import pytest


        def test_it():
            with open("fixtures/catalog.json") as stream:
                assert json.load(stream) == {}
        """
    after = before.replace(
        "import json\n", "import json\n        from pathlib import Path\n"
    ).replace('"fixtures', 'Path(__file__).parent / "fixtures')
    tree = write_tree(tmp_path, {**DATA, "tests/test_a.py": before})

    assert_repairs(tree, "anchor_path", relative(), {"tests/test_a.py": after})


@pytest.mark.parametrize(
    ("constant", "use", "anchored"),
    [
        (
            'DATA = "fixtures/catalog.json"',
            "open(DATA)",
            f'DATA = {HERE} / "fixtures/catalog.json"',
        ),
        (
            'DATA = "fixtures/catalog.json"',
            "load(DATA)",
            f'DATA = str({HERE} / "fixtures/catalog.json")',
        ),
        ('BASE = "fixtures/"', "open(BASE + name)", f'BASE = str({HERE} / "fixtures") + "/"'),
        ('BASE = "fixtures"', 'open(BASE + "/x")', f'BASE = str({HERE} / "fixtures")'),
        ('BASE = "fixtures"', "Path(BASE)", f'BASE = {HERE} / "fixtures"'),
    ],
)
def test_a_module_constant_is_anchored_where_it_is_defined(
    tmp_path: Path, constant: str, use: str, anchored: str
) -> None:
    text = "from pathlib import Path\n\n{}\n\n\ndef test_it():\n    {}\n"
    tree = write_tree(tmp_path, {**DATA, "tests/test_a.py": text.format(constant, use)})
    finding = relative(line=3 if "+" in use and "/x" in use else 7)

    assert_repairs(tree, "anchor_path", finding, {"tests/test_a.py": text.format(anchored, use)})


@pytest.mark.parametrize(
    ("folder", "anchor"),
    [("tests", ".parent.parent"), ("", ".parents[2]"), ("tests/unit", ".parent")],
)
def test_the_anchor_is_the_folder_where_the_file_really_is(
    tmp_path: Path, folder: str, anchor: str
) -> None:
    text = "from pathlib import Path\n\n\ndef test_it():\n    open({})\n"
    tree = write_tree(
        tmp_path,
        {f"{folder}/data.txt".lstrip("/"): "", "tests/unit/test_a.py": text.format('"data.txt"')},
    )
    finding = make_finding(
        Cause.CWD_RELATIVE_PATH, "tests/unit/test_a.py::test_it", missing=("data.txt",)
    )
    after = text.format(f'Path(__file__){anchor} / "data.txt"')

    assert_repairs(tree, "anchor_path", finding, {"tests/unit/test_a.py": after})


@pytest.mark.parametrize(
    "use",
    [
        'HERE / "fixtures/catalog.json"',
        'os.path.join(HERE, "fixtures/catalog.json")',
        'HERE.joinpath("fixtures/catalog.json")',
        '"""fixtures/catalog.json"""',
        'base + "fixtures/catalog.json"',
        'open("other/catalog.json")',
        'open("/fixtures/catalog.json")',
    ],
)
def test_a_path_that_is_anchored_or_another_one_is_left_alone(tmp_path: Path, use: str) -> None:
    text = f"import os\n\n\ndef test_it():\n    {use}\n"
    tree = write_tree(tmp_path, {**DATA, "tests/test_a.py": text})

    assert propose("anchor_path", relative(), tree) is None


def test_a_file_that_is_nowhere_in_the_tree_cannot_be_anchored(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"tests/test_a.py": 'def test_it():\n    open("gone/x.json")\n'})

    assert propose("anchor_path", relative(missing="gone/x.json"), tree) is None


def test_a_text_that_only_looks_like_the_path_stays(tmp_path: Path) -> None:
    text = (
        "import os\n\n\ndef test_it():\n"
        '    assert names(open("fixtures/catalog.json")) == ["fixtures/catalog.json"]\n'
    )
    tree = write_tree(tmp_path, {**DATA, "tests/test_a.py": text})

    proposal = propose("anchor_path", relative(), tree)

    assert proposal is not None
    assert proposal.edits[0].after.endswith('== ["fixtures/catalog.json"]\n')
