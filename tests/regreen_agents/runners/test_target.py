"""Which interpreter runs the suite, and what is asked of it."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from regreen_agents.errors import TargetError
from regreen_agents.runners.target import (
    OWN,
    Choice,
    choose_interpreter,
    closure_of,
    inspect_target,
    module_behind,
    python_in,
    quote,
    unasked_plugins,
)
from target_projects import PLAIN, this_target

Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a folder that looks like a virtual environment."""

    def environment(name: str, script: str = "exit 0") -> Path:
        python = python_in(tmp_path / name)
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        return python

    return environment


def test_the_configuration_decides_before_everything_else(tmp_path: Path, make: Make) -> None:
    configured = make("tools")
    active = {"VIRTUAL_ENV": str(make("active").parents[1])}
    make(".venv")

    choice = choose_interpreter(tmp_path, "tools/bin/python", active)

    assert choice == Choice(configured, "configuration")


def test_a_configured_interpreter_may_be_absolute(tmp_path: Path, make: Make) -> None:
    assert choose_interpreter(tmp_path, str(make("x")), {}).python == python_in(tmp_path / "x")


@pytest.mark.parametrize("name", ["nowhere/python", "plain.txt"])
def test_a_configured_interpreter_that_cannot_run_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain.txt").write_text("")

    with pytest.raises(TargetError, match="cannot be run") as caught:
        choose_interpreter(tmp_path, name, {})

    assert name in caught.value.what
    assert "[tool.regreen]" in caught.value.fix


def test_the_active_environment_decides_before_the_projects_own(tmp_path: Path, make: Make) -> None:
    active = make("active")
    make(".venv")

    choice = choose_interpreter(tmp_path, "", {"VIRTUAL_ENV": str(active.parents[1])})

    assert choice == Choice(active, "VIRTUAL_ENV")


def test_regreens_own_active_environment_says_nothing_about_a_project_with_one(
    tmp_path: Path, make: Make
) -> None:
    own = make(".venv")

    choice = choose_interpreter(tmp_path, "", {"VIRTUAL_ENV": sys.prefix})

    assert choice == Choice(own, ".venv")


def test_regreens_own_active_environment_serves_a_project_without_one(tmp_path: Path) -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip("these tests do not run in a virtual environment")

    choice = choose_interpreter(tmp_path, "", {"VIRTUAL_ENV": sys.prefix})

    assert choice == Choice(python_in(Path(sys.prefix)), "VIRTUAL_ENV")


def test_an_active_environment_that_is_gone_is_passed_over(tmp_path: Path, make: Make) -> None:
    venv = make("venv")

    choice = choose_interpreter(tmp_path, "", {"VIRTUAL_ENV": str(tmp_path / "gone")})

    assert choice == Choice(venv, "venv")


def test_a_dotted_environment_is_taken_before_a_plain_one(tmp_path: Path, make: Make) -> None:
    make("venv")
    dotted = make(".venv")

    assert choose_interpreter(tmp_path, "", {}) == Choice(dotted, ".venv")


def test_without_any_environment_it_is_our_own(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()

    assert choose_interpreter(tmp_path, "", {}) == Choice(Path(sys.executable), OWN)


def test_an_interpreter_tells_its_version_its_pytest_and_its_plugins() -> None:
    target = this_target()

    assert target.version == sys.version.split(maxsplit=1)[0]
    assert target.pytest_version == pytest.__version__
    assert target.python == sys.executable
    assert "hypothesis" in target.plugins
    assert all(name == name.lower() and "_" not in name for name in target.plugins)


def test_plugins_only_our_own_dependencies_bring_are_known(tmp_path: Path) -> None:
    assert "langsmith_plugin" in this_target().unasked_plugins
    assert "pytest_cov" not in this_target().unasked_plugins
    assert unasked_plugins(tmp_path / "bin" / "python") == ()


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("pytest", "pytest"),
        ("brew-tea", "brew.tea"),
        ("brew-inner", "brew.inner"),
        ("brew-other", ""),
        ("no-such-command", ""),
    ],
)
def test_the_module_behind_a_command_says_itself_that_it_runs_it(
    tmp_path: Path, command: str, module: str
) -> None:
    files = {
        "brew/__init__.py": "",
        "brew/tea/__init__.py": "",
        "brew/tea/__main__.py": "from brew.tea.pot import main\n\nmain()\n",
        "brew/tea/pot.py": "def main(): pass\ndef other(): pass\n",
        "brew/inner.py": "def main(): pass\n\n\nif __name__ == '__main__':\n    main()\n",
        "brew-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: brew\nVersion: 1\n",
        "brew-1.dist-info/entry_points.txt": "[console_scripts]\nbrew-tea = brew.tea.pot:main\n"
        "brew-inner = brew.inner:main\nbrew-other = brew.tea.pot:other\n",
    }
    for name, text in files.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {**PLAIN, "PYTHONPATH": str(tmp_path / "site")}

    assert module_behind(this_target(), command, env, tmp_path) == module


def test_an_unknown_distribution_needs_nothing() -> None:
    assert closure_of("no-such-distribution-here") == set()


def test_an_interpreter_that_does_not_work_is_quoted(tmp_path: Path) -> None:
    broken = python_in(tmp_path / "broken")
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho 'libpython is missing' >&2\nexit 3\n")
    broken.chmod(0o755)

    with pytest.raises(TargetError, match="does not work") as caught:
        inspect_target(Choice(broken, "venv"), PLAIN, tmp_path)

    assert caught.value.why == "libpython is missing"
    assert caught.value.fix


def test_an_interpreter_that_says_nothing_is_refused_too(tmp_path: Path, make: Make) -> None:
    with pytest.raises(TargetError, match="does not work") as caught:
        inspect_target(Choice(make("silent"), "venv"), PLAIN, tmp_path)

    assert caught.value.why == "It ended with 0."


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("raise ImportError", "There is no pytest in"),
        ("__version__ = '6.2.5'", "pytest 6.2.5 in"),
    ],
    ids=["no pytest", "an old one"],
)
def test_a_pytest_that_cannot_serve_is_an_error_with_the_command_to_type(
    tmp_path: Path, module: str, what: str
) -> None:
    (tmp_path / "pytest.py").write_text(module)
    env = {**PLAIN, "PYTHONPATH": str(tmp_path)}

    with pytest.raises(TargetError) as caught:
        inspect_target(Choice(Path(sys.executable), "VIRTUAL_ENV"), env, tmp_path)

    assert caught.value.what.startswith(what)
    assert f"{sys.executable} -m pip install" in caught.value.fix


def test_a_quoted_command_can_be_pasted() -> None:
    command = ("python", "-m", "pytest", "a b.py::test_x[q'1]", "$HOME")

    assert shlex.split(quote(command)) == list(command)
