"""`lift.marble` against a stand-in of World Labs' API: asked once, found again, downloaded whole, the key kept."""

import json
import logging
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marble_stub import KEY, Service, half, hang_up, raw, serving, sleeps, status, taken_then_silent
from sonoworld import testing
from sonoworld.backend import Lifted, Run, find, require_available
from sonoworld.disk.splat_file import write_splats
from sonoworld.errors import BackendMissingError, InputError, SonoworldError, StageError
from sonoworld.lift import marble_http, marble_job, marble_transfer
from sonoworld.lift.footprint import FOOTPRINT
from sonoworld.lift.imported import scaled
from sonoworld.lift.marble import MARBLE, MarbleOptions
from sonoworld.lift.marble_address import service as address
from sonoworld.lift.marble_lift import png_of

METRES_PER_UNIT = 1.25
SEMANTICS = {"metric_scale_factor": METRES_PER_UNIT, "ground_plane_offset": testing.EYE_HEIGHT_M}
TOLD: list[str] = []


@pytest.fixture(scope="module")
def spz(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A plain with a sky, as Marble stores it."""
    seed = FOOTPRINT.make(FOOTPRINT.options())
    world = seed(testing.tiny_panorama(64), testing.tiny_geometry(64), Run(np.random.default_rng(0)))
    path = tmp_path_factory.mktemp("marble") / "world.spz"
    write_splats(path, scaled(world, 1 / METRES_PER_UNIT), axes="RDF")
    return path.read_bytes()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key, a cache of this test's own, and naps that take no time."""
    monkeypatch.setenv("TEST_MARBLE_KEY", KEY)
    monkeypatch.delenv("WORLDLABS_API_KEY", raising=False)
    monkeypatch.setattr(marble_job, "cache_folder", lambda: tmp_path / "marble")
    monkeypatch.setattr(marble_http, "pause", lambda seconds, tell: (WAITS.append(seconds), tell()))
    monkeypatch.setattr(marble_job, "pause", lambda seconds, tell: tell())
    WAITS.clear()
    return tmp_path / "marble"


WAITS: list[float] = []


def lift(service: Service, **options: Any) -> Lifted:
    TOLD.clear()
    here = {"base_url": service.url, "key_env": "TEST_MARBLE_KEY", "allow_hosts": ("127.0.0.1",), "poll_s": 0.01}
    quick = {"timeout_s": 2.0, "retries": 2, "sky_radius_m": 90.0}
    stage = MARBLE.make(MarbleOptions.model_validate({**here, **quick, **options}))
    return stage(testing.tiny_panorama(64), Run(np.random.default_rng(0), lambda _, note: TOLD.append(note)))


def test_a_world_in_metres(spz: bytes) -> None:
    with serving(service := Service(spz, semantics=SEMANTICS)):
        lifted = lift(service)
    true = testing.tiny_geometry(64)
    assert lifted.geometry.metric
    error = np.abs(np.log(lifted.geometry.distance / true.distance))
    assert np.mean(error[true.valid & (true.distance < 10)] < 0.02) > 0.95
    assert lifted.splats is not None
    assert np.isclose(np.percentile(lifted.splats.means[:, 2], 5), -testing.EYE_HEIGHT_M, atol=0.01)
    assert "World generation in progress" in TOLD


def test_what_is_asked(spz: bytes) -> None:
    with serving(service := Service(spz)):
        lift(service, model="marble-1.1-plus", text_prompt="a plain", seed=7)
    (wish,) = service.wishes
    assert wish["model"] == "marble-1.1-plus"
    assert wish["seed"] == 7
    assert wish["permission"] == {"public": False}
    assert wish["world_prompt"] == {
        "type": "image",
        "image_prompt": {"source": "media_asset", "media_asset_id": "asset-1"},
        "is_pano": True,
        "text_prompt": "a plain",
    }
    (tag,) = wish["tags"]
    assert re.fullmatch(r"sonoworld-[0-9a-f]{20}", tag)
    assert len(tag) <= 32 and len(wish["display_name"]) <= 64  # limits of the API
    assert service.uploads["store/1"] == png_of(testing.tiny_panorama(64).rgb, 2560)
    stored = [headers for _, path, headers in service.seen if path.startswith(("store", "files"))]
    assert stored and not any("wlt-api-key" in {name.lower() for name in headers} for headers in stored)
    assert stored[0]["x-goog-a"] == "1"


def test_a_wide_panorama_is_sent_as_wide_as_marble_wants() -> None:
    wide = np.zeros((64, 128, 3), np.uint8)
    assert png_of(wide, 64)[16:24] == (64).to_bytes(4) + (32).to_bytes(4)  # PNG's header


def test_the_second_run_asks_nobody(spz: bytes) -> None:
    with serving(service := Service(spz, semantics=SEMANTICS)):
        first = lift(service)
        asked = len(service.seen)
        assert testing.same_value(lift(service), first)
        assert (len(service.seen), service.charges) == (asked, 1)
        lift(service, take=1)
    assert service.charges == 2


Fault = Callable[[Any], None]


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("media-assets:prepare_upload", status(500)),
        ("store", status(503)),
        ("store", hang_up),
        ("operations", status(503)),
        ("operations", hang_up),
        ("operations", raw(b"{")),
        ("operations", raw(b"[1]")),
        ("operations", raw(b"[" * 100_000)),
        ("operations", raw(b" " * (5 * 2**20))),
        ("files", half(0.5)),
        ("files", status(404)),
    ],
)
@pytest.mark.parametrize("times", [1, 9])
def test_whatever_breaks_the_next_run_goes_on_uncharged(spz: bytes, endpoint: str, fault: Fault, times: int) -> None:
    with serving(service := Service(spz, faults={endpoint: [fault] * times})):
        for _ in range(12):
            try:
                assert len(lift(service).geometry.distance)
                break
            except StageError:
                assert service.charges <= 1
        else:
            pytest.fail("never done")
    assert service.charges == 1
    assert len(service.uploads) == 1


