from pathlib import Path

import pytest

from recipe_cases import assert_repairs, make_finding, owned_change, write_tree
from regreen_agents.domain.findings import Cause, Finding
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.repair.recipes.registry import propose

SERVER = """
    import socket


    class Server:
        def __init__(self, port):
            self.socket = socket.socket()
            self.socket.bind(("127.0.0.1", port))

        def close(self):
            self.socket.close()
    """


def in_use(test: str, said: str = "[Errno 98] Address already in use") -> Finding:
    failure = FailureDetail(phase="call", type="OSError", message=said)
    state = (owned_change("test_a", "SERVERS", container="list"),)
    return make_finding(Cause.GLOBAL_STATE, test, state=state, failure=failure)


@pytest.mark.parametrize(
    ("before", "after", "test"),
    [
        (
            """
            import shop

            SERVERS = []


            def test_it():
                server = shop.Server(31921)
                SERVERS.append(server)
                assert server.socket
            """,
            """
            import shop

            SERVERS = []


            def test_it(request):
                server = shop.Server(31921)
                request.addfinalizer(server.close)
                SERVERS.append(server)
                assert server.socket
            """,
            "tests/test_a.py::test_it",
        ),
        (
            """
            import socket
            import unittest


            class TestA(unittest.TestCase):
                def test_it(self):
                    door = socket.create_server(("127.0.0.1", 31921))
                    self.assertTrue(door)
            """,
            """
            import socket
            import unittest


            class TestA(unittest.TestCase):
                def test_it(self):
                    door = socket.create_server(("127.0.0.1", 31921))
                    self.addCleanup(door.close)
                    self.assertTrue(door)
            """,
            "tests/test_a.py::TestA::test_it",
        ),
    ],
)
def test_what_a_test_leaves_open_is_closed_when_it_ends(
    tmp_path: Path, before: str, after: str, test: str
) -> None:
    tree = write_tree(tmp_path, {"shop.py": SERVER, "tests/test_a.py": before})

    assert_repairs(tree, "close_resource", in_use(test), {"tests/test_a.py": after})


@pytest.mark.parametrize(
    "body",
    [
        "    server = shop.Server(31921)\n    server.close()\n",
        "    server = shop.other()\n    assert server\n",
        "    with shop.Server(31921) as server:\n        assert server\n",
    ],
)
def test_what_is_closed_or_cannot_be_is_left_alone(tmp_path: Path, body: str) -> None:
    text = f"import shop\n\n\ndef test_it():\n{body}"
    tree = write_tree(tmp_path, {"shop.py": SERVER, "tests/test_a.py": text})

    assert propose("close_resource", in_use("tests/test_a.py::test_it"), tree) is None


def test_state_that_holds_nothing_open_is_not_its_business(tmp_path: Path) -> None:
    text = "import shop\n\n\ndef test_it():\n    server = shop.Server(31921)\n    assert server\n"
    tree = write_tree(tmp_path, {"shop.py": SERVER, "tests/test_a.py": text})

    finding = in_use("tests/test_a.py::test_it", said="assert 1 == 2")
    assert propose("close_resource", finding, tree) is None
