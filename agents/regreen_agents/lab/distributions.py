"""Which distribution would provide what is missing, and where the project asks for it already.

It is named and offered; nothing is ever installed from here.
"""

import configparser
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "gi": "PyGObject",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "memcache": "python-memcached",
    "mpl_toolkits": "matplotlib",
    "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl",
    "nose": "pynose",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "pkg_resources": "setuptools<81",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "usb": "pyusb",
    "wx": "wxPython",
    "Xlib": "python-xlib",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Modules whose distribution has another name."""
SUCCESSORS = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "cgi": "legacy-cgi",
    "distutils": "setuptools",
    "smtpd": "standard-smtpd",
    "telnetlib": "standard-telnetlib",
}
"""Modules that left the standard library, and what brings them under their old name."""
PLUGINS = {
    "aiohttp_client": "pytest-aiohttp",
    "benchmark": "pytest-benchmark",
    "datadir": "pytest-datadir",
    "db": "pytest-django",
    "event_loop": "pytest-asyncio<1",
    "faker": "Faker",
    "freezer": "pytest-freezer",
    "fs": "pyfakefs",
    "httpserver": "pytest-httpserver",
    "httpx_mock": "pytest-httpx",
    "mocker": "pytest-mock",
    "qtbot": "pytest-qt",
    "requests_mock": "requests-mock",
    "respx_mock": "respx",
    "shared_datadir": "pytest-datadir",
    "snapshot": "syrupy",
    "subtests": "pytest-subtests",
    "time_machine": "time-machine",
}
"""Fixtures and the distribution of the plugin that provides them."""
_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)")
_FIXTURE = "the fixture "


class Declared(NamedTuple):
    """One requirement the project writes down."""

    name: str
    """As written, without its version."""
    where: str
    """``the extra `test` of pyproject.toml``."""
    install: str
    """The arguments of pip that install it."""


def offer(missing: str, project: Path) -> str:
    """Return a sentence that names what to install and how, or an empty text when unknown.

    Args:
        missing: A module, or ``the fixture x``.
        project: The folder with the project's own lists of requirements.
    """
    top = missing.partition(".")[0]
    if missing.startswith(_FIXTURE):
        name = PLUGINS.get(missing.removeprefix(_FIXTURE), "")
    elif top in SUCCESSORS or not top.isidentifier() or top in sys.stdlib_module_names:
        name = SUCCESSORS.get(top, "")
    else:
        name = DISTRIBUTIONS.get(top, top)
    if not name or (not missing.startswith(_FIXTURE) and (project / name).is_dir()):
        return ""
    found = declared(name, project)
    if found is not None:
        return f"{found.where} asks for {found.name}: `python -m pip install {found.install}`."
    if name == top and not _is_named(name, project):
        return (
            "No file of the project names it: it may be left out of this copy; only where it is "
            f"known to be the right one, `python -m pip install {name}`."
        )
    return f"`python -m pip install {_quoted(name)}` would provide it."


def _is_named(name: str, project: Path) -> bool:
    """Whether a file that names dependencies in free text names this one."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    files = (project / file for file in ("setup.py", "tox.ini", "README.md", "README.rst"))
    return any(word.search(p.read_text("utf-8", "replace")) for p in files if p.is_file())


def declared(name: str, project: Path) -> Declared | None:
    """Return where the project asks for a distribution, extras and test lists included."""
    wanted = _normal(re.split(r"[<>=!~\[; ]", name)[0])
    every = (*_pyproject(project), *_setup_cfg(project), *_requirements(project))
    return next((found for found in every if _normal(found.name) == wanted), None)


def _quoted(name: str) -> str:
    return f"'{name}'" if re.search(r"[<>=!~\[]", name) else name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(lines: object, where: str, install: str) -> Iterator[Declared]:
    for line in lines if isinstance(lines, list) else ():
        match = _NAME.match(line) if isinstance(line, str) else None
        if match:
            yield Declared(match[1], where, install or match[1])


def _pyproject(project: Path) -> Iterator[Declared]:
    try:
        tables = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    own = tables.get("project", {})
    yield from _declared(own.get("dependencies"), "pyproject.toml", "")
    for extra, lines in own.get("optional-dependencies", {}).items():
        yield from _declared(lines, f"The extra `{extra}` of pyproject.toml", f"-e '.[{extra}]'")
    for group, lines in tables.get("dependency-groups", {}).items():
        where = f"The dependency group `{group}` of pyproject.toml"
        yield from _declared(lines, where, f"--group {group}")
    poetry = tables.get("tool", {}).get("poetry", {})
    groups = (poetry, *poetry.get("group", {}).values())
    named = [*(table.get("dependencies") for table in groups), poetry.get("dev-dependencies")]
    for names in named:
        yield from _declared(list(names or {}), "pyproject.toml", "")


def _setup_cfg(project: Path) -> Iterator[Declared]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string((project / "setup.cfg").read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return
    for key in ("install_requires", "tests_require"):
        lines = parser.get("options", key, fallback="").split("\n")
        yield from _declared(lines, "setup.cfg", "")
    section = "options.extras_require"
    for extra in parser.options(section) if parser.has_section(section) else ():
        lines = parser.get(section, extra).split("\n")
        yield from _declared(lines, f"The extra `{extra}` of setup.cfg", f"-e '.[{extra}]'")


def _requirements(project: Path) -> Iterator[Declared]:
    found = [*project.glob("*requirements*.txt"), *project.glob("requirements/*.txt")]
    for path in sorted(found):
        name = path.relative_to(project).as_posix()
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            continue
        yield from _declared(lines, name, f"-r {name}")