def test_an_interruption_while_waiting(spz: bytes) -> None:
    class StoppedError(Exception):
        pass

    def tell(_: float, note: str) -> None:
        if "in progress" in note:
            raise StoppedError

    with serving(service := Service(spz)):
        here = {"base_url": service.url, "key_env": "TEST_MARBLE_KEY", "allow_hosts": ("127.0.0.1",)}
        stage = MARBLE.make(MarbleOptions.model_validate(here))
        with pytest.raises(StoppedError):
            stage(testing.tiny_panorama(64), Run(np.random.default_rng(0), tell))
        lift(service)
    assert service.charges == 1


def test_a_lost_answer_is_not_paid_twice(spz: bytes) -> None:
    """The world was begun and nobody knows: neither this run nor the next asks again without looking."""
    with serving(service := Service(spz, faults={"worlds:generate": [taken_then_silent]})):
        with pytest.raises(StageError, match="not known whether the world was begun"):
            lift(service)
        assert lift(service).geometry.valid.any()
    assert service.charges == 1


@pytest.mark.parametrize("fault", [raw(b"{"), raw(b'{"done": false}'), raw(b'{"operation_id": "../x"}'), status(502)])
def test_an_answer_that_says_nothing_is_a_lost_answer(spz: bytes, fault: Fault) -> None:
    with serving(service := Service(spz, faults={"worlds:generate": [fault]})):
        with pytest.raises(StageError, match="not known whether the world was begun"):
            lift(service)
        assert service.charges == 0
        lift(service)
    assert service.charges == 1


