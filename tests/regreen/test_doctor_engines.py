"""What the doctor says of a project's coding agents."""

import sys
from pathlib import Path

import pytest

from command_parts import make_repository
from regreen.doctor import doctor


def test_each_configured_command_has_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    scratch = make_repository(tmp_path / "shop")
    agent = tmp_path / "agent"
    agent.write_text(f"#!{sys.executable} -S\nprint('agent 1.2')\n")
    agent.chmod(0o755)
    scratch.commit(
        {
            "regreen.toml": f'[engines.a]\ncommand = ["{agent}"]\n'
            f'[engines.b]\ncommand = ["{agent}"]\nenv = ["NOT_SET_HERE"]\n'
            '[engines.c]\ncommand = ["no-such-agent"]\n'
        }
    )

    lines = {line.name: line for line in doctor(scratch.path)}

    assert (lines["engine a"].state, lines["engine a"].detail) == ("ok", f"{agent}: agent 1.2")
    assert lines["engine b"].state == "warn"
    assert "not passed to it: NOT_SET_HERE" in lines["engine b"].detail
    assert (lines["engine c"].state, lines["engine c"].detail) == (
        "warn",
        "no-such-agent: not found",
    )
    assert lines["engine c"].fix
