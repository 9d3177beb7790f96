"""The fingerprint of the machine a sprint runs on."""

import os
import platform
from pathlib import Path

import psutil

from regreen_agents.domain.receipts import HostFingerprint
from regreen_agents.runners.target import Target
from regreen_agents.workspace.repository import git_version

MEBIBYTE = 1024 * 1024


def fingerprint(target: Target) -> HostFingerprint:
    """Return what a reader of a receipt must know to compare runs (R11, R32)."""
    return HostFingerprint(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_mib=psutil.virtual_memory().total // MEBIBYTE,
        python=platform.python_version(),
        target_python=target.version,
        pytest=target.pytest_version,
        git=git_version(),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