def test_a_lost_cache_is_found_at_world_labs(spz: bytes, cache: Path) -> None:
    with serving(service := Service(spz)):
        lift(service)
        for file in sorted(cache.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        lift(service)
    assert service.charges == 1


def test_a_forgotten_operation(spz: bytes) -> None:
    with serving(service := Service(spz, faults={"operations": [status(500)] * 3})):
        with pytest.raises(StageError, match="status 500"):
            lift(service)
        service.forgotten = True
        lift(service)
        assert service.charges == 1
    with serving(service := Service(spz, faults={"operations": [status(500)] * 3})):
        with pytest.raises(StageError):
            lift(service)
        service.forgotten, service.wishes[0]["tags"] = True, ["deleted"]
        with pytest.raises(StageError, match=r"lift\.take=1 asks, and pays, for another"):
            lift(service)
        assert service.charges == 1


@pytest.mark.parametrize(
    ("error", "says"),
    [({"code": 1, "message": "cancelled by the user"}, "cancelled by the user"), ({"code": 13}, "'code': 13")],
)
def test_a_world_that_was_not_made(spz: bytes, error: dict[str, Any], says: str) -> None:
    with serving(service := Service(spz, error=error)):
        with pytest.raises(StageError, match=says):
            lift(service)
        service.error = None
        lift(service)
    assert service.charges == 2  # the first one came to nothing


@pytest.mark.parametrize("endpoint", ["worlds:generate", "worlds:list", "operations"])
def test_busy_is_waited_for_as_asked(spz: bytes, endpoint: str) -> None:
    with serving(service := Service(spz, faults={endpoint: [status(429, Retry_After="7")]})):
        lift(service)
    assert 7.0 in WAITS
    assert service.charges == 1
    assert any("again in 7 s" in note for note in TOLD)


def test_too_busy_is_said(spz: bytes) -> None:
    with (
        serving(service := Service(spz, faults={"worlds:list": [status(429, Retry_After="9000")]})),
        pytest.raises(StageError, match=r"it asks to wait 9000 s"),
    ):
        lift(service)
    assert not service.charges


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (401, BackendMissingError, "is the key right? A new one: https://platform.worldlabs.ai/api-keys"),
        (
            402,
            StageError,
            "no credits are left and nothing was charged. Buy some: https://platform.worldlabs.ai/billing",
        ),
        (422, StageError, "status 422: as the test wants"),
        (302, StageError, "it points elsewhere and was not followed"),
    ],
)
def test_refusals_are_one_clear_message(spz: bytes, code: int, kind: type[Exception], says: str) -> None:
    faults = {"worlds:generate": [status(code, Location="http://127.0.0.1:1/steal")]}
    with serving(service := Service(spz, faults=faults)):
        with pytest.raises(kind, match=re.escape(says)):
            lift(service)
        assert not service.charges
        lift(service)
    assert service.charges == 1


def test_silence_has_an_end(spz: bytes) -> None:
    with (
        serving(service := Service(spz, faults={"worlds:list": [sleeps(9)] * 9})),
        pytest.raises(StageError, match=r"no answer within 0\.1 s \(tried 2 times\)"),
    ):
        lift(service, timeout_s=0.1, retries=1)


def test_waiting_has_an_end_and_goes_on(spz: bytes) -> None:
    with serving(service := Service(spz, polls=10_000)):
        with pytest.raises(StageError, match="the same command waits on, and it is not charged again"):
            lift(service, wait_s=0.05)
        service.polls = 0
        lift(service)
    assert service.charges == 1


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(StageError, match="no server answers at"):
        lift(Service(b"", url=url))


def test_a_download_goes_on_where_it_broke(spz: bytes) -> None:
    with serving(service := Service(spz, faults={"files": [half(0.25), half(0.5)]})):
        lift(service)
    # the stand-in's second answer ignores the range: all anew, and then on from its half
    assert service.ranges == ["", f"bytes={len(spz) // 4}-", f"bytes={len(spz) // 2}-"]


def test_a_later_run_goes_on_too(spz: bytes) -> None:
    with serving(service := Service(spz, faults={"files": [half(0.5)]})):
        with pytest.raises(StageError, match=r"ended after|broke"):
            lift(service, retries=0)
        lift(service)
    assert service.ranges[-1] == f"bytes={len(spz) // 2}-"


