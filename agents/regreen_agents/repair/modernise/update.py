"""Applying a row to a file or to a whole tree."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePosixPath

import libcst as cst

from regreen_agents.domain.changes import FileEdit
from regreen_agents.domain.runs import FailureDetail
from regreen_agents.errors import RepositoryError
from regreen_agents.repair.modernise import (
    function_codemods,
    loader_codemods,
    nose_codemods,
    numpy_codemods,
    old_syntax,
    pytest_codemods,
    pytest_hooks,
    python2_codemods,
    random_codemods,
    stdlib_codemods,
    tuple_parameters,
    yield_tests,
)
from regreen_agents.repair.modernise.renames import renamed
from regreen_agents.repair.modernise.rows import Row
from regreen_agents.repair.modernise.sources import Codemod, Source, failing_lines, python_files
from regreen_agents.repair.source import SourceTree

CODEMODS: Mapping[str, Codemod] = {
    "python3-statements": old_syntax.python3_statements,
    "tuple-parameters": tuple_parameters.tuple_parameters,
    "async-renamed": old_syntax.async_renamed,
    "tabs-expanded": old_syntax.tabs_expanded,
    "has-key": python2_codemods.has_key,
    "next-method": python2_codemods.next_method,
    "implicit-relative": python2_codemods.implicit_relative,
    "string-functions": python2_codemods.string_functions,
    "sorted-views": python2_codemods.lists_of_views,
    "cgi-escape": stdlib_codemods.cgi_escape,
    "imp-new-module": stdlib_codemods.imp_new_module,
    "imp-load-source": stdlib_codemods.imp_load_source,
    "make-suite": stdlib_codemods.make_suite,
    "resource-string": stdlib_codemods.resource_string,
    "yaml-load": stdlib_codemods.yaml_load,
    "yaml-load-all": stdlib_codemods.yaml_load_all,
    "distribution-version": stdlib_codemods.distribution_version,
    "get-children": stdlib_codemods.get_children,
    "array-bytes": stdlib_codemods.array_bytes,
    "unescape": stdlib_codemods.unescape,
    "universal-newlines": stdlib_codemods.universal_newlines,
    "inline-flags": stdlib_codemods.inline_flags,
    "argspec": function_codemods.argspec,
    "finders": loader_codemods.finders,
    "wrap-socket": loader_codemods.wrap_socket,
    "linux-distribution": loader_codemods.linux_distribution,
    "numpy-calls": numpy_codemods.numpy_calls,
    "array-methods": numpy_codemods.array_methods,
    "coroutines": function_codemods.coroutines,
    "random-sample": random_codemods.random_sample,
    "random-seed": random_codemods.random_seed,
    "random-generator": random_codemods.random_generator,
    "nose": nose_codemods.nose_to_pytest,
    "yield-tests": yield_tests.yield_tests,
    "hook-paths": pytest_hooks.hook_paths,
    "nose-setup": pytest_codemods.nose_setup,
    "funcargs": pytest_codemods.funcargs,
    "marks-on-fixtures": pytest_codemods.marks_on_fixtures,
    "raises-text": pytest_codemods.raises_text,
    "module-skips": pytest_codemods.module_skips,
    "namespace-hook": pytest_codemods.namespace_hook,
    "request-config": pytest_codemods.request_config,
    "six-importer": pytest_codemods.six_importer,
}


def updated(row: Row, source: Source) -> str | None:
    """Return a Python file's text with a row applied; None where it changes nothing."""
    if not row.source_pattern.search(source.text):
        return None
    text = source.text
    if row.modules or row.names or row.builtins or row.methods or row.keywords:
        text = renamed(row, source) or text
    for name in row.codemods:
        at = Source(source.path, text, source.tree, source.lines)
        with suppress(cst.ParserSyntaxError):  # a form it cannot write stays as it is
            text = CODEMODS[name](at) or text
    return text if text != source.text else None


def edits_of(
    row: Row,
    tree: SourceTree,
    failures: tuple[FailureDetail, ...],
    only: frozenset[str] = frozenset(),
) -> tuple[FileEdit, ...]:
    """Return what a row changes in a tree.

    Args:
        row: The row.
        tree: The sources as they are now.
        failures: Those the row answers; some rows edit only the lines they passed through.
        only: Files to stay within; empty for the whole project.
    """
    edits = [*_configuration(row, tree)]
    for path in python_files(tree.root):
        if only and path not in only:
            continue
        edit = _edit(row, tree, path, failures)
        if edit is not None:
            edits.append(edit)
    return tuple(edits)


def _edit(
    row: Row, tree: SourceTree, path: str, failures: tuple[FailureDetail, ...]
) -> FileEdit | None:
    try:
        text = tree.read(path)
    except RepositoryError:
        return None  # not text, or not in the encoding it declares: nothing for a codemod
    lines = frozenset(n for f in failures for n in failing_lines(f.frames, path))
    new = updated(row, Source(path, text, tree, lines))
    return FileEdit(path=path, before=text, after=new) if new is not None else None


def _configuration(row: Row, tree: SourceTree) -> list[FileEdit]:
    edits = []
    for rule in row.text:
        if tree.exists(rule.file):
            text = tree.read(rule.file)
            new = re.sub(rule.find, rule.put, text, flags=re.MULTILINE)
            if new != text:
                edits.append(
                    FileEdit(path=PurePosixPath(rule.file).as_posix(), before=text, after=new)
                )
    return edits
