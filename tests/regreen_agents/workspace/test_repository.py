"""Opening a repository, and whether a sprint may start on it."""

import pickle
import subprocess
from pathlib import Path

import pytest

from regreen_agents.errors import RepositoryError
from regreen_agents.workspace.repository import Repository, Starting, git_version
from scratch_git import Scratch


def refusal_of(path: Path) -> RepositoryError:
    with pytest.raises(RepositoryError) as caught:
        Repository.open(path)
    assert caught.value.why
    assert caught.value.fix
    return caught.value


def not_ready(scratch: Scratch, into: str = "") -> RepositoryError:
    with pytest.raises(RepositoryError) as caught:
        scratch.open().require_ready(into)
    assert caught.value.why
    assert caught.value.fix
    return caught.value


def test_a_repository_opens_from_its_root(repo: Scratch) -> None:
    opened = repo.open()

    assert opened == Repository(repo.path, "", repo.path / ".git")
    assert pickle.loads(pickle.dumps(opened)) == opened


def test_a_subfolder_opens_its_repository_and_is_the_prefix(repo: Scratch) -> None:
    folder = repo.path / "sub dir" / "ünder"
    folder.mkdir(parents=True)

    opened = Repository.open(folder)

    assert (opened.root, opened.prefix) == (repo.path, "sub dir/ünder")
    assert opened.project == folder


def test_a_symbolic_link_opens_the_real_repository(repo: Scratch, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(repo.path / "pkg")

    opened = Repository.open(link)

    assert (opened.root, opened.prefix) == (repo.path, "pkg")


def test_a_linked_worktree_shares_the_git_directory(repo: Scratch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    repo.git("worktree", "add", "--quiet", "-b", "side", str(other))

    opened = Repository.open(other)

    assert (opened.root, opened.git_dir) == (other, repo.path / ".git")
    assert opened.require_ready().branch == "side"


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal_of(tmp_path / "nothing").what


def test_a_file_is_refused(repo: Scratch) -> None:
    assert "is a file" in refusal_of(repo.path / "pkg/a.py").what


def test_a_folder_outside_any_repository_is_refused(tmp_path: Path) -> None:
    assert "not inside a git repository" in refusal_of(tmp_path).what


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "b.git")], check=True)

    assert "bare" in refusal_of(tmp_path / "b.git").what


def test_the_git_directory_itself_is_refused(repo: Scratch) -> None:
    assert "inside a git directory" in refusal_of(repo.path / ".git").what


def test_an_environment_that_points_git_elsewhere_is_refused(
    repo: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")

    assert "GIT_INDEX_FILE" in refusal_of(repo.path).what


def test_a_missing_git_is_a_message(repo: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.path))

    with pytest.raises(RepositoryError, match="git cannot be started"):
        Repository.open(repo.path)


def test_a_clean_branch_is_ready(repo: Scratch) -> None:
    repo.write("new file.txt", "untracked files do not matter\n")

    assert repo.open().require_ready() == Starting(repo.git("rev-parse", "HEAD"), "main")


def test_a_shallow_clone_is_ready(repo: Scratch, tmp_path: Path) -> None:
    repo.commit({"b.py": "B = 1\n"})
    clone = Scratch(tmp_path / "clone")
    repo.git("clone", "--quiet", "--depth=1", repo.path.as_uri(), str(clone.path))

    assert clone.open().require_ready().branch == "main"


def test_a_repository_without_a_commit_is_not_ready(empty: Scratch) -> None:
    assert "has no commit yet" in not_ready(empty).what


def test_an_unborn_branch_beside_others_is_not_ready(repo: Scratch) -> None:
    repo.git("checkout", "--quiet", "--orphan", "fresh")

    assert "'fresh' has no commit yet" in not_ready(repo).what


def test_a_detached_head_needs_a_branch_to_merge_into(repo: Scratch) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "--quiet", "--detach")

    assert "detached HEAD" in not_ready(repo).what
    assert repo.open().require_ready("main") == Starting(base, "main")
    assert repo.open().require_ready("fixes/new") == Starting(base, "fixes/new")


def test_a_target_branch_at_another_commit_is_refused(repo: Scratch) -> None:
    repo.git("branch", "behind")
    repo.commit({"b.py": "B = 1\n"})

    assert "'behind' is at another commit" in not_ready(repo, "behind").what