def test_another_file_is_fetched_from_its_beginning(spz: bytes) -> None:
    with serving(service := Service(spz, faults={"files": [half(0.5)]})):
        with pytest.raises(StageError):
            lift(service, retries=0)
        service.etag = '"two"'
        lift(service)
    assert service.ranges[-1].startswith("bytes=")


def test_a_store_that_sends_another_part(spz: bytes) -> None:
    def other(handler: Any) -> None:
        handler.send(206, spz[5:], {"ETag": '"one"', "Content-Range": f"bytes 5-{len(spz) - 1}/{len(spz)}"})

    with serving(service := Service(spz, faults={"files": [half(0.5), other]})):
        lift(service)
    assert service.ranges[-1] == ""


def test_a_file_that_is_none(spz: bytes, cache: Path) -> None:
    with serving(service := Service(b"\x1f\x8b" + bytes(100))):
        with pytest.raises(StageError, match="the next run downloads it again, uncharged"):
            lift(service)
        service.spz = spz
        lift(service)
    assert service.charges == 1


def test_endless_files_end(spz: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marble_transfer, "MAX_FILE_BYTES", 1000)
    with serving(service := Service(spz)), pytest.raises(StageError, match="expected at most 1000"):
        lift(service)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.worldlabs.ai/a.spz",
        "https://evil.example/a.spz",
        "https://worldlabs.ai.evil.example/a.spz",
        "https://notworldlabs.ai/a.spz",
        "https://storage.googleapis.com@evil.example/a.spz",
        "https://user:word@storage.googleapis.com/a.spz",
        "https://169.254.169.254/latest/meta-data",
        "http://[::1]/a.spz",
        "http://localhost/a.spz",
        "file:///etc/passwd",
        "https://cdn.marble.worldlabs.ai:port/a.spz",
        "https://cdn.marble.worldlabs.ai\\@evil.example/a.spz",
        "//evil.example/a.spz",
        "https://cdn.marble.worldlabs.ai/a b",
        "",
    ],
)
def test_strange_addresses_are_not_followed(monkeypatch: pytest.MonkeyPatch, url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLDLABS_API_KEY", KEY)
    there = address("https://api.worldlabs.ai", "WORLDLABS_API_KEY", ())
    patience = marble_http.Patience(1.0, 0, lambda note: None)
    with pytest.raises(StageError, match="nothing was sent there"):
        marble_transfer.download(there, url, tmp_path / "a.spz", patience)
    with pytest.raises(StageError, match="nothing was sent there"):
        marble_transfer.upload(there, {"upload_url": url}, b"", patience)


@pytest.mark.parametrize(
    "url", ["https://cdn.marble.worldlabs.ai/a.spz", "https://storage.googleapis.com/b/c?X-Goog=1"]
)
def test_the_known_addresses_are(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WORLDLABS_API_KEY", KEY)
    assert address("https://api.worldlabs.ai", "WORLDLABS_API_KEY", ()).require_allowed(url) == url


@pytest.mark.parametrize("headers", [{"Host": "evil"}, {"a b": "c"}, {"x": "a\r\nb: c"}, {"x": 1}, [], {"Cookie": "a"}])
def test_strange_headers_are_not_sent(spz: bytes, headers: object) -> None:
    with serving(service := Service(spz)):
        info = {"upload_url": f"{service.url}/store/1", "required_headers": headers}
        answer = {"media_asset": {"media_asset_id": "a"}, "upload_info": info}
        service.faults["media-assets:prepare_upload"] = [lambda handler: handler.say(200, answer)]
        with pytest.raises(StageError, match="required_headers"):
            lift(service)
        assert not service.uploads


def test_the_key_is_written_nowhere(spz: bytes, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echoing = status(500, {"detail": f"your key is {KEY}"})
    with serving(service := Service(spz, faults={"worlds:list": [echoing] * 3})):
        with pytest.raises(StageError, match=r"\[key\]") as caught:
            lift(service)
        lift(service)
    assert KEY not in caplog.text + str(caught.value) + "".join(TOLD) + repr(
        address(service.url, "TEST_MARBLE_KEY", ("127.0.0.1",))
    )
    kept = [file for file in cache.rglob("*") if file.is_file()]
    assert kept and not any(KEY.encode() in file.read_bytes() for file in kept)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {},
            "no key: get one at https://platform.worldlabs.ai/api-keys and set the environment variable WORLDLABS_API",
        ),
        ({"base_url": "http://api.worldlabs.ai", "key_env": "TEST_MARBLE_KEY"}, "base_url: expected https"),
        (
            {"base_url": "https://evil.example", "key_env": "TEST_MARBLE_KEY"},
            "base_url: expected a host of worldlabs.ai",
        ),
        ({"base_url": "https://a:b@api.worldlabs.ai"}, "base_url: expected no user or password"),
        ({"base_url": "https://x.example", "allow_hosts": ["x.example"]}, "is sent to worldlabs.ai only"),
        ({"base_url": "https://api.worldlabs.ai:x"}, "base_url: expected https://host"),
    ],
)
def test_what_cannot_be_asked(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BackendMissingError, match=re.escape(says)) as caught:
        require_available(find("lift", "marble"), MarbleOptions.model_validate(options))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["a b", "ä", "x" * 2000, "a\x7f"])
