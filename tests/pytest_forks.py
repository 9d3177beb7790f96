"""pytest on little trees, each run in a fork of one process that has imported pytest already.

A fresh interpreter spends most of such a run on imports. The children start with nothing but those:
environment, folder, import path and time zone are set as a process of their own would find them.
What an interpreter reads only when it starts (hash seed, UTF-8 mode, locale) is the server's.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LIMIT_SECONDS = 60
SERVER = """
import importlib, json, os, signal, sys, time
from _pytest.config import default_plugins
import pytest, unittest.mock
for name in default_plugins:
    importlib.import_module("_pytest." + name)
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(asked["limit"])
        out = os.open(asked["out"], os.O_WRONLY)
        null = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((null, 0), (out, 1), (out, 2)):
            os.dup2(old, new)
        os.environ.clear()
        os.environ.update(asked["env"])
        time.tzset()
        os.chdir(asked["cwd"])
        paths = asked["env"].get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [asked["cwd"], *filter(None, paths)]
        sys.dont_write_bytecode = True
        code = 3
        try:
            code = int(pytest.main(asked["arguments"]))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Ended(NamedTuple):
    """How pytest ended, and what it printed."""

    exit_code: int
    output: str


def run_pytest(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Ended:
    """Run pytest as ``python -m pytest`` would in a folder and environment, hash seed 0."""
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.NamedTemporaryFile() as out:
        where = {"cwd": str(cwd), "env": dict(env), "out": out.name, "limit": LIMIT_SECONDS}
        server.stdin.write(json.dumps({"arguments": list(arguments), **where}) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return Ended(code, Path(out.name).read_text("utf-8", "replace"))


_running: list[subprocess.Popen[str]] = []


def _server() -> subprocess.Popen[str]:
    """Return this process's server; started when it is first needed, ended with the process."""
    if not _running or _running[0].poll() is not None:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        _running[:] = [process]
        atexit.register(_end, process)
    return _running[0]


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait(LIMIT_SECONDS)
    if process.stdout is not None:
        process.stdout.close()
