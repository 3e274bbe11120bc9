"""`animat data`, run as a user runs it, against a server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

META = b"meta"
EDGES = b"29 8419602 9.0\n" * 5000


def animat(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "animat", *arguments], capture_output=True, text=True, env=os.environ | variables
    )


def serve_larva(server) -> str:
    server.files = {"/larva/meta_data.csv": META, "/larva/G_edgelist.txt": EDGES}
    return server.address


def test_list_says_what_there_is_and_what_is_here(tmp_path: Path):
    listed = animat("data", "list", "--folder", str(tmp_path)).stdout
    assert "malecns         absent" in listed
    assert "566 MB  166,700 neurons" in listed
    assert f"They go to {tmp_path}/NAME. Fetch one with: animat data pull NAME" in listed
    lines = json.loads(animat("data", "list", "--json", ANIMAT_DATA=str(tmp_path)).stdout)
    malecns = next(line for line in lines if line["name"] == "malecns")
    assert (malecns["here"], malecns["folder"]) == (False, str(tmp_path / "malecns"))
    assert {"licence", "citation", "doi", "files", "bytes", "neurons"} <= set(malecns)


def test_pull_names_source_licence_place_hash_and_what_comes_next(server, tmp_path: Path):
    pulled = animat("data", "pull", "larva", "--mirror", serve_larva(server), "--folder", str(tmp_path))
    assert pulled.returncode == 0, pulled.stderr
    assert "Licence: MIT (repository). Cite: Winding et al. 2023" in pulled.stdout
    assert f"To {tmp_path}/larva:" in pulled.stdout
    assert "G_edgelist.txt: size not published, SHA-256 not published" in pulled.stdout
    assert f"fetched {tmp_path}/larva/G_edgelist.txt (75,000 bytes)" in pulled.stdout
    assert f"its SHA-256 is {hashlib.sha256(EDGES).hexdigest()}; none was published" in pulled.stdout
    assert "next: in Python, animat.organisms.datasets.convert.connectome('larva')" in pulled.stdout
    assert (tmp_path / "larva" / "G_edgelist.txt").read_bytes() == EDGES
    again = animat("data", "pull", "larva", "--mirror", server.address, "--folder", str(tmp_path), "--json")
    assert [file["already"] for file in json.loads(again.stdout)["files"]] == [True, True]
    assert again.stderr == ""


def test_verify_is_status_0_where_all_is_right_and_1_where_not(server, tmp_path: Path):
    place = ("--folder", str(tmp_path))
    absent = animat("data", "verify", "larva", *place)
    assert absent.returncode == 1
    assert "missing G_edgelist.txt" in absent.stdout
    animat("data", "pull", "larva", "--mirror", serve_larva(server), *place)
    right = animat("data", "verify", "larva", *place)
    assert (right.returncode, right.stdout.count("right   ")) == (0, 2)
    (tmp_path / "larva" / "G_edgelist.txt").write_bytes(b"rotten")
    wrong = animat("data", "verify", "larva", *place, "--json")
    report = json.loads(wrong.stdout)
    assert (wrong.returncode, report["right"]) == (1, False)
    assert [file["state"] for file in report["files"]] == ["right", "wrong"]


def test_a_file_that_is_not_the_published_one_is_refused_with_status_2(server, tmp_path: Path):
    name = "body-annotations-male-cns-v1.0-minconf-0.5.feather"
    server.files = {f"/malecns/{name}": b"short"}
    pulled = animat("data", "pull", "malecns", "--mirror", server.address, "--folder", str(tmp_path))
    assert pulled.returncode == 2
    assert f"{name}: the server has 5 bytes, but 14,483,314 bytes were published" in pulled.stderr
    assert "body-neurotransmitters-male-cns-v1.0.feather: 127.0.0.1 answers HTTP 404" in pulled.stderr
    assert "Traceback" not in pulled.stderr
    assert list((tmp_path / "malecns").iterdir()) == []


def test_pull_announces_malecns_before_it_fetches(server, tmp_path: Path):
    pulled = animat("data", "pull", "--mirror", server.address, "--folder", str(tmp_path))
    assert "(malecns, version 1.0): 166,700 neurons" in pulled.stdout
    assert "Licence: CC BY 4.0. Cite: Berg et al. 2026" in pulled.stdout
    assert "traced-only.feather: 508,025,642 bytes, SHA-256 9b3beab17bad..." in pulled.stdout
    assert "https://storage.googleapis.com/flyem-male-cns/v1.0/connectome-data/flat-connectome/" in pulled.stdout


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(server, tmp_path: Path):
    serve_larva(server)
    server.hold = 30_000
    code = (  # a test run in the background ignores Ctrl-C, and so would its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from animat.scripts.cli import main; main()"
    )
    arguments = ["data", "pull", "larva", "--mirror", server.address, "--folder", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert server.holding.wait(30)
        part, waited = tmp_path / "larva" / "G_edgelist.txt.part", time.monotonic()
        while not (part.exists() and part.stat().st_size) and time.monotonic() < waited + 10:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=60)
    server.hold = None
    assert child.returncode == 130
    assert f"bytes are kept in {tmp_path}/larva. Continue with: animat data pull larva" in said
    assert 0 < part.stat().st_size <= 30_000
    assert animat(*arguments).returncode == 0
    assert (tmp_path / "larva" / "G_edgelist.txt").read_bytes() == EDGES


def test_unknown_names_get_the_nearest_one():
    for command in ("pull", "verify"):
        wrong = animat("data", command, "malcns")
        assert wrong.returncode == 2
        assert "animat: no dataset 'malcns'; did you mean 'malecns'?" in wrong.stderr
