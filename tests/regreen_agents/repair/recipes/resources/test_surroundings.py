"""HOME, umask, TMPDIR, ports and settings: repaired trees, run for real before and after."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from recipe_cases import at, env_change, make_finding, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import Factor, FailureDetail
from regreen_agents.repair.recipes.base import Proposal
from regreen_agents.repair.recipes.registry import propose
from regreen_agents.repair.source import SourceTree
from regreen_agents.workspace.patching import apply_edits

IT = "tests/test_a.py::test_it"
METHOD = "tests/test_a.py::TestA::test_it"


def exit_under(root: Path, *, umask: int = 0o022, **variables: str) -> int:
    """Run a tree's tests in changed surroundings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    own = {"PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HOME": "/"}
    environment = {**own, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        umask=umask,
        timeout=60,
        check=False,
        capture_output=True,
    )
    return done.returncode


def applied(recipe: str, finding: Finding, tree: SourceTree) -> Proposal:
    proposal = propose(recipe, finding, tree)
    assert proposal is not None
    apply_edits(tree.root, proposal.edits)
    return proposal


def around(factor: str, value: str, test: str = IT) -> Finding:
    return make_finding(Cause.SURROUNDINGS, test, factors=(Factor(name=factor, value=value),))


def one_test(text: str, **others: str) -> Mapping[str, str]:
    return {"tests/test_a.py": text, **{f"{n}.py": t for n, t in others.items()}}


SETTINGS = (
    "from pathlib import Path\n\n\ndef save(text):\n    path = Path.home() / '.shop'\n"
    "    path.write_text(text)\n    return path.read_text()\n"
)


def test_a_test_that_writes_home_gets_a_home_of_its_own(tmp_path: Path) -> None:
    text = "import shop\n\n\ndef test_it():\n    assert shop.save('a') == 'a'\n"
    tree = write_tree(tmp_path, one_test(text, shop=SETTINGS))
    lost = str(tmp_path / "no-home")
    assert exit_under(tmp_path, HOME=lost) == 1

    applied("own_home", around("home", "unset"), tree)

    assert exit_under(tmp_path, HOME=lost) == 0
    assert "def test_it(tmp_path, monkeypatch):" in tree.read("tests/test_a.py")
    assert propose("own_home", around("home", "unset"), SourceTree(tmp_path)) is None


def test_a_method_that_writes_home_gets_a_home_by_clean_ups(tmp_path: Path) -> None:
    text = (
        "import unittest\n\nimport shop\n\n\nclass TestA(unittest.TestCase):\n"
        "    def test_it(self):\n        self.assertEqual(shop.save('a'), 'a')\n"
    )
    tree = write_tree(tmp_path, one_test(text, shop=SETTINGS))
    lost = str(tmp_path / "no-home")

    applied("own_home", around("home", "unset", METHOD), tree)

    assert exit_under(tmp_path, HOME=lost) == 0
    assert "monkeypatch" not in tree.read("tests/test_a.py")


@pytest.mark.parametrize("is_method", [False, True])
def test_expected_permissions_are_tested_under_the_usual_umask(
    tmp_path: Path, *, is_method: bool
) -> None:
    plain = (
        "def test_it(tmp_path):\n    path = tmp_path / 'x'\n    path.write_text('x')\n"
        "    assert path.stat().st_mode & 0o777 == 0o644\n"
    )
    method = (
        "import tempfile\nimport unittest\nfrom pathlib import Path\n\n\n"
        "class TestA(unittest.TestCase):\n    def test_it(self):\n"
        "        path = Path(tempfile.mkdtemp()) / 'x'\n        path.write_text('x')\n"
        "        self.assertEqual(path.stat().st_mode & 0o777, 0o644)\n"
    )
    tree = write_tree(tmp_path, one_test(method if is_method else plain))
    assert exit_under(tmp_path, umask=0o077) == 1

    applied("usual_umask", around("umask", "077", METHOD if is_method else IT), tree)

    assert exit_under(tmp_path, umask=0o077) == 0


def test_a_written_tmp_becomes_the_folder_the_machine_uses(tmp_path: Path) -> None:
    text = (
        "import os\nimport tempfile\n\n\ndef test_it():\n    folder = tempfile.mkdtemp()\n"
        "    os.rmdir(folder)\n    assert os.path.dirname(folder) == '/tmp'\n"
    )
    tree = write_tree(tmp_path, one_test(text))
    other = tmp_path / "other place"
    other.mkdir()
    assert exit_under(tmp_path, TMPDIR=str(other)) == 1

    applied("ask_for_temporary", around("tmpdir", "with a space"), tree)

    assert exit_under(tmp_path, TMPDIR=str(other)) == 0
    assert "== tempfile.gettempdir()" in tree.read("tests/test_a.py")


SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.request import ProxyHandler, build_opener

PORT = {port}


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


