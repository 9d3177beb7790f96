"""Names that are gone: which version of Python, or of a library, took away what.

From the sections "Removed" and "Porting" of the documents "What's New in Python 3.8" to "3.13",
and NumPy's release notes 1.24 (NEP 52's predecessors). A name is listed where suites meet it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from regreen_agents.domain.runs import FailureDetail


class Removal(NamedTuple):
    """A name a failure asks for, and what took it away."""

    name: str
    """``inspect.getargspec``, ``imp``."""
    library: str
    """``Python``, or a distribution."""
    version: str
    """The first without it."""


def _names(module: str, names: str) -> Iterable[str]:
    return (f"{module}.{name}" for name in names.split())


_ABCS = (
    "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator "
    "Generator Reversible Sized Container Callable Collection Set MutableSet Mapping "
    "MutableMapping MappingView KeysView ItemsView ValuesView Sequence MutableSequence ByteString"
)
_GONE: dict[str, tuple[str, ...]] = {
    "3.8": (
        *("macpath", "cgi.escape", "cgi.parse_qs", "cgi.parse_qsl", "time.clock"),
        *_names("platform", "popen dist linux_distribution"),
    ),
    "3.9": (
        *("dummy_threading", "fractions.gcd", "base64.encodestring", "base64.decodestring"),
        *("html.parser.HTMLParser.unescape", "sys.getcheckinterval"),
        *("sys.setcheckinterval", "plistlib.readPlist", "plistlib.writePlist"),
        *("array.array.tostring", "array.array.fromstring", "threading.Thread.isAlive"),
        *("asyncio.Task.current_task", "asyncio.Task.all_tasks"),
    ),
    "3.10": ("formatter", "parser", "symbol", *_names("collections", _ABCS)),
    "3.11": (
        *("binhex", "inspect.getargspec", "inspect.formatargspec", "asyncio.coroutine"),
        *_names("gettext", "lgettext ldgettext lngettext ldngettext bind_textdomain_codeset"),
    ),
    "3.12": (
        *("asynchat", "asyncore", "distutils", "imp", "smtpd", "pkgutil.ImpImporter"),
        *("pkgutil.ImpLoader", "configparser.SafeConfigParser", "ssl.wrap_socket"),
        *("ssl.match_hostname", "locale.format", "unittest._TextTestResult"),
        *_names(
            "unittest.TestCase",
            "assertEquals assertNotEquals assertAlmostEquals assertNotAlmostEquals "
            "assertRegexpMatches assertNotRegexpMatches assertRaisesRegexp assert_ failUnless "
            "failIf failUnlessEqual failUnlessRaises assertDictContainsSubset",
        ),
    ),
    "3.13": (
        *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "mailcap", "msilib"),
        *("nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib"),
        *("uu", "xdrlib", "lib2to3", "locale.resetlocale", "typing.io", "typing.re", "re.template"),
        *_names("unittest", "makeSuite findTestCases getTestCaseNames"),
    ),
}
PYTHON: dict[str, str] = {name: version for version, names in _GONE.items() for name in names}
NUMPY: dict[str, str] = dict.fromkeys(
    _names("numpy", "bool int float complex object str long unicode"), "1.24"
)
_METHODS = {name.rpartition(".")[2]: name for name in PYTHON if name.count(".") > 1}
"""Attribute -> full name, of methods: a message names only the subclass."""
SAYINGS = (
    (re.compile(r"The only supported seed types are"), "random.seed with any hashable", "3.11"),
    (re.compile(r"Population must be a sequence"), "random.sample of a set", "3.11"),
    (re.compile(r"use of 'U' mode|invalid mode: '[rb+]*U"), "open(..., 'U')", "3.11"),
    (re.compile(r"loop argument must agree|unexpected keyword argument 'loop'"), "loop=", "3.10"),
)
"""Messages that stand for a behaviour taken away, not for a name."""
_ATTRIBUTE = re.compile(r"module '(?P<owner>[\w.]+)' has no attribute '(?P<name>\w+)'")
_IMPORTED = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<owner>[\w.]+)'")
_MODULE = re.compile(r"No module named '(?P<name>[\w.]+)'")
_METHOD = re.compile(r"(?:'\w+'|type) object '?\w*'? ?has no attribute '(?P<name>\w+)'")


def removal_in(failure: FailureDetail, python: tuple[int, int]) -> Removal | None:
    """Return the removed name a failure asks for, where this interpreter is without it.

    Args:
        failure: What a test said.
        python: Of the target, (3, 11).
    """
    message = failure.message if failure.phase != "collect" else failure.output_tail
    text = f"{failure.message}\n{message}"
    for name in _asked_for(text):
        if name in NUMPY:
            return Removal(name, "numpy", NUMPY[name])
        if name in PYTHON and version_of(PYTHON[name]) <= python:
            return Removal(name, "Python", PYTHON[name])
    for saying, what, version in SAYINGS:
        if saying.search(text) and version_of(version) <= python:
            return Removal(what, "Python", version)
    return None


def version_of(text: str) -> tuple[int, int]:
    """Return (3, 11) for ``3.11`` or ``3.11.7``."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _asked_for(text: str) -> Iterable[str]:
    for pattern in (_ATTRIBUTE, _IMPORTED):
        for found in pattern.finditer(text):
            yield f"{found['owner']}.{found['name']}"
    for found in _MODULE.finditer(text):
        yield found["name"]
        yield found["name"].partition(".")[0]
    for found in _METHOD.finditer(text):
        yield _METHODS.get(found["name"], "")
