"""A run in a worktree imports the worktree's code, or says that it did not."""

import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from regreen_agents.domain.runs import RunSpec
from regreen_agents.runners.policy import RunnerPolicy
from regreen_agents.runners.target import python_in
from target_projects import OWNER, TargetProject, lean_policy, outcomes

TEST = """
    import shop
    def test_where():
        assert shop.PLACE == "tree", shop.__file__
"""
FINDER = """
import sys
from importlib.util import spec_from_file_location

{mapping} = {{"shop": {target!r}}}

class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in {mapping}:
            return spec_from_file_location(name, {mapping}[name] + "/__init__.py")

def install():
    sys.meta_path.append(Finder)
"""


@pytest.fixture
def project(tmp_path: Path) -> TargetProject:
    checkout, tree = tmp_path / "main checkout", tmp_path / "worktree"
    for root, place in ((checkout, "main"), (tree, "tree")):
        files = {"src/shop/__init__.py": f"PLACE = {place!r}\n", "tests/test_shop.py": TEST}
        TargetProject(root, root, tmp_path).write(files)
    return TargetProject(tree, checkout, tmp_path / "logs")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment that borrows this interpreter's packages."""
    root = tmp_path_factory.mktemp("target") / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    (packages(root) / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return root


def packages(environment: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return environment / "lib" / version / "site-packages"


def policy_in(environment: Path, **env: str) -> RunnerPolicy:
    policy = lean_policy()
    target = policy.target.model_copy(update={"python": str(python_in(environment))})
    return policy.model_copy(update={"target": target, "env": {**policy.env, **env}})


def install(environment: Path, line: str) -> None:
    (packages(environment) / "editable.pth").write_text(line + "\n")


def finder(environment: Path, mapping: str, target: Path) -> None:
    text = FINDER.format(mapping=mapping, target=str(target))
    (packages(environment) / "_editable_finder.py").write_text(text)
    # Two finders of one size in one second: Python would take the older one's bytecode.
    shutil.rmtree(packages(environment) / "__pycache__", ignore_errors=True)
    install(environment, "import _editable_finder; _editable_finder.install()")


def test_a_path_file_that_points_at_the_checkout_is_pointed_at_the_tree(
    project: TargetProject, environment: Path
) -> None:
    install(environment, str(project.checkout / "src"))

    run = project.run(policy=policy_in(environment))

    assert outcomes(run) == {"test_where": "passed"}
    assert run.foreign_modules == ()


def test_a_path_file_through_a_link_is_pointed_at_the_tree_too(
    project: TargetProject, environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(project.checkout)
    install(environment, str(tmp_path / "link" / "src"))

    run = project.run(policy=policy_in(environment))

    assert (outcomes(run), run.foreign_modules) == ({"test_where": "passed"}, ())


def test_an_editable_finder_of_setuptools_is_pointed_at_the_tree(
    project: TargetProject, environment: Path
) -> None:
    finder(environment, "MAPPING", project.checkout / "src" / "shop")

    run = project.run(policy=policy_in(environment))

    assert (outcomes(run), run.foreign_modules) == ({"test_where": "passed"}, ())


@pytest.mark.parametrize("linked", [False, True], ids=["direct", "through a link"])
def test_a_finder_nobody_knows_is_caught_by_the_module_it_loads(
    project: TargetProject, environment: Path, tmp_path: Path, linked: bool
) -> None:
    (tmp_path / "link").symlink_to(project.checkout)
    root = tmp_path / "link" if linked else project.checkout
    finder(environment, "PRIVATE", root / "src" / "shop")

    run = project.run(policy=policy_in(environment))

    assert outcomes(run) == {"test_where": "failed"}
    assert run.foreign_modules == ("shop",)


def test_a_pythonpath_into_the_checkout_is_pointed_at_the_tree(
    project: TargetProject, environment: Path
) -> None:
    install(environment, "")
    outside = str(project.checkout.parent)

    run = project.run(policy=policy_in(environment, PYTHONPATH=f"{outside}:{project.checkout}/src"))

    assert (outcomes(run), run.foreign_modules) == ({"test_where": "passed"}, ())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH came with 3.11")
def test_a_safe_path_keeps_its_first_entry(project: TargetProject, environment: Path) -> None:
    install(environment, "")
    safe = {"PYTHONSAFEPATH": "1", "PYTHONPATH": f"{project.checkout}/src"}

    run = project.run(policy=policy_in(environment, **safe))

    assert outcomes(run) == {"test_where": "passed"}


def test_the_sources_beside_the_tests_are_imported_as_with_plain_pytest(
    project: TargetProject, environment: Path
) -> None:
    install(environment, "")
    (project.path / "src" / "shop").rename(project.path / "shop")

    run = project.run(RunSpec(), policy_in(environment))
    plain = subprocess.run(
        [str(python_in(environment)), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project.path,
        env=policy_in(environment).env,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert plain.returncode == 0
    assert outcomes(run) == {"test_where": "passed"}
    assert OWNER not in str(run.command)
