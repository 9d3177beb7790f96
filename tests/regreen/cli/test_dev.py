"""``regreen dev fake-model`` as a person starts it: a real process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

ROOT = Path(__file__).parents[3]
TIME_LIMIT_SECONDS = 60


def started(*arguments: str) -> subprocess.Popen[str]:
    sources = os.pathsep.join(str(ROOT / name) for name in ("agents", "orchestrator", "prompts"))
    return subprocess.Popen(
        [sys.executable, "-m", "regreen.cli.app", "dev", "fake-model", *arguments],
        env=os.environ | {"PYTHONPATH": sources},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_it_says_its_address_answers_and_ends_with_a_summary(tmp_path: Path) -> None:
    script = tmp_path / "scenario.yaml"
    script.write_text("exchanges:\n  - text: hello\n  - text: never asked for\n")
    log = tmp_path / "log.jsonl"
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}

    with started("--scenario", str(script), "--log", str(log)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" until ")[0].split()[-1]
        request = Request(
            f"{url}/v1/messages",
            json.dumps(body).encode(),
            {"authorization": "Bearer fake", "anthropic-version": "2026-10-21"},
        )
        answer = json.load(build_opener(ProxyHandler({})).open(request, timeout=30))
        process.terminate()
        out, err = process.communicate(timeout=TIME_LIMIT_SECONDS)

    assert answer["content"] == [{"type": "text", "text": "hello"}]
    assert process.returncode == 0, err
    assert "1 requests, 3 tokens." in out
    assert err == "Not asked for: exchanges[1].\n"
    assert len(log.read_text().splitlines()) == 1


def test_a_wrong_scenario_is_refused_with_its_line(tmp_path: Path) -> None:
    script = tmp_path / "bad.yaml"
    script.write_text("exchanges:\n  - words: hello\n")

    with started("--scenario", str(script)) as process:
        _, err = process.communicate(timeout=TIME_LIMIT_SECONDS)

    assert process.returncode == 2
    assert "line 2, exchanges.0.words: Extra inputs are not permitted" in err
