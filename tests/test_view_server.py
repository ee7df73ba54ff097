import http.client
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sonoworld.errors import InputError
from sonoworld.view.server import host_allowed, running

PAGE = b"<!doctype html><title>world</title>"
DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    site = outside / "site"
    (site / "clips").mkdir(parents=True)
    (site / ".hidden").mkdir()
    for name, content in {
        "index.html": PAGE,
        "world.json": b"{}",
        "viewer.js": b"1",
        "splats.ply": DATA,
        "clips/000.flac": b"fLaC",
        "kernel.wasm": b"\0asm",
        "notes.py": b"print('not for browsers')",
        ".hidden/secret.txt": b"secret",
    }.items():
        (site / name).write_bytes(content)
    (site / "link.txt").symlink_to(outside / "secret.txt")
    return site


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[tuple[str, int]]:
    with running(site) as url:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        assert parts.port is not None
        yield parts.hostname, parts.port


def ask(
    server: tuple[str, int], path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    """Sends the path as it is: clients usually tidy `..` away."""
    connection = http.client.HTTPConnection(*server, timeout=5)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/world.json", "application/json"),
        ("/viewer.js?v=2", "text/javascript; charset=utf-8"),
        ("/clips/000.flac", "audio/flac"),
        ("/kernel.wasm", "application/wasm"),
        ("/splats.ply", "application/octet-stream"),
    ],
)
def test_files_come_with_their_own_type_and_the_security_headers(server: tuple[str, int], path: str, kind: str) -> None:
    answer, _ = ask(server, path)
    assert answer.status == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy  # WebAssembly, and nothing else that is made at run time
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/clips/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/clips/%2e%2e%2f%2e%2e%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/..%5csecret.txt",
        "/link.txt",
        "/.hidden/secret.txt",
        "/notes.py",
        "/clips",
        "/nothing.json",
        "/world.json%00.txt",
        "/%ff%fe.txt",
    ],
)
def test_nothing_else_is_sent(server: tuple[str, int], path: str) -> None:
    answer, body = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in body
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", ""])
def test_another_name_is_refused(server: tuple[str, int], host: str) -> None:
    answer, body = ask(server, "/world.json", {"Host": host})
    assert answer.status == 421
    assert body != b"{}"


@pytest.mark.parametrize(
    ("header", "bound", "allowed"),
    [
        ("localhost:8787", "127.0.0.1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("[::1]:8787", "127.0.0.1", True),
        ("[::1]", "::1", True),
        ("192.168.0.7:8787", "127.0.0.1", False),
        ("192.168.0.7:8787", "192.168.0.7", True),
        ("192.168.0.7:8787", "0.0.0.0", True),
        ("[fe80::1]:80", "::", True),
        ("evil.example", "0.0.0.0", False),
    ],
)
def test_which_names_are_its_own(header: str, bound: str, allowed: bool) -> None:
    assert host_allowed(header, bound) is allowed


def test_ranges(server: tuple[str, int]) -> None:
    answer, body = ask(server, "/splats.ply", {"Range": "bytes=100-299"})
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes 100-299/{len(DATA)}"
    assert body == DATA[100:300]
    answer, body = ask(server, "/splats.ply", {"Range": "bytes=-16"})
    assert (answer.status, body) == (206, DATA[-16:])
    answer, _ = ask(server, "/splats.ply", {"Range": "bytes=999999-"})
    assert answer.status == 416


def test_what_the_browser_has_is_not_sent_again(server: tuple[str, int]) -> None:
    first, _ = ask(server, "/splats.ply")
    again, body = ask(server, "/splats.ply", {"If-None-Match": first.headers["etag"]})
    assert (again.status, body) == (304, b"")
    other, _ = ask(server, "/splats.ply", {"If-None-Match": '"something else"'})
    assert other.status == 200


def test_only_reading(server: tuple[str, int]) -> None:
    answer, body = ask(server, "/splats.ply", method="HEAD")
    assert (answer.status, body) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))
    for method in ("POST", "PUT", "DELETE"):
        assert ask(server, "/world.json", method=method)[0].status == 405


def test_a_busy_port_means_the_next_one(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running(site, port=port) as url:
            assert port < int(url.rstrip("/").rsplit(":", 1)[1]) < port + 100


def test_not_an_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an exported world"), running(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for child processes")
def test_serve_says_its_address_and_ends_on_ctrl_c(site: Path) -> None:
    code = "import sys; from pathlib import Path; from sonoworld.view import serve\n"
    code += "serve(Path(sys.argv[1]), port=0, on_ready=lambda url: print(url, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code, str(site)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.read() == PAGE
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, 1, 130, -signal.SIGINT)
