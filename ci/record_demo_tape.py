"""Record the demo's tape anew: needed when prompts, tools or the demo's module for models change.

    python ci/record_demo_tape.py

Plays tests/scenarios/demo.yaml on loopback to `regreen demo --engine auto` and puts what was said
to orchestrator/regreen/demo/tape.jsonl. No key and no network are needed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from regreen.demo import TAPE
from regreen_agents.llm.fake import FakeServer, read_scenario

SCENARIO = Path(__file__).parents[1] / "tests" / "scenarios" / "demo.yaml"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, FakeServer(read_scenario(SCENARIO)) as server:
        tape = Path(folder) / "tape.jsonl"
        command = [sys.executable, "-m", "regreen.cli.app", "demo", "--engine", "auto"]
        command += ["--dir", str(Path(folder) / "till"), "--record", str(tape)]
        # The demo's commands without a path show it: what is shown is not this machine's.
        env = {**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        env |= {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "fake-key-0"}
        ended = subprocess.run(command, env=env, check=False)
        told = server.accounting()
        if ended.returncode or told.unmatched or told.unplayed:
            print(f"Not recorded: {told.unmatched or told.unplayed or 'the demo failed'}")
            return 1
        TAPE.write_bytes(tape.read_bytes())
    print(f"Recorded {told.requests} requests to {TAPE.name}; now run tests/e2e.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
