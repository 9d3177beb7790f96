"""Each factor of the matrix changes one thing about a run, and nothing else."""

import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from planted_factors import factor_of, planted_project
from regreen_agents.domain.runs import RunEnd, RunSpec
from regreen_agents.errors import RunnerError
from regreen_agents.lab.matrix_factors import under
from regreen_agents.runners.factors import MAKERS, PROBE, copy_tool, effect_of, plain_words
from target_projects import given, make_project, marked, outcomes, short, this_target

SCRATCH = Path("scratch")


def test_each_factor_flips_its_own_planted_test_and_no_other(tmp_path: Path) -> None:
    project, policy, flips = planted_project(tmp_path)
    control = project.run(RunSpec(), policy)
    tests = [result.node_id for result in control.results]
    assert set(outcomes(control).values()) == {"passed"}

    red = {}
    for text in flips:
        run = project.run(under(given(*tests), factor_of(text)), policy)
        assert (text, run.end, run.notes) == (text, RunEnd.COMPLETE, ())
        red[text] = {short(result.node_id) for result in run.red()}

    red["workers=2"].discard("test_second")  # by chance the pair meets in one worker, or not
    assert red == {text: {name} for text, name in flips.items()}
    assert marked() == []


NETWORK = """
    import errno, socket, urllib.request
    import pytest

    def test_nothing_leaves_the_machine():
        for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                with pytest.raises(OSError, match="unreachable"):
                    way.connect((address, 9))
                with pytest.raises(OSError, match="unreachable"):
                    way.sendto(b"x", (address, 9))
                assert way.connect_ex((address, 9)) == errno.ENETUNREACH

    def test_no_name_is_known():
        with pytest.raises(OSError, match="name resolution"):
            socket.create_connection(("example.org", 80))
        with pytest.raises(OSError, match="name resolution"):
            urllib.request.urlopen("http://example.org/")

    def test_the_machine_itself_is_there(tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
            port = server.getsockname()[1]
            socket.create_connection(("localhost", port)).close()
        assert socket.getaddrinfo("192.0.2.1", 80)
        first, second = socket.socketpair()
        first.close(), second.close()
"""


def test_without_network_only_the_machine_itself_answers(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_network.py": NETWORK})

    run = project.run(under(RunSpec(), factor_of("network=off")))

    assert set(outcomes(run).values()) == {"passed"}, [r.failure for r in run.red()]


CLOCK = """
    import calendar, copy, datetime, logging, os, pickle, time
    from datetime import datetime as named
    from time import time as imported

    AHEAD = 40 * 86400
    REAL = float(os.environ["REAL"])

    class Stamp(datetime.datetime):
        pass

    class Holder:
        clock = time.time

    def near(value):
        return -1 < value - REAL - AHEAD < 3600  # some tell whole seconds only

    def test_the_time_module():
        assert near(time.time()) and near(imported()) and near(time.time_ns() / 1e9)
        assert near(time.clock_gettime(time.CLOCK_REALTIME)) and near(Holder().clock())
        assert near(time.mktime(time.localtime())) and near(calendar.timegm(time.gmtime()))
        today = time.localtime(REAL + AHEAD)
        assert time.strftime("%Y") == str(time.localtime().tm_year)
        assert time.localtime(0)[:] == time.localtime(0.0)[:] and time.gmtime(0).tm_year == 1970

    def test_datetime_and_its_subclasses():
        zone = datetime.timezone(datetime.timedelta(hours=5))
        for kind in (datetime.datetime, named, Stamp):
            for made in (kind.now(), kind.now(zone), kind.now(tz=datetime.timezone.utc)):
                assert type(made) is kind and near(made.timestamp())
            assert kind.now(zone).utcoffset() == zone.utcoffset(None)
            assert type(kind.today()) is kind and near(kind.today().timestamp())
        assert datetime.date.today() >= datetime.date.fromtimestamp(REAL + AHEAD)
        assert type(datetime.date.today()) is datetime.date

    def test_time_runs_on_and_monotonic_clocks_are_real():
        first = time.time()
        while time.time() == first:
            pass
        assert abs(time.monotonic() - time.clock_gettime(time.CLOCK_MONOTONIC)) < 60
        assert time.monotonic() - float(os.environ["MONOTONIC"]) < 3600

    def test_functions_still_look_like_built_ins():
        assert pickle.loads(pickle.dumps(time.time)) is time.time
        assert copy.deepcopy(time.localtime) is time.localtime
        record = logging.makeLogRecord({"msg": "x"})
        assert logging.Formatter("%(asctime)s").format(record)
"""


def test_a_moved_clock_is_moved_for_every_importer_and_runs_on(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"test_clock.py": CLOCK})
    real = (("REAL", f"{time.time()}"), ("MONOTONIC", f"{time.monotonic()}"))

    run = project.run(under(RunSpec(extra_env=real), factor_of("date=+40d")))

    assert set(outcomes(run).values()) == {"passed"}, [r.failure for r in run.red()]


