from pathlib import Path

import pytest

from recipe_cases import assert_repairs, at, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.repair.recipes.entry_points import interpreter_arguments
from regreen_agents.repair.recipes.registry import propose

GUARDED = 'def main():\n    print("ok")\n\n\nif __name__ == "__main__":\n    main()\n'
PROJECT = {
    "pyproject.toml": '[project]\nname = "shop"\n[project.scripts]\npricer = "shop.cli:main"\n',
    "shop/__init__.py": "",
    "shop/cli.py": GUARDED,
}


def bare(command: str = "pricer", line: int = 0) -> Finding:
    locations = at("tests/test_a.py", line) if line else ()
    return make_finding(
        Cause.BARE_COMMAND, "tests/test_a.py::test_it", missing=(command,), locations=locations
    )


HEAD = 'sys.executable, "-m", "shop.cli"'


@pytest.mark.parametrize(
    ("use", "resolved"),
    [
        (
            'subprocess.run(["pricer", "list"], check=True)',
            f'subprocess.run([{HEAD}, "list"], check=True)',
        ),
        ('subprocess.check_output(["pricer"])', f"subprocess.check_output([{HEAD}])"),
        ('subprocess.call(("pricer", *args))', f"subprocess.call(({HEAD}, *args))"),
        ('subprocess.Popen("pricer")', f"subprocess.Popen([{HEAD}])"),
        ('subprocess.run("pricer list -v".split())', f'subprocess.run([{HEAD}, "list", "-v"])'),
        ('subprocess.run(["pricer"] + args)', f"subprocess.run([{HEAD}] + args)"),
        ('cmd = ["pricer", "x"]; subprocess.run(cmd)', f'cmd = [{HEAD}, "x"]; subprocess.run(cmd)'),
    ],
)
def test_a_command_becomes_its_module(tmp_path: Path, use: str, resolved: str) -> None:
    text = "import subprocess\nimport sys\n\n\ndef test_it():\n    args = []\n    {}  # run\n"
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": text.format(use)})

    assert_repairs(tree, "resolve_command", bare(), {"tests/test_a.py": text.format(resolved)})


def test_the_layout_of_the_list_and_the_quotes_of_the_file_stay(tmp_path: Path) -> None:
    before = """
        from subprocess import run


        def test_it():
            run(
                [
                    'pricer',
                    'list',  # all
                ],
            )
        """
    after = before.replace("'pricer'", "sys.executable, '-m', 'shop.cli'").replace(
        "from subprocess import run\n", "import sys\n        from subprocess import run\n"
    )
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": before})

    assert_repairs(tree, "resolve_command", bare(), {"tests/test_a.py": after})


def test_a_list_given_to_another_function_counts_on_the_suspected_line_only(tmp_path: Path) -> None:
    text = 'def test_it():\n    names = ["pricer", "x"]\n    shell(["pricer", "x"])\n'
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": text})

    assert propose("resolve_command", bare(), tree) is None
    proposal = propose("resolve_command", bare(line=3), tree)
    assert proposal is not None
    assert 'names = ["pricer", "x"]' in proposal.edits[0].after
    assert f"shell([{HEAD}, " in proposal.edits[0].after


@pytest.mark.parametrize(
    "use",
    [
        'subprocess.run("pricer list", shell=True)',
        'subprocess.run(["other", "pricer"])',
        'subprocess.run([f"{x}", "pricer"])',
        'print(["pricer"])',
    ],
)
def test_what_runs_no_bare_command_is_left_alone(tmp_path: Path, use: str) -> None:
    text = f"import subprocess\n\n\ndef test_it():\n    {use}\n"
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": text})

    assert propose("resolve_command", bare(), tree) is None


def test_a_command_the_tree_does_not_declare_runs_by_the_module_the_lab_has_run(
    tmp_path: Path,
) -> None:
    text = "import subprocess\nimport sys\n\n\ndef test_it():\n\tsubprocess.run([{}, '-v'])\n"
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": text.format("'linter'")})
    finding = bare("linter").model_copy(update={"module": "linter.cli"})
    after = text.format("sys.executable, '-m', 'linter.cli'")

    proposal = assert_repairs(tree, "resolve_command", finding, {"tests/test_a.py": after})

    assert "The tests still need linter.cli in their environment." in proposal.cons
    assert not any("this tree" in pro for pro in proposal.pros)


def test_what_the_tree_declares_goes_before_an_installed_module(tmp_path: Path) -> None:
    text = "import subprocess\nimport sys\n\n\ndef test_it():\n    subprocess.run([{}])\n"
    tree = write_tree(tmp_path, {**PROJECT, "tests/test_a.py": text.format('"pricer"')})
    finding = bare().model_copy(update={"module": "another"})

    assert_repairs(tree, "resolve_command", finding, {"tests/test_a.py": text.format(HEAD)})


@pytest.mark.parametrize(
    ("files", "command", "arguments"),
    [
        ({}, "python", ()),
        ({}, "python3.11", ()),
        ({}, "pricer", None),
        (
            {
                "setup.cfg": (
                    "[options.entry_points]\nconsole_scripts =\n    pricer = shop.cli:main\n"
                )
            },
            "pricer",
            ("-m", "shop.cli"),
        ),
        (
            {"setup.py": 'setup(entry_points={"console_scripts": ["pricer=shop.cli:main"]})'},
            "pricer",
            ("-m", "shop.cli"),
        ),
        (
            {"pyproject.toml": '[tool.poetry.scripts]\npricer = "shop.cli:main"\n'},
            "pricer",
            ("-m", "shop.cli"),
        ),
        ({"shop/__main__.py": ""}, "shop", ("-m", "shop")),
        ({"pyproject.toml": "not [ toml"}, "pricer", None),
        (
            {
                "pyproject.toml": '[project.scripts]\npricer = "shop.api:run"\n',
                "shop/api.py": "def run(): ...\n",
            },
            "pricer",
            ("-c", "import sys; from shop.api import run; sys.exit(run())"),
        ),
        ({"pyproject.toml": '[project.scripts]\npricer = "elsewhere:run"\n'}, "pricer", None),
    ],
)
def test_the_module_comes_from_what_the_project_declares(
    tmp_path: Path, files: dict[str, str], command: str, arguments: tuple[str, ...] | None
) -> None:
    base = {"shop/__init__.py": "", "shop/cli.py": GUARDED}

    assert interpreter_arguments(command, write_tree(tmp_path, {**base, **files})) == arguments
