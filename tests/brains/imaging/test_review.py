"""The review page over real HTTP: it shows candidates, logs decisions, and lets nobody else in."""

import http.client
import json
from io import BytesIO
from threading import Thread

import numpy as np
import pytest
from imageio.v3 import imread

from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.edits import EditLog, live
from animat.brains.imaging.proofread import ProofreadSettings, proofread
from animat.brains.imaging.review import Review, ReviewServer
from animat.brains.imaging.segment import SegmentSettings, segment
from animat.brains.imaging.tissue import grow
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    rng = np.random.default_rng(7)
    image = np.asarray(grow(random_circuit(5, rng, out_degree=2), (64, 96, 96), rng).clean.data[:])
    space = Workspace(tmp_path_factory.mktemp("review"))
    space.create("clean", image.shape, np.uint8, (10.0, 10.0, 10.0))[:] = image
    segment(space, SegmentSettings(), QUIET)
    proofread(space, ProofreadSettings(review_from=0.05, review_below=0.99), QUIET)
    return space


@pytest.fixture
def server(space):
    with ReviewServer(Review(space, "somebody")) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    sent = {"X-Token": server.token, **headers}
    connection.request(method, path, body=body, headers={key: value for key, value in sent.items() if value})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def post(server, path, **fields):
    status, content = ask(server, "POST", path, json.dumps(fields))
    return status, json.loads(content)


def queue(server):
    return json.loads(ask(server, "GET", "/queue")[1])["candidates"]


def test_the_page_needs_no_token_and_holds_none(server):
    status, page = ask(server, "GET", "/", **{"X-Token": ""})
    assert status == 200
    assert b"Review of a segmentation" in page
    assert server.token.encode() not in page


def test_it_listens_on_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.address.startswith("http://127.0.0.1:")


def test_a_decision_is_in_the_log_and_undo_takes_it_back(server):
    index = next(k for k, candidate in enumerate(queue(server)) if candidate["decided"] is None)
    before = EditLog(server.review.log.path)
    status, answer = post(server, "/decide", index=index, accept=True)
    assert status == 200
    log = EditLog(server.review.log.path)
    assert len(log) == len(before) + 1
    assert log.edits[answer["id"]].who == "somebody"
    assert log.edits[-1].pairs == server.review.candidates[index].pairs
    assert queue(server)[index]["decided"] is True
    assert post(server, "/undo") == (200, {"undone": answer["id"]})
    assert queue(server)[index]["decided"] is None
    assert live(EditLog(log.path).edits) == live(before.edits)


def test_a_rejected_candidate_is_held_off(server):
    index = len(queue(server)) - 1
    kind = queue(server)[index]["kind"]
    post(server, "/decide", index=index, accept=False)
    assert {EditLog(server.review.log.path).edits[-1].kind, kind} == {"join", "split"}
    assert queue(server)[index]["decided"] is False
    post(server, "/undo")


def test_a_picture_shows_the_place_with_both_sides_coloured(server):
    status, content = ask(server, "GET", "/picture?index=0")
    assert status == 200
    picture = imread(BytesIO(content), extension=".png").astype(int)
    assert picture.shape == (160, 4 * 160 + 3 * 4, 3)
    tinted = picture[:, 164:324]
    assert ((tinted[..., 0] - tinted[..., 2]) > 40).any()
    assert ((tinted[..., 2] - tinted[..., 0]) > 40).any()
    plain = picture[:, :160]
    assert (plain[..., 0] == plain[..., 2]).all()
    other = ask(server, "GET", "/picture?index=0&deeper=5")[1]
    assert other != content


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Token": ""},
        {"X-Token": "guess"},
        {"X-Token": "\xe9"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Host": "example.org"},
    ],
)
def test_other_pages_and_guesses_are_refused_and_log_nothing(server, headers):
    before = len(EditLog(server.review.log.path))
    status, content = ask(server, "POST", "/decide", json.dumps({"index": 0, "accept": True}), **headers)
    assert status == 403
    assert "open the address" in json.loads(content)["error"]
    assert ask(server, "GET", "/queue", **headers)[0] == 403
    assert len(EditLog(server.review.log.path)) == before


def test_a_foreign_name_for_this_host_gets_not_even_the_page(server):
    assert ask(server, "GET", "/", **{"Host": f"rebound.example.org:{server.server_port}"})[0] == 403


@pytest.mark.parametrize(
    ("path", "body", "status", "match"),
    [
        ("/decide", '{"index": 9999, "accept": true}', 400, "no candidate 9999"),
        ("/decide", '{"index": -1, "accept": true}', 400, "no candidate -1"),
        ("/decide", '{"index": true, "accept": true}', 400, "no candidate True"),
        ("/decide", '{"index": 0, "accept": "yes"}', 400, "true or false"),
        ("/decide", "[1]", 400, "a JSON object"),
        ("/decide", "{", 400, "a JSON object"),
        ("/undo", "{}", 400, "nothing of 'somebody' to undo"),
        ("/undo", " " * 20_000, 400, "at most 10000 bytes"),
        ("/elsewhere", "{}", 404, "no such page"),
    ],
)
def test_a_bad_request_gets_a_clear_error(server, path, body, status, match):
    found, content = ask(server, "POST", path, body)
    assert found == status
    assert match in json.loads(content)["error"]


def test_a_picture_of_nothing_is_an_error(server):
    assert ask(server, "GET", "/picture?index=x")[0] == 400
    assert ask(server, "GET", "/picture?index=9999")[0] == 400


def test_a_review_needs_a_name_that_is_not_the_machine_s(space):
    with pytest.raises(VolumeError, match="'automatic' is no name of a person"):
        Review(space, "automatic")


def test_a_review_before_proofreading_says_what_is_missing(tmp_path):
    with pytest.raises(VolumeError, match="stage 'proofread-proofread' is not finished"):
        Review(Workspace(tmp_path), "somebody")