def test_what_is_no_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("WORLDLABS_API_KEY", key)
    with pytest.raises(BackendMissingError, match="holds no key") as caught:
        require_available(MARBLE, MarbleOptions())
    assert key not in str(caught.value)


def test_a_world_without_metres(spz: bytes) -> None:
    with serving(service := Service(spz)):
        assert not lift(service).geometry.metric
        tall = lift(service, camera_height_m=testing.EYE_HEIGHT_M)
    assert tall.geometry.metric
    assert service.charges == 1  # how it is read is not part of what is asked


@pytest.mark.parametrize(
    "semantics",
    [
        {"metric_scale_factor": "1"},
        {"metric_scale_factor": -1},
        {"metric_scale_factor": True},
        {"ground_plane_offset": []},
    ],
)
def test_numbers_that_are_none(spz: bytes, semantics: dict[str, Any]) -> None:
    with serving(service := Service(spz, semantics=semantics)), pytest.raises(StageError, match="expected a length"):
        lift(service)


def test_a_floor_above_the_eye_is_refused(spz: bytes) -> None:
    semantics = {"metric_scale_factor": 1.0, "ground_plane_offset": -1.0}
    with serving(service := Service(spz, semantics=semantics)), pytest.raises(InputError, match="below the eye"):
        lift(service)


@pytest.mark.parametrize("urls", [{}, None, [], {"500k": None}, {"100k": "https://cdn.marble.worldlabs.ai/a"}])
def test_a_world_without_the_file(spz: bytes, urls: object) -> None:
    service = Service(spz, polls=0)
    service.world = lambda: {"world_id": "world-1", "assets": {"splats": {"spz_urls": urls}}}  # type: ignore[method-assign]
    with serving(service), pytest.raises(StageError, match=r"has no file '500k'|not made after"):
        lift(service, wait_s=0.05)


def test_a_broken_record_is_said(spz: bytes, cache: Path) -> None:
    with serving(service := Service(spz, faults={"operations": [status(500)] * 3})):
        with pytest.raises(StageError):
            lift(service)
        (record,) = cache.rglob("job.json")
        assert json.loads(record.read_text())["operation_id"] == "op-1"
        record.write_text("[]")
        with pytest.raises(SonoworldError, match="expected a JSON object"):
            lift(service)
    assert service.charges == 1


def test_naps_can_be_interrupted() -> None:
    calls: list[int] = []

    def tell() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PAUSE(60.0, tell)


PAUSE = marble_http.pause


def test_two_at_once_do_not_pay_twice(spz: bytes, cache: Path) -> None:
    from sonoworld.disk.lock import held  # noqa: PLC0415

    with serving(service := Service(spz)):
        lift(service)
        (folder,) = cache.iterdir()
        with held(folder / "lock", "busy"), pytest.raises(SonoworldError, match="another process asks Marble"):
            lift(service)
        lift(service)
