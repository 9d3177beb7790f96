"""What an implementer has written so far: new texts over the base commit, and nothing on disk.

The tree stays as committed. Reads see the draft, runs apply it to a fresh tree, and the journal
keeps it as plain JSON. Every text that comes in is checked: inside the plan's scope, confined to
the project, and without characters that a reviewer could not see.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regreen_agents.domain.changes import FileEdit
from regreen_agents.errors import RepositoryError
from regreen_agents.llm.elision import is_binary
from regreen_agents.llm.paths import Confined, refused, shown_name
from regreen_agents.workspace.patching import decode_source, out_of_scope
from regreen_prompts.text import clean_text

EDIT_LIMIT = 2 * 1024 * 1024
"""Bytes of a file that can be edited, and of a new one."""
MAX_FILES = 100
_LONE_LF = re.compile(r"(?<!\r)\n")
_LINE_ENDS = re.compile(r"\r\n|\r")


@dataclass
class Draft:
    """An overlay of texts over the files of a tree at its commit.

    Args:
        tree: The project's folder, at the base commit whenever the draft reads it.
        scope: Paths the plan may touch, as in `Plan.scope`.
    """

    tree: Confined
    scope: Sequence[str]
    _texts: dict[str, str] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)

    @property
    def paths(self) -> tuple[str, ...]:
        """Files that differ from the base, deleted ones included, sorted."""
        return tuple(edit.path for edit in self.edits())

    @property
    def texts(self) -> dict[str, str]:
        """Path -> text of the files that are written, by path."""
        return dict(sorted(self._texts.items()))

    def text(self, path: str) -> str | None:
        """Return a file's drafted text, line ends as they will be written; None for none."""
        return self._texts.get(path)

    def is_deleted(self, path: str) -> bool:
        """Whether a file of the base is gone in the draft."""
        return path in self._gone

    def present(self, path: str) -> str:
        """Return a file's text as it stands in the draft, else in the base.

        Raises:
            ToolProblemError: It is not there, too large, binary, or may not be named.
        """
        name = self.tree.writable(path)
        if name in self._texts:
            return self._texts[name]
        if name in self._gone:
            raise refused(path, "it is deleted in the draft")
        return self._of_base(name)

    def _of_base(self, name: str) -> str:
        opened = self.tree.read(name, EDIT_LIMIT)
        if not opened.is_whole:
            raise refused(name, f"it has {opened.size} bytes, more than can be edited")
        if is_binary(opened.raw):
            raise refused(name, "it is binary")
        try:
            return decode_source(opened.raw, name)
        except RepositoryError as error:
            raise refused(name, "it is not text in the encoding it declares") from error

    def exists(self, path: str) -> bool:
        """Whether a file is there, in the draft or in the base."""
        return path in self._texts or (path not in self._gone and self.tree.is_file(path))

    def replace(self, path: str, after: str) -> None:
        """Give an existing file a new text, with the line ends the file has.

        Raises:
            ToolProblemError: Outside the scope, not there, or the text may not be written.
        """
        before = self.present(path)
        name = self.require_in_scope(path)
        if is_crlf(before):
            after = _LONE_LF.sub("\r\n", after)
        self._keep(name, before, after)

    def create(self, path: str, text: str) -> None:
        """Add a file.

        Raises:
            ToolProblemError: Outside the scope, there already, or the text may not be written.
        """
        name = self.require_in_scope(path)
        if self.exists(name):
            raise refused(path, "it exists; change it with edit_file")
        if name in self._gone:
            before = self._of_base(name)
            self._keep(name, before, _LONE_LF.sub("\r\n", text) if is_crlf(before) else text)
            return
        below = [known for known in self._texts if known.startswith(f"{name}/")]
        above = [known for known in self._texts if name.startswith(f"{known}/")]
        if below or above:
            raise refused(path, f"{(below or above)[0]} of this draft is in the way")
        self._keep(name, "", text)

    def delete(self, path: str) -> None:
        """Take a file away.

        Raises:
            ToolProblemError: Outside the scope, not there, or no text.
        """
        name = self.require_in_scope(path)
        self.present(name)
        if self.tree.is_file(name):
            self._require_room(name)
            self._gone.add(name)
        self._texts.pop(name, None)

    def require_in_scope(self, path: str) -> str:
        """Return a path's name, or refuse it.

        Raises:
            ToolProblemError: It may not be written, or the plan does not cover it.
        """
        name = self.tree.writable(path)
        if out_of_scope([name], self.scope):
            allowed = ", ".join(shown_name(entry) for entry in self.scope)
            raise refused(path, f"it is outside the plan's scope ({allowed})")
        return name

    def edits(self) -> tuple[FileEdit, ...]:
        """Return the draft as edits of the base, by path; what is as it was is no edit."""
        made = [
            FileEdit(path=path, before=self._base(path), after=text)
            for path, text in self._texts.items()
        ]
        kept = [edit for edit in made if edit.before != edit.after or not self._is_old(edit.path)]
        kept += [
            FileEdit(path=path, before=self._of_base(path), after="", deleted=True)
            for path in self._gone
        ]
        return tuple(sorted(kept, key=lambda edit: edit.path))

    def snapshot(self) -> dict[str, str | None]:
        """Return path -> text, None for a deleted file, to be kept as JSON."""
        return dict(sorted({**self._texts, **dict.fromkeys(self._gone)}.items()))

    def restore(self, snapshot: Mapping[str, str | None]) -> None:
        """Take up a snapshot instead of what is there; each text is checked like a new one.

        Raises:
            ToolProblemError: A text of it may not be written any more; the draft is as it was.
        """
        fresh = Draft(self.tree, self.scope)
        for path, text in snapshot.items():
            if text is None:
                fresh.delete(path)
            elif self._is_old(path):
                fresh.replace(path, text)
            else:
                fresh.create(path, text)
        self._texts, self._gone = fresh._texts, fresh._gone

    def _base(self, path: str) -> str:
        return self._of_base(path) if self._is_old(path) else ""

    def _is_old(self, path: str) -> bool:
        return self.tree.is_file(path)

    def _keep(self, name: str, before: str, after: str) -> None:
        _require_writable(name, before, after)
        self._require_room(name)
        self._texts[name] = after
        self._gone.discard(name)

    def _require_room(self, name: str) -> None:
        known = self._texts.keys() | self._gone
        if name not in known and len(known) >= MAX_FILES:
            raise refused(name, f"a change has at most {MAX_FILES} files")


def is_crlf(text: str) -> bool:
    """Whether every line of a text ends with CR LF."""
    return "\r\n" in text and _LONE_LF.search(text) is None


def _require_writable(name: str, before: str, after: str) -> None:
    try:
        size = len(after.encode())
    except UnicodeEncodeError as error:
        raise refused(name, "the new text has half a surrogate pair, which is no text") from error
    if size > EDIT_LIMIT:
        raise refused(name, f"the new text has more than {EDIT_LIMIT} bytes")
    strange = sorted(_invisible(after) - _invisible(before))  # no more of any than it has
    if strange:
        codes = ", ".join(f"U+{ord(character):04X}" for character in strange[:5])
        raise refused(
            name, f"the new text has characters nobody can see ({codes}); write them as escapes"
        )


def _invisible(text: str) -> Counter[str]:
    """Count the characters of a text that cleaning takes away, line ends aside."""
    unified = _LINE_ENDS.sub("\n", text)
    hidden = [character for character in set(unified) if clean_text(character) != character]
    return Counter({character: unified.count(character) for character in hidden})
