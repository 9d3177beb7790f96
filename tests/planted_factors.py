"""A project with one planted test per factor of the perturbation matrix."""

import datetime as dt
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

from regreen_agents.domain.runs import Factor
from regreen_agents.runners.policy import RunnerPolicy
from target_projects import TargetProject, lean_policy, make_project

FILE = "pkg/test_planted.py"
PLANTED = """
    import datetime, glob, os, posix, random, shutil, tempfile, time, warnings
    from pathlib import Path

    BEGAN = datetime.datetime.fromisoformat("{began}")

    def test_steady():
        assert time.time() > 0

    def test_date():
        assert datetime.datetime.now() <= BEGAN + datetime.timedelta(days=30)

    def test_time_of_day():
        now = datetime.datetime.now()
        far = abs(now - BEGAN) >= datetime.timedelta(hours=6)
        assert not far or now.date() != BEGAN.date()

    def test_zone():
        assert time.localtime().tm_gmtoff == 0

    def test_night_of_the_switch():
        now = datetime.datetime.now().replace(microsecond=0)
        later = now + datetime.timedelta(minutes=90)
        assert later.timestamp() - now.timestamp() == 5400

    def test_locale(tmp_path):
        (tmp_path / "name").write_text("caf\\u00e9")

    def test_home():
        assert Path("~/settings").expanduser().exists()

    def test_temporary_folder():
        assert " " not in tempfile.gettempdir()

    def test_umask(tmp_path):
        made = tmp_path / "made"
        made.touch()
        assert made.stat().st_mode & 0o044

    def test_variable():
        assert os.environ.get("MODE") == "shop"

    def test_command():
        assert shutil.which("special-tool")

    def test_listing(tmp_path):
        for name in ["b", "a", "d", "c"]:
            (tmp_path / name).touch()
        native = posix.listdir(tmp_path)
        assert os.listdir(tmp_path) == native
        assert [path.name for path in tmp_path.iterdir()] == native
        assert [Path(name).name for name in glob.glob(f"{{tmp_path}}/*")] == native
        assert next(os.walk(tmp_path))[2] == native

    def test_processors():
        assert os.cpu_count() == {processors} and len(os.sched_getaffinity(0)) == {usable}

    def test_idle_machine():
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                line = Path(path).read_bytes()
            except OSError:
                continue
            assert str(os.getpid()).encode() not in line.split(b"\\0")

    def test_warning():
        warnings.warn("old", UserWarning)

    def test_precision():
        import torch
        assert torch.default == "float32"

    def test_memory():
        assert bytes(700 << 20)

    def test_set_order():
        assert list({{"a", "b", "c", "d"}}) == {hashed}

    def test_random():
        assert random.random() != {drawn}

    def test_one_process():
        assert "PYTEST_XDIST_WORKER" not in os.environ

    def test_folder():
        assert Path("pkg").exists()

    STATE = []

    def test_first():
        STATE.append(1)

    def test_second():
        assert STATE == [1]
"""
TORCH = """
    float32, float64 = "float32", "float64"
    default = float32

    def set_default_dtype(value):
        global default
        default = value
"""
LATE = 17
FLIPS = {
    "time-zone=America/New_York": "test_zone",
    "locale=C": "test_locale",
    "date=+40d": "test_date",
    "hash-seed=1": "test_set_order",
    "listing-order=reversed": "test_listing",
    "home=empty": "test_home",
    "tmpdir=with a space": "test_temporary_folder",
    "umask=077": "test_umask",
    "random-seed=1": "test_random",
    "float-precision=float64": "test_precision",
    "isolation=alone": "test_second",
    "order=reverse": "test_second",
    "cwd=pkg": "test_folder",
    "clean-env=minimal": "test_variable",
    "minimal-path=/usr/bin:/bin": "test_command",
    "warnings=error": "test_warning",
    "load=1": "test_idle_machine",
    "workers=2": "test_one_process",
    "memory=512": "test_memory",
}
"""Factor -> the one test it flips; those of the clock are added with the time of the project."""


def factor_of(text: str) -> Factor:
    """Return a factor from ``name=value``."""
    name, _, value = text.partition("=")
    return Factor(name=name, value=value)


def planted_project(tmp_path: Path) -> tuple[TargetProject, RunnerPolicy, dict[str, str]]:
    """Return the project, the policy of its runs, and factor -> the test it flips."""
    began = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    told = subprocess.run(
        [sys.executable, "-c", "print(list({'a', 'b', 'c', 'd'}))"],
        env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    usable = len(os.sched_getaffinity(0))
    text = PLANTED.format(
        began=began.isoformat(),
        hashed=told.stdout.strip(),
        drawn=random.Random(zlib.crc32(f"{FILE}::test_random".encode()) ^ 1).random(),
        processors=os.cpu_count(),
        usable=usable,
    )
    project = make_project(tmp_path, {FILE: text, "pkg/torch.py": TORCH, "home/settings": ""})
    tool = project.path / "tools" / "special-tool"
    tool.parent.mkdir()
    tool.touch(mode=0o755)
    policy = lean_policy()
    env = {
        **policy.env,
        "HOME": str(project.path / "home"),
        "MODE": "shop",
        "PATH": f"{tool.parent}{os.pathsep}{policy.env['PATH']}",
        "TZ": "UTC",
    }
    shift = dt.timedelta(hours=6, minutes=1) * (1 if began.hour < LATE else -1)  # the same day
    flips = {**FLIPS, f"time-of-day=T{began + shift:%H:%M}": ""}
    later = next(reversed(flips))
    flips[later] = "test_time_of_day"
    if usable > 1:
        flips["cpu-count=1"] = "test_processors"
    return project, policy.model_copy(update={"env": env}), flips
