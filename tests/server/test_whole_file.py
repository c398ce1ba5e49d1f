"""Files that the exports write: a failure leaves what was there before."""

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mainsheet.server.job_files import files
from mainsheet.server.job_files.whole_file import write_whole
from testbed.programs import not_here
from tests.server.commands import invoke, serving

OLD = "jobKey: old\n"


@contextmanager
def short_files(longest: int) -> Iterator[None]:
    """Let this process write no longer files, in bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def content(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_job_file_that_has_no_room_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "tides.yaml"
    path.write_text(OLD)

    with short_files(10), pytest.raises(OSError, match="File too large") as failed:
        files.write(path, {"jobKey": "tides", "name": "x" * 20_000}, "")

    assert failed.value.filename == str(path)
    assert content(tmp_path) == {"tides.yaml": OLD.encode()}


@pytest.mark.parametrize("command", [("export", "acme.yaml"), ("jobs", "export", ".")])
def test_an_export_that_has_no_room_leaves_the_earlier_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()
    with serving("--demo", "--database-url", f"sqlite:///{tmp_path}/demo.sqlite3") as server:
        token = server.tokens["admin@harbor.example"]
        environment = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": token}
        words = (*command[:-1], str(folder / command[-1]))
        assert invoke(*words, **environment).returncode == 0
        before = content(folder)

        with short_files(100):
            failed = invoke(*words, **environment)

    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"Error: {folder}/.")
    assert failed.stderr.endswith(": File too large\n")
    assert content(folder) == before


def test_a_replaced_file_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    file, link, new = (tmp_path / name for name in ("file", "link", "new"))
    file.write_text(OLD)
    file.chmod(0o640)
    link.symlink_to(file)
    (tmp_path / "usual").touch()

    write_whole(link, "new")
    write_whole(new, b"new")

    assert link.is_symlink()
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_that_grew_while_its_room_was_reserved_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on ext4, where reserving room on a full disk may get a part of it."""

    def grow_and_fail(descriptor: int, _offset: int, size: int) -> None:
        os.truncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(_path: Path, _target: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    file = tmp_path / "file"
    file.write_text(OLD)
    monkeypatch.setattr(os, "posix_fallocate", grow_and_fail)
    monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(OSError, match="No space left"):
        write_whole(file, OLD * 2)

    assert content(tmp_path) == {"file": OLD.encode()}


@contextmanager
def mounted_alone(file: Path, *, is_folder_writable: bool) -> Iterator[None]:
    """Let the file be a mount of its own, as `docker run --volume FILE:FILE` makes it."""
    if os.geteuid():
        not_here("only root may mount a file")
    mounts: list[list[str | Path]] = [["--bind", file.parent, file.parent], ["--bind", file, file]]
    if not is_folder_writable:
        mounts.append(["-o", "remount,bind,ro", file.parent])
    try:
        for each in mounts:
            subprocess.run(["mount", *each], check=True)
        yield
    finally:
        for mounted in (file, file.parent):
            subprocess.run(["umount", mounted], check=True)


@pytest.mark.parametrize("is_folder_writable", [True, False])
def test_a_file_that_is_mounted_alone_is_overwritten(tmp_path: Path, *, is_folder_writable: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file"
    file.write_text(OLD * 2)

    with mounted_alone(file, is_folder_writable=is_folder_writable):
        write_whole(file, OLD)
        with short_files(len(OLD)), pytest.raises(OSError, match="File too large"):
            write_whole(file, OLD * 2)

    assert content(folder) == {"file": OLD.encode()}
