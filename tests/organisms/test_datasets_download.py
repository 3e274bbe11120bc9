"""A download comes whole or not at all: it continues where it was cut and refuses what is not the published file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from animat.organisms.datasets.download import DownloadError, Patience, fetch, part_of

CONTENT = bytes(range(256)) * 400  # 102,400 bytes
HASH = hashlib.sha256(CONTENT).hexdigest()
NOW = Patience(wait_s=0.0, timeout_s=5.0)


def get(server, target: Path, size: int | None = len(CONTENT), sha256: str = HASH, patience: Patience = NOW, **how):
    return fetch(f"{server.address}/file.bin", target, size, sha256, patience=patience, **how)


def refused(*arguments, **how) -> str:
    with pytest.raises(DownloadError) as error:
        get(*arguments, **how)
    return str(error.value)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.bin"


def test_a_file_comes_whole_and_nothing_else_stays(server, target):
    server.files["/file.bin"] = CONTENT
    seen = []
    found = get(server, target, progress=lambda there, total: seen.append((there, total)))
    assert target.read_bytes() == CONTENT
    assert (found.bytes, found.sha256, found.already) == (len(CONTENT), HASH, False)
    assert files(target.parent) == ["file.bin"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_checked_and_not_fetched(server, target):
    server.files["/file.bin"] = CONTENT
    get(server, target)
    assert get(server, target).already
    assert len(server.asked) == 1


def test_a_cut_connection_is_continued_by_range(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [30_000, 50_000]
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=30000-", "bytes=80000-"]


def test_a_later_call_continues_what_an_earlier_one_kept(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [40_000]
    message = refused(server, target, patience=Patience(attempts=1))
    part = part_of(target)
    assert message == (
        "file.bin: cannot fetch it from 127.0.0.1 (the connection was cut) after 1 attempt. 40,000 of 102,400 bytes are"
        f" kept in {part}; pull again to continue from there. Address: {server.address}/file.bin"
    )
    assert part.stat().st_size == 40_000
    assert not target.exists()
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=40000-"
    assert files(target.parent) == ["file.bin"]


def test_a_server_without_ranges_sends_the_file_from_its_start(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts, server.ranges = [40_000], False
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("if_range", [True, False])
def test_a_file_that_changed_at_its_source_begins_anew(server, target, if_range: bool):
    server.files["/file.bin"] = CONTENT[::-1]
    server.cuts, server.if_range = [40_000], if_range
    refused(server, target, patience=Patience(attempts=1))
    server.files["/file.bin"], server.etag = CONTENT, '"two"'
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_begins_anew(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [40_000]
    refused(server, target, patience=Patience(attempts=1))
    with part_of(target).open("ab") as part:
        part.write(b"x" * 100_000)
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_of_unknown_origin_is_not_built_upon(server, target):
    server.files["/file.bin"] = CONTENT
    target.parent.mkdir()
    part_of(target).write_bytes(b"something else")
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == [("/file.bin", None)]


def test_a_whole_part_is_not_fetched_again(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [40_000]
    refused(server, target, patience=Patience(attempts=1))
    part_of(target).write_bytes(CONTENT)
    get(server, target)
    assert len(server.asked) == 1
    assert target.read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_with_both_and_the_file_set_aside(server, target):
    wrong = b"y" + CONTENT[1:]
    server.files["/file.bin"] = wrong
    message = refused(server, target)
    assert f"Expected 102,400 bytes, SHA-256 {HASH}" in message
    assert f"got 102,400 bytes, SHA-256 {hashlib.sha256(wrong).hexdigest()}" in message
    assert f"It was set aside as {target}.refused" in message
    assert files(target.parent) == ["file.bin.refused"]
    server.files["/file.bin"] = CONTENT
    assert get(server, target).sha256 == HASH


def test_a_file_on_disk_that_rotted_is_set_aside(server, target):
    server.files["/file.bin"] = CONTENT
    get(server, target)
    target.write_bytes(b"rotten" + CONTENT[6:])
    assert "not the file that was published" in refused(server, target)
    assert files(target.parent) == ["file.bin.refused"]


def test_a_file_of_another_size_is_not_even_fetched(server, target):
    server.files["/file.bin"] = CONTENT
    message = refused(server, target, size=99)
    assert message == (
        "file.bin: the server has 102,400 bytes, but 99 bytes were published; the file at"
        f" {server.address}/file.bin was changed and is not fetched"
    )
    assert files(target.parent) == []


def test_without_a_known_hash_the_one_seen_is_reported(server, target):
    server.files["/file.bin"] = CONTENT
    assert get(server, target, size=None, sha256="").sha256 == HASH


def test_a_missing_file_is_not_asked_for_again(server, target):
    message = refused(server, target)
    assert message == (
        "file.bin: 127.0.0.1 answers HTTP 404 Not Found; the address may have moved. Nothing has arrived yet; pull"
        f" again to try again. Address: {server.address}/file.bin"
    )
    assert len(server.asked) == 1
    assert files(target.parent) == []


def test_a_busy_server_is_asked_again(server, target):
    server.files["/file.bin"] = CONTENT
    server.answers = [503, 429]
    assert get(server, target).bytes == len(CONTENT)
    assert len(server.asked) == 3
    server.answers = [503] * 9
    assert "(HTTP 503 Service Unavailable) after 3 attempts" in refused(server, target.with_name("other.bin"))


def test_offline_is_said_and_the_part_stays(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [40_000]
    refused(server, target, patience=Patience(attempts=1))
    part = part_of(target)
    note = part.with_name(part.name + ".json")
    with socket.socket() as deaf:  # bound, so that no server of another test takes the port, but not listening
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/file.bin"
        note.write_text(note.read_text().replace(f"{server.address}/file.bin", address))
        with pytest.raises(DownloadError) as error:
            fetch(address, target, len(CONTENT), HASH, patience=NOW)
    assert "cannot fetch it from 127.0.0.1 ([Errno 111] Connection refused) after 3 attempts" in str(error.value)
    assert f"40,000 of 102,400 bytes are kept in {part}" in str(error.value)
    assert part.stat().st_size == 40_000


def test_the_number_of_attempts_has_a_limit(server, target):
    server.files["/file.bin"] = CONTENT
    server.cuts = [1000] * 50
    message = refused(server, target, patience=Patience(attempts=7, wait_s=0.0))
    assert "after 7 attempts. 7,000 of 102,400 bytes" in message


def test_a_disk_without_room_is_said_before_the_bytes_come(server, target):
    server.files["/file.bin"] = CONTENT
    free = os.statvfs(target.parent.parent)
    needed = free.f_bavail * free.f_frsize * 2

    class Endless(bytes):
        def __len__(self):
            return needed

    server.files["/file.bin"] = Endless(b"")
    message = refused(server, target, size=None, sha256="")
    assert f"file.bin: needs {needed:,} more bytes in {target.parent}, which has" in message


def test_two_processes_do_not_write_one_part(server, target):
    server.files["/file.bin"] = CONTENT
    target.parent.mkdir()
    with part_of(target).open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another animat is fetching this file now" in refused(server, target)
    assert get(server, target).bytes == len(CONTENT)


def test_only_http_addresses_are_followed(target):
    with pytest.raises(ValueError, match="must be http or https, got 'file:///etc/hostname'"):
        fetch("file:///etc/hostname", target)


def test_ctrl_c_keeps_the_part(server, target):
    server.files["/file.bin"] = CONTENT
    code = (
        "import signal, sys, time; from pathlib import Path; from animat.organisms.datasets.download import fetch\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a test run in the background ignores Ctrl-C
        "def slow(there, total):\n"
        "    print(there, flush=True); time.sleep(0 if there == 0 else 30)\n"
        f"fetch({server.address!r} + '/file.bin', Path({str(target)!r}), {len(CONTENT)}, progress=slow)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"0\n"
        assert int(child.stdout.readline()) > 0
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT
    assert part_of(target).stat().st_size > 0
    get(server, target)
    assert target.read_bytes() == CONTENT
