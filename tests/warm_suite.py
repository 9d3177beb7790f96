"""A suite with something of everything that a warm run has to get right."""

SCOPES = """
    import pytest
    from pathlib import Path
    RECORD = Path(__file__).parent.parent / "record.txt"

    def note(text):
        with RECORD.open("a") as file:
            file.write(text + "\\n")

    def make(scope):
        @pytest.fixture(scope=scope, name=scope + "_thing")
        def thing():
            note("up " + scope)
            yield scope
            note("down " + scope)
        return thing

    session_thing, package_thing, module_thing = map(make, ("session", "package", "module"))
    class_thing = make("class")
"""
TEST_SCOPES = """
    import pytest
    class TestClass:
        def test_one(self, session_thing, package_thing, module_thing, class_thing):
            pass
        def test_two(self, class_thing):
            pass
    def test_down_fails(broken_teardown, session_thing):
        pass
    @pytest.fixture
    def broken_teardown():
        yield
        assert 0, "torn"
    def setup_module(module):
        module.READY = [1]
    def test_setup_module():
        assert READY.pop() == 1
"""
OUTPUT = """
    import logging, os, subprocess, sys, warnings
    import pytest
    EARLY = sys.stdout

    def test_capsys(capsys):
        print("é out")
        assert capsys.readouterr().out == "é out\\n"
    def test_capfd(capfd):
        os.write(1, b"raw")
        subprocess.run(["echo", "sub"])
        assert capfd.readouterr().out == "rawsub\\n"
    def test_early_stream_still_works():
        print("to the stream of the import", file=EARLY)
        assert 0
    def test_caplog(caplog):
        logging.getLogger("x").warning("told")
        assert caplog.messages == ["told"]
    def test_recwarn(recwarn):
        warnings.warn("old")
        assert len(recwarn) == 1
    def test_warns():
        warnings.warn("counted")
    def test_output_is_told():
        print("printed")
        os.system("echo child")
        assert 0, "after output"
    def test_stdin_is_closed():
        with pytest.raises(OSError):
            input()
"""
FILES = """
    import os, tempfile
    from pathlib import Path
    import pytest
    DATA = open(Path(__file__).parent / "data.txt")

    def test_tmp_path(tmp_path, tmp_path_factory):
        assert tmp_path.name == "test_tmp_path0"
        assert list(tmp_path_factory.getbasetemp().iterdir()) != []
        (tmp_path / "x").write_text("x")
    def test_shared_offset():
        assert DATA.readline() == "first\\n"
    def test_shared_offset_goes_on():
        assert DATA.readline() == "second\\n"
    def test_changes_folder(tmp_path):
        os.chdir(tmp_path)
    def test_folder_is_changed():
        assert Path.cwd().name == "test_changes_folder0"
    def test_deletes_its_folder():
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
    def test_folder_is_gone():
        os.getcwd()
    def test_deletes_basetemp(tmp_path_factory):
        import shutil
        shutil.rmtree(tmp_path_factory.getbasetemp())
    def test_after_basetemp(tmp_path):
        (tmp_path / "x").write_text("x")
    def test_monkeypatch(monkeypatch):
        monkeypatch.setenv("SHOP", "1")
        monkeypatch.setattr(os, "sep", "!")
    def test_leaves_a_file():
        Path(__file__).with_name("left.txt").write_text("x")
    def test_finds_the_file():
        assert Path(__file__).with_name("left.txt").exists()
"""
STYLES = '''
    """
    >>> 1 + 1
    2
    >>> broken
    """
    import asyncio, os, random, unittest
    import pytest
    random.seed(3)
    EARLY = random.random()

    def double(x):
        """
        >>> double(2)
        4
        """
        return 2 * x

    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.seen = []
        def setUp(self):
            self.addCleanup(self.seen.append, 1)
        def test_a(self):
            self.assertEqual(self.seen, [])
        def test_b(self):
            self.assertEqual(self.seen, [1])
        def test_sub(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 1)

    @pytest.mark.parametrize("x", ["ü/ö", "a b", "[x]", "::", "\\U0001f600", "\\n", "\\udc80"])
    def test_odd_ids(x):
        assert x != "a b"
    def test_asyncio():
        assert asyncio.run(asyncio.sleep(0, 5)) == 5
    def test_random():
        assert random.random() < 0, EARLY
    def test_forks():
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        assert child, "the child"
    @pytest.mark.xfail
    def test_xfail():
        assert 0
    @pytest.mark.skip(reason="no need")
    def test_skipped():
        pass
    @pytest.mark.xdist_group("one")
    def test_group():
        import threading, time
        threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
    def test_global_pollution():
        double.polluted = True
    def test_global_victim():
        assert not hasattr(double, "polluted")
'''
SUITE = {
    "pytest.ini": "[pytest]\nmarkers = xdist_group\naddopts = --doctest-modules\n",
    ".gitignore": "",
    "pkg/__init__.py": "",
    "pkg/conftest.py": SCOPES,
    "pkg/test_scopes.py": TEST_SCOPES,
    "test_output.py": OUTPUT,
    "test_files.py": FILES,
    "data.txt": "first\nsecond\n",
    "test_styles.py": STYLES,
    "test_broken.py": "import nowhere_to_be_found\n",
    "test_left_out.py": "import pytest\npytest.skip('whole', allow_module_level=True)\n",
}
