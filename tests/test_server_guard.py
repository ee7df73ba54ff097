"""Who gets in: names, tokens, paths, sizes; on a real socket, as a browser or an attacker would come."""

import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import small_world
from starlette.testclient import TestClient

from sonoworld import testing
from sonoworld.flow import make_scene
from sonoworld.server import gallery
from sonoworld.server.app import gallery_app, world_app
from sonoworld.server.guard import new_token
from sonoworld.view.listening import Address, listening

TOKEN = "a-key-for-tests"


@dataclass(frozen=True)
class Server:
    host: str
    port: int

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Sends the path as it is: clients usually tidy `..` away."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "worlds"
    make_scene(testing.tiny_photo(), small_world.recipe(), folder / "garden")
    shutil.copytree(folder / "garden", outside / "secret")
    (folder / "elsewhere").symlink_to(outside / "secret")
    shutil.copytree(folder / "garden", folder / ".hidden")
    return folder


@pytest.fixture(scope="module")
def server(worlds: Path) -> Iterator[Server]:
    with gallery_app(worlds, "127.0.0.1", TOKEN) as app, listening(app, Address(port=0)) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield Server(parts.hostname, parts.port)


def test_the_page_and_a_world_open(server: Server) -> None:
    page, body = server.ask("GET", f"/{TOKEN}/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"Choose photos" in body
    _, listed = server.ask("GET", f"/{TOKEN}/api/worlds")
    assert [world["name"] for world in json.loads(listed)["worlds"]] == ["garden"]
    world, _ = server.ask("GET", f"/{TOKEN}/worlds/garden/")
    assert world.status == 200
    poster, picture = server.ask("GET", f"/{TOKEN}/worlds/garden/poster.jpg")
    assert (poster.headers["content-type"], picture[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    slashless, _ = server.ask("GET", f"/{TOKEN}/worlds/garden")
    assert (slashless.status, slashless.headers["location"]) == (307, "garden/")


def test_parts_of_files(server: Server) -> None:
    server.ask("GET", f"/{TOKEN}/worlds/garden/")
    whole, data = server.ask("GET", f"/{TOKEN}/worlds/garden/viewer.js")
    assert whole.headers["content-type"] == "text/javascript; charset=utf-8"
    part, some = server.ask("GET", f"/{TOKEN}/worlds/garden/viewer.js", Range="bytes=10-19")
    assert (part.status, some) == (206, data[10:20])
    again, nothing = server.ask("GET", f"/{TOKEN}/worlds/garden/viewer.js", If_None_Match=whole.headers["etag"])
    assert (again.status, nothing) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/", "/api/worlds", "/worlds/garden/", f"/{TOKEN}x/", f"/{TOKEN[:-1]}/", "//", "/%20/"]
)
def test_without_the_key_nothing_is_there(server: Server, path: str) -> None:
    answer, body = server.ask("GET", path)
    assert answer.status == 403
    assert TOKEN.encode() not in body
    assert b"garden" not in body


@pytest.mark.parametrize("path", [f"/{TOKEN}/", f"/{TOKEN}/api/worlds", f"/{TOKEN}/worlds/garden/"])
def test_another_name_is_refused_even_with_the_key(server: Server, path: str) -> None:
    answer, _ = server.ask("GET", path, Host="evil.example")
    assert answer.status == 421


@pytest.mark.parametrize(
    "path",
    [
        "worlds/../secret/scene.json", "worlds/%2e%2e/secret/world.json", "worlds/..%2fsecret/", "worlds/elsewhere/",
        "worlds/elsewhere/edit/state", "worlds/.hidden/", "worlds/garden/../../secret/scene.json", "worlds/nobody/",
        "worlds/garden/%2e%2e/%2e%2e/scene.json", "worlds/garden/..%5cscene.json", "worlds/%00/", "viewer.js",
        "worlds/garden/scene.json", "../secret/scene.json", "%2e%2e%2fsecret%2fscene.json", "worlds/garden/%ff.json",
    ],
)  # fmt: skip
def test_nothing_outside_is_sent(server: Server, path: str) -> None:
    answer, body = server.ask("GET", f"/{TOKEN}/{path}")
    assert answer.status in (400, 403, 404)
    assert b"made_with" not in body
    assert b"sources" not in body


def test_every_answer_carries_the_headers(server: Server) -> None:
    for path in ("/", f"/{TOKEN}/", f"/{TOKEN}/api/worlds", f"/{TOKEN}/nothing", f"/{TOKEN}"):
        answer, _ = server.ask("GET", path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://127.0.0.1:1"},
    ],
)  # fmt: skip
def test_other_sites_cannot_write(server: Server, headers: dict[str, str]) -> None:
    for path in ("api/photos", "worlds/garden/edit/operation"):
        answer, _ = server.ask("POST", f"/{TOKEN}/{path}", b"{}", Content_Type="application/json", **headers)
        assert answer.status == 403
    ours = f"http://127.0.0.1:{server.port}"
    answer, _ = server.ask("POST", f"/{TOKEN}/api/photos", b"no photo", Origin=ours, Sec_Fetch_Site="same-origin")
    assert answer.status == 400


def test_what_is_no_photo_is_said_so(server: Server, worlds: Path) -> None:
    for body in (b"<svg onload=alert(1)>", b"\xff\xd8\xff" + b"\0" * 100, png()[:60]):
        answer, said = server.ask("POST", f"/{TOKEN}/api/photos?name=..%2f..%2fholiday.jpg", body)
        assert answer.status == 400
        assert "holiday.jpg: " in json.loads(said)["error"]
        assert str(worlds.parent) not in said.decode()
    answer, said = server.ask("POST", f"/{TOKEN}/api/photos?name=empty.jpg", b"")
    assert (answer.status, json.loads(said)["error"]) == (400, "expected a file, got nothing")
    assert list((worlds / ".jobs").iterdir()) == []


def png() -> bytes:
    import cv2  # noqa: PLC0415

    return bytes(cv2.imencode(".png", testing.tiny_photo().rgb)[1])


def test_too_large_uploads_are_refused_with_and_without_a_length(
    server: Server, worlds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "MOST_PHOTO_BYTES", 2**20)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    connection.putrequest("POST", f"/{TOKEN}/api/photos?name=a.jpg")
    connection.putheader("Content-Length", str(2**40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()

    with gallery_app(worlds, "127.0.0.1", TOKEN) as app:
        client = TestClient(app, base_url="http://127.0.0.1")
        answer = client.post(f"/{TOKEN}/api/photos", content=iter([b"\xff" * 2**18] * 5))  # chunked: no length
    assert answer.status_code == 413
    assert answer.json() == {"error": "expected a file of at most 1 MB"}
    assert list((worlds / ".jobs").iterdir()) == []


def test_a_full_disk_is_said_before_anything_is_written(
    server: Server, worlds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "LEAST_FREE_BYTES", 2**62)
    answer, said = server.ask("POST", f"/{TOKEN}/api/photos?name=a.png", png())
    assert answer.status == 507
    assert "less than 1 GB is free" in json.loads(said)["error"]


def test_one_world_alone(worlds: Path) -> None:
    with world_app(worlds / "garden", "127.0.0.1", TOKEN, editable=False) as app:
        client = TestClient(app, base_url="http://127.0.0.1")
        assert client.get(f"/{TOKEN}/world.json").json()["title"] == "garden"
        assert client.get(f"/{TOKEN}/edit/state").status_code == 404
        assert client.post(f"/{TOKEN}/edit/undo", json={"base": 0}).status_code in (404, 405)


def test_keys_are_long_and_new() -> None:
    keys = {new_token() for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 32