def test_it():
    server = HTTPServer(("127.0.0.1", PORT), Hello)
    Thread(target=server.handle_request).start()
    url = "http://127.0.0.1:{port}/x"
    try:
        with build_opener(ProxyHandler({{}})).open(url) as answer:
            assert answer.read() == b"hello"
    finally:
        server.server_close()
"""


def in_use(cause: Cause) -> Finding:
    said = FailureDetail(phase="call", type="OSError", message="[Errno 98] Address already in use")
    return make_finding(cause, failure=said, victims=(IT,))


def test_a_fixed_port_becomes_one_the_system_chooses(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tree = write_tree(tmp_path, one_test(SERVER.format(port=port)))
        assert exit_under(tmp_path) == 1

        applied("free_port", in_use(Cause.CODE_BUG), tree)

        assert exit_under(tmp_path) == 0
    text = tree.read("tests/test_a.py")
    assert 'HTTPServer(("127.0.0.1", 0), Hello)' in text
    assert 'f"http://127.0.0.1:{server.server_address[1]}/x"' in text
    assert "PORT" not in text


def test_a_socket_bound_to_a_number_is_asked_for_its_port(tmp_path: Path) -> None:
    text = (
        "import socket\n\n\ndef test_it():\n    with socket.socket() as listener:\n"
        "        listener.bind(('127.0.0.1', {port}))\n        listener.listen()\n"
        "        socket.create_connection(('127.0.0.1', {port}), timeout=5).close()\n"
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        tree = write_tree(tmp_path, one_test(text.format(port=taken.getsockname()[1])))

        applied("free_port", in_use(Cause.CONCURRENCY), tree)

        assert exit_under(tmp_path) == 0
    assert "('127.0.0.1', listener.getsockname()[1])" in tree.read("tests/test_a.py")


def test_another_error_leaves_the_port_alone(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, one_test(SERVER.format(port=8765)))
    said = FailureDetail(phase="call", type="AssertionError", message="assert 1 == 2")

    finding = make_finding(Cause.CODE_BUG, IT, failure=said)

    assert propose("free_port", finding, tree) is None


REGION = (
    "import os\n\n\ndef region() -> str:\n    return os.environ.get('SHOP_REGION', 'US').upper()\n"
)
CHOSEN = (
    "import os\n\nimport shop\n\n\ndef test_it():\n    os.environ['SHOP_REGION'] = 'eu'\n"
    "    assert shop.region() == 'EU'\n\n\ndef test_usual():\n    assert shop.region() == 'US'\n"
)


def leak() -> Finding:
    return make_finding(Cause.ENVIRONMENT_LEAK, IT, state=(env_change("SHOP_REGION"),))


def test_a_setting_read_from_the_environment_can_be_passed(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, one_test(CHOSEN, shop=REGION))
    assert exit_under(tmp_path) == 1

    applied("pass_setting", leak(), tree)

    assert exit_under(tmp_path) == 0
    assert "def region(*, shop_region: str | None = None)" in tree.read("shop.py")
    assert tree.read("tests/test_a.py").startswith("import shop\n")
    assert exit_under(tmp_path, SHOP_REGION="de") == 1  # today's callers still get the variable


def test_a_setting_read_in_two_places_is_left_alone(tmp_path: Path) -> None:
    twice = REGION + "\n\ndef country():\n    return os.environ['SHOP_REGION']\n"
    tree = write_tree(tmp_path, one_test(CHOSEN, shop=twice))

    assert propose("pass_setting", leak(), tree) is None


READS_HOME = (
    "import os\n\n\ndef where():\n    return os.path.join(os.environ['HOME'], '.shop')\n\n\n"
    "def name():\n    return os.getenv('HOME', '/home/nobody')\n\n\n"
    "def move(folder):\n    os.environ['HOME'] = folder\n"
)


def failing_in_code(value: str) -> Finding:
    factors = (Factor(name="home", value=value),)
    return make_finding(Cause.SURROUNDINGS, IT, factors=factors, locations=at("shop.py", 5))


def test_code_that_reads_home_asks_for_the_home_folder_instead(tmp_path: Path) -> None:
    text = "import shop\n\n\ndef test_it():\n    assert shop.where().endswith('.shop')\n"
    tree = write_tree(tmp_path, one_test(text, shop=READS_HOME))

    proposal = applied("ask_for_home", failing_in_code("unset"), tree)

    expected = READS_HOME.replace("os.environ['HOME'], ", "os.path.expanduser('~'), ")
    assert tree.read("shop.py") == expected
    assert proposal.change_lines == ("shop.py:5 ask for the home folder",)
    assert propose("ask_for_home", failing_in_code("unset"), SourceTree(tmp_path)) is None


def test_a_home_that_is_only_empty_leaves_the_code_alone(tmp_path: Path) -> None:
    text = "import shop\n\n\ndef test_it():\n    assert shop.where().endswith('.shop')\n"
    tree = write_tree(tmp_path, one_test(text, shop=READS_HOME))

    assert propose("ask_for_home", failing_in_code("empty"), tree) is None
    assert propose("ask_for_home", around("home", "unset"), tree) is None
