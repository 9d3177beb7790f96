"""One sick shop for all tests of commands: measured once, with a fresh repository for each."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from command_parts import Shop, make_repository, measured_baseline
from engine_wards import FILES
from model_clinic import Clinic
from regreen_agents.domain.runs import SuiteRun
from scratch_git import Scratch


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith("GIT_") and n != "GIT_SSL_CAINFO"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


class Mould(NamedTuple):
    """A repository to copy, and its measured suite."""

    path: Path
    baseline: SuiteRun


@pytest.fixture(scope="session")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Mould:
    home = tmp_path_factory.mktemp("mould")
    scratch = make_repository(home / "shop")
    return Mould(scratch.path, measured_baseline(scratch, home / "logs"))


@pytest.fixture(scope="session")
def sick_shop(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """One shop with several diseases for the tests of models, auto and second opinions."""
    return Clinic.open(tmp_path_factory.mktemp("sick-shop"), FILES)


@pytest.fixture
def shop(mould: Mould, tmp_path: Path) -> Shop:
    path = tmp_path / "shop"
    shutil.copytree(mould.path, path, symlinks=True)
    (tmp_path / "logs").mkdir()
    return Shop(Scratch(path), tmp_path / "logs", mould.baseline)
