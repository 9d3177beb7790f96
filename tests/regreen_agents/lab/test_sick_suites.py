import dataclasses
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from regreen_agents.domain.identity import Model
from target_projects import LEAN

GENERATOR = Path(__file__).parents[3] / "ci" / "bench" / "sick_suites.py"


class Sick(Model):
    test: str
    role: str
    kind: str
    others: tuple[str, ...]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sick_suites", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sick_suites"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def generate(folder: Path, seed: int) -> tuple[Sick, ...]:
    folder.mkdir()
    return tuple(
        Sick.model_validate(dataclasses.asdict(one)) for one in generator().write(folder, seed)
    )


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def red(project: Path, tests: Sequence[str]) -> set[str]:
    """Run tests in the order given, in one process; return those that fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *tests],
        cwd=project,
        env={**LEAN, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return {line.split()[1] for line in lines}


def test_a_seed_repeats_its_project_and_another_seed_does_not(tmp_path: Path) -> None:
    generate(tmp_path / "a", 5)
    generate(tmp_path / "b", 5)
    generate(tmp_path / "c", 6)

    assert texts(tmp_path / "a") == texts(tmp_path / "b")
    assert texts(tmp_path / "a") != texts(tmp_path / "c")


@pytest.mark.parametrize("seed", range(5))
def test_what_is_planted_is_told_and_counted(tmp_path: Path, seed: int) -> None:
    sick = generate(tmp_path / "suite", seed)

    suite = generator().draw(seed)
    roles = [one.role for one in sick]
    assert (len(suite.names), len(set(suite.names))) == (300, 300)
    assert len({name.partition("::")[0] for name in suite.names}) == 20
    assert [roles.count(role) for role in ("victim", "brittle", "random")] == [7, 2, 3]
    assert sorted(len(one.others) for one in sick) == [0] * 3 + [1] * 8 + [2]
    told = json.loads((tmp_path / "suite" / "truth.json").read_text())
    assert [Sick.model_validate(one) for one in told["sick"]] == list(sick)


def test_the_truth_is_true(tmp_path: Path) -> None:
    sick = generate(tmp_path / "suite", 1)
    project = tmp_path / "suite" / "project"
    victims = [one for one in sick if one.role == "victim"]
    brittles = [one for one in sick if one.role == "brittle"]
    halves = [one.others[0] for one in victims if len(one.others) > 1]

    alone = red(project, [*halves, *(one.test for one in victims + brittles)])
    after = red(project, [test for one in victims + brittles for test in (*one.others, one.test)])

    # One half of a pair does no harm; each other's polluters do not matter.
    assert alone == {one.test for one in brittles}
    assert after == {one.test for one in victims}


def test_names_tell_nothing(tmp_path: Path) -> None:
    sick = generate(tmp_path / "suite", 2)

    suite = generator().draw(2)
    words = {*generator().WORDS.split(), *generator().TONES.split()}
    involved = [name for one in sick for name in (one.test, *one.others)]
    assert set(involved) <= set(suite.names)
    for name in suite.names:
        module, function = name.removeprefix("tests/test_").split(".py::test_")
        assert {module, *function.split("_")} <= words