def test_a_target_branch_git_could_not_name_is_refused(repo: Scratch) -> None:
    assert "cannot be the name of a branch" in not_ready(repo, "a..b").what


def conflicting(repo: Scratch) -> None:
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit({"pkg/a.py": "A = 2\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"pkg/a.py": "A = 3\n"})


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick"])
def test_an_unfinished_operation_is_not_ready(repo: Scratch, operation: str) -> None:
    conflicting(repo)
    with pytest.raises(subprocess.CalledProcessError):
        repo.git(operation, "side")

    error = not_ready(repo)

    assert f"A {operation} is in progress" in error.what
    assert f"git {operation} --abort" in error.fix


def test_modified_and_staged_files_are_named(repo: Scratch) -> None:
    repo.write("pkg/old name é.py", "OLD = 2\n")
    repo.write("staged.py", "S = 1\n")
    repo.git("add", "staged.py")

    error = not_ready(repo)

    assert "2 tracked file(s)" in error.what
    assert "'pkg/old name é.py'" in error.why
    assert "'staged.py'" in error.why


def test_at_most_ten_modified_files_are_named(repo: Scratch) -> None:
    repo.commit({f"f{n:02}.txt": "1" for n in range(12)})
    for n in range(12):
        repo.write(f"f{n:02}.txt", "22")

    error = not_ready(repo)

    assert "'f09.txt' and 2 more" in error.why
    assert "f10" not in error.why


def test_untracked_files_are_listed_without_ignored_ones(repo: Scratch) -> None:
    repo.write("dir/new é.txt", "")
    repo.write("x.so", "")
    repo.write(".regreen/state", "")

    assert repo.open().untracked() == ("dir/new é.txt",)


def test_the_state_folder_is_kept_out_of_git_once(repo: Scratch) -> None:
    exclude = repo.path / ".git/info/exclude"
    exclude.write_bytes(b"*.mine")

    folders = {repo.open().prepare_state_folder() for _ in range(2)}

    assert folders == {repo.path / ".regreen"}
    assert exclude.read_bytes() == b"*.mine\n/.regreen/\n"
    (repo.path / ".regreen/state").write_text("x")
    assert repo.git("status", "--porcelain") == ""


def test_a_missing_info_folder_is_made(repo: Scratch) -> None:
    (repo.path / ".git/info/exclude").unlink(missing_ok=True)
    (repo.path / ".git/info").rmdir()

    repo.open().prepare_state_folder()

    assert (repo.path / ".git/info/exclude").read_text() == "/.regreen/\n"


def test_a_state_folder_that_cannot_be_made_is_a_message(repo: Scratch) -> None:
    repo.write(".regreen", "a file in the way")

    with pytest.raises(RepositoryError, match="cannot be written") as caught:
        repo.open().prepare_state_folder()

    assert caught.value.fix


def test_a_git_directory_that_cannot_be_written_is_a_message(repo: Scratch) -> None:
    (repo.path / ".git/regreen.lock").mkdir()

    with pytest.raises(RepositoryError, match="git directory cannot be written"):
        repo.open().prepare_state_folder()


def test_the_identity_is_gits_and_else_the_users(
    repo: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    both = repo.open().identity()
    repo.git("config", "--unset", "user.email")
    name = repo.open().identity()
    repo.git("config", "--unset", "user.name")
    neither = repo.open().identity()

    assert (both, name, neither) == ("Ada Lovelace <ada@example.org>", "Ada Lovelace", "grace")


def test_commits_can_be_looked_into(repo: Scratch) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.commit({"pkg/old name é.py": "a\r\nb\r\n"})
    opened = repo.open()

    assert opened.head_of("main") == repo.git("rev-parse", "HEAD")
    assert opened.head_of("nothing") is None
    assert opened.tree_of(first) == repo.git("rev-parse", f"{first}^{{tree}}")
    assert opened.file_at(first, "pkg/old name é.py") == "OLD = 1\n"
    assert opened.file_at("HEAD", "pkg/old name é.py") == "a\r\nb\r\n"
    assert opened.file_at("HEAD", "nothing.py") is None
    assert opened.file_at("HEAD", "pkg") is None
    with pytest.raises(RepositoryError, match="not in the repository"):
        opened.tree_of("0" * 40)


def test_gits_version_is_a_number() -> None:
    assert git_version().split(".")[0].isdigit()