def test_zone_date_and_time_of_day_combine(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {
            "test_clock.py": """
            import datetime, time

            def test_it():
                assert datetime.datetime.now().isoformat()[:16] == "2028-02-29T23:59"
                assert time.tzname == ("EST", "EDT")
            """
        },
    )
    factors = ["time-of-day=T23:59", "date=2028-02-29T12:00", "time-zone=America/New_York"]

    run = project.run(under(RunSpec(), *(factor_of(text) for text in factors)))

    assert outcomes(run) == {"test_it": "passed"}


LATE = """
    import datetime, sys, time
    from datetime import date
    from os import listdir
    from time import time as imported

    sys.path.insert(0, sys.argv[1])
    import regreen_factors

    real, native = time.time(), listdir(sys.argv[1])
    for _ in range(2):
        regreen_factors.apply({"date": "+40d", "listing-order": "reversed"})
    ahead = 40 * 86400
    assert abs(imported() - real - ahead) < 600 and abs(time.time() - real - ahead) < 600
    assert date.today() == datetime.date.fromtimestamp(time.time())
    assert listdir(sys.argv[1]) == native[::-1]
    regreen_factors.apply({"date": "-1d"})
    assert abs(imported() - real + 86400) < 600
    sys.modules["regreen_factors_clock"].uninstall()
    assert imported is time.time and type(imported) is type(len) and abs(imported() - real) < 600
    assert abs(datetime.datetime.now().timestamp() - real) < 600
"""


def test_a_process_that_has_imported_already_can_be_changed_too_and_twice_is_once() -> None:
    command = [this_target().python, "-I", "-c", textwrap.dedent(LATE), str(PROBE)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_factor_nobody_knows_is_refused_with_the_catalogue() -> None:
    with pytest.raises(RunnerError, match="no factor 'moon'") as caught:
        effect_of([factor_of("moon=full")], SCRATCH)

    assert "umask" in caught.value.why


@pytest.mark.parametrize("text", ["date=someday", "umask=rwx", "listing-order=up", "network=on"])
def test_a_value_nobody_knows_lets_no_test_run(tmp_path: Path, text: str) -> None:
    project = make_project(tmp_path, {"test_a.py": "def test_a(): pass"})

    run = project.run(under(RunSpec(), factor_of(text)))

    assert run.results == ()
    assert run.end is not RunEnd.COMPLETE


def test_a_clean_environment_keeps_what_the_suite_needs_to_start() -> None:
    effect = effect_of([factor_of("clean-env=minimal")], SCRATCH)

    gone = effect.unset({"PATH": "", "TMPDIR": "", "PYTHONPATH": "", "MODE": "", "LC_ALL": ""})

    assert sorted(gone) == ["LC_ALL", "MODE"]


def test_effects_add_up_and_the_last_value_wins() -> None:
    factors = ["time-zone=UTC", "time-zone=Asia/Kolkata", "home=unset", "time-limit=5"]

    effect = effect_of([factor_of(text) for text in factors], SCRATCH)

    assert effect.env == {"TZ": "Asia/Kolkata"}
    assert effect.inside["home"] == "unset"
    assert effect.unset({"HOME": "", "XDG_CACHE_HOME": "", "A": ""}) == ["HOME", "XDG_CACHE_HOME"]
    assert effect.test_timeout_seconds == 5


def test_a_factor_is_repeated_by_a_plain_command(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {
            "test_a.py": """
            import datetime, locale, os, time

            def test_a():
                assert datetime.date.today().isoformat() == "2028-02-29"
                assert time.tzname == ("IST", "IST")
                assert os.listdir(os.environ["HOME"]) == []
            """
        },
    )
    factors = ["date=2028-02-29T12:00", "time-zone=Asia/Kolkata", "home=empty"]

    tool = copy_tool(project.path / "repeat")
    plain = plain_words(
        [factor_of(text) for text in factors], str(tmp_path / "scratch"), str(tool), ["HOME", "A"]
    )
    command = ["env", *plain.env, this_target().python, *plain.tool, "-m", "pytest", "-q"]
    ended = subprocess.run(
        [*command, *plain.options, "test_a.py"],
        cwd=project.path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "regreen_agents" not in " ".join(command)


def test_every_factor_can_be_said_in_plain_words() -> None:
    values = {"memory": "512", "cpu-count": "1", "load": "2x", "time-limit": "9"}
    for name in MAKERS:
        factor = factor_of(f"{name}={values.get(name, 'x')}")

        plain = plain_words([factor], "/scratch", "tool.py", ["A"])

        assert any(plain) or name == "time-limit"
