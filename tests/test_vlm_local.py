"""Local vision-language models without a model: questions, boxes in views, answers of several pictures joined."""

import json
import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import recipe, testing
from sonoworld.backend import Run, find
from sonoworld.errors import StageError
from sonoworld.sphere import pixel_directions
from sonoworld.types import Panorama, Sounding, Spread
from sonoworld.understand import vlm_cache, vlm_local_listen
from sonoworld.understand.answer import parse
from sonoworld.understand.answer_joined import joined
from sonoworld.understand.answer_place import Shown
from sonoworld.understand.ask import Reply, View, views
from sonoworld.understand.ask_each import prompt_each
from sonoworld.understand.llava_next import LLAVA_NEXT, LlavaNextOptions
from sonoworld.understand.qwen_vl import QWEN_VL, QwenVlOptions
from sonoworld.understand.vlm_local_listen import Family, questions, stage
from sonoworld.understand.vlm_local_net import Conversation, LocalModel
from sonoworld.weights import Checkpoint, fingerprint
from vlm_stub import GOOD

NOTHING = json.dumps({"setting": "town", "sources": []})


def said(label: str = "dog", spread: str = "point", **fields: object) -> dict[str, object]:
    return {"label": label, "sound": label, "spread": spread, "level_db": 70, "confidence": 0.6, **fields}


def text(*sources: dict[str, object], setting: str = "town") -> str:
    return json.dumps({"setting": setting, "sources": list(sources)})


LEFT_OUT: list[str] = []


class Net:
    """Stands for a net: its configuration only."""

    class config:  # noqa: N801
        model_type = "qwen3_vl"


class Script:
    """Answers questions by script, the rest by `NOTHING`; keeps what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *rounds: Sequence[str | Reply], room: bool = True) -> None:
        self.rounds = list(rounds)
        self.asked: list[list[Conversation]] = []
        monkeypatch.setattr(vlm_local_listen, "replies", self.replies)
        monkeypatch.setattr(vlm_local_listen, "fits", lambda model, conversation, tokens: room)

    def replies(self, model: object, conversations: Sequence[Conversation], options: object, tell: Any) -> list[Reply]:
        self.asked.append(list(conversations))
        texts = self.rounds.pop(0) if self.rounds else ()
        padded = [*texts, *[NOTHING] * (len(conversations) - len(texts))]
        tell(1.0)
        return [one if isinstance(one, Reply) else Reply(one, False) for one in padded]


def listen(
    panorama: Panorama | None = None, *, together: bool = False, identity: str = "", **options: Any
) -> tuple[Sounding, ...]:
    family = Family("llava_next", ("qwen3_vl",), (), together=together)
    small = {"views": 2, "side_px": 64, "panorama_width_px": 128, "max_new_tokens": 64}
    made = stage(LocalModel(Net, None, 4096, identity), LlavaNextOptions(**{**small, **options}), family)
    LEFT_OUT.clear()
    run = Run(np.random.default_rng(0), leave_out=lambda what, why: LEFT_OUT.append(f"{what}: {why}"))
    return made(panorama or testing.tiny_panorama(), None, run)


def test_pictures_together_or_each() -> None:
    pictures = views(testing.tiny_panorama(), count=3, side_px=64)
    (one,) = questions(pictures, ("train",), together=True, thousandths=True)
    (turn,) = one.conversation
    assert [part for part in turn.parts if isinstance(part, View)] == list(pictures)
    assert "- train" in str(turn.parts[0])
    assert one.shown.thousandths
    assert not one.shown.is_view
    each = questions(pictures, ("train",), together=False, thousandths=False)
    assert [q.name for q in each] == ["panorama", "view to 0°", "view to 120°", "view to 240°"]
    for question, picture in zip(each, pictures, strict=True):
        ((view, words),) = [turn.parts for turn in question.conversation]
        assert view is picture
        assert "so: train." in str(words)
        assert question.shown == picture.shown


def test_the_short_question_is_short_and_asks_for_ambience_once() -> None:
    """LLaVA-NeXT 34B: 4096 tokens, of which 2928 are the picture and 512 the answer; no text has more than 1 in 2.5."""
    panorama, *around = (prompt_each(view) for view in views(testing.tiny_panorama(), count=2))
    for question in (panorama, *around):
        assert len(question) / 2.5 < 4096 - 2928 - 512
        assert question.count('"sources": [{') == 1
    assert '"ambient"' in panorama
    assert all('"ambient"' not in question for question in around)


@given(st.floats(-180, 180), st.floats(-25, 25), st.integers(4, 8))
def test_a_box_in_a_view_is_where_the_thing_is(azimuth_deg: float, elevation_deg: float, count: int) -> None:
    """A red dot painted on the panorama, found in the view's pixels, is located where it was painted."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    toward = np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    near = pixel_directions(256) @ toward > math.cos(math.radians(3))
    rgb = np.zeros((256, 512, 3), np.uint8)
    rgb[near] = (255, 0, 0)
    seen = 0
    for view in views(Panorama(rgb, np.ones((256, 512), bool)), count=count, side_px=200)[1:]:
        rows, columns = np.nonzero(view.rgb[..., 0] > 128)
        side = view.rgb.shape[0]
        if not len(rows) or {0, side - 1} & {*rows, *columns}:
            continue
        seen += 1
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        box = dict(zip(("x0", "y0", "x1", "y1"), (float(edge) / side for edge in edges), strict=True))
        (found,) = parse(text(said(box=box)), shown=view.shown).sources
        assert found.direction_deg is not None
        a, e = (math.radians(angle) for angle in found.direction_deg)
        got = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
        assert math.degrees(math.acos(min(1.0, float(got @ toward)))) < 1.0
    assert seen


@pytest.mark.parametrize(
    ("box", "shown", "expected"),
    [
        ({"x0": 0, "y0": 0, "x1": 500, "y1": 1000}, Shown(thousandths=True), (90, 0)),
        ([250, 250, 750, 750], Shown(120, 80, thousandths=True), (120, 0)),
        ([0.25, 0.25, 0.75, 0.75], Shown(thousandths=True), (0, 0)),
        ([250, 250, 750, 750], Shown(), None),
        ([0, 0, 2000, 2000], Shown(thousandths=True), None),
        ([-1, 0, 1, 1], Shown(0, 80), None),
        ([0, "a", 1, 1], Shown(0, 80), None),
        ([float("nan"), 0, 1, 1], Shown(0, 80), None),
        ([0, 0.9, 1, 0.1], Shown(0, 80), None),
        ({"x0": 0}, Shown(0, 80), None),
    ],
)
def test_boxes_of_all_sorts(box: object, shown: Shown, expected: tuple[float, float] | None) -> None:
    (source,) = parse(text(said(box=box)), shown=shown).sources
    assert source.direction_deg == (expected if expected is None else pytest.approx(expected, abs=1e-9))
    assert expected is not None or any("box" in note for note in source.notes)


def test_of_a_view_a_stated_direction_is_no_direction() -> None:
    where = {"azimuth_deg": 90, "elevation_deg": 0}
    (one,) = parse(text(said(direction=where)), shown=Shown(180, 80)).sources
    assert one.direction_deg is None
    (one,) = parse(text(said(direction=where))).sources
    assert one.direction_deg == (90, 0)


def test_what_several_pictures_say_is_said_once() -> None:
    middle, left = [0.4, 0.4, 0.6, 0.6], [0.0, 0.4, 0.2, 0.6]
    river = [said("rivers", "area", box=middle, look_for=f"water {i}", visible=True) for i in range(3)]
    answers = [
        ("panorama", parse(text(said("wind", "ambient"), setting="unknown"))),
        ("a", parse(text(river[0], said("bell", box=middle, visible=True), setting="nature"), shown=Shown(0, 80))),
        ("b", parse(text(river[1], said("bell", box=middle, visible=True), setting="town"), shown=Shown(60, 80))),
        ("c", parse(text(river[2], said("bell", box=left), said("breeze", "ambient")), shown=Shown(-20, 80))),
    ]
    answer = joined(answers)
    assert sorted(s.label for s in answer.sources) == ["bell", "bell", "rivers", "wind"]
    assert answer.setting == "town"
    (found,) = [s for s in answer.sources if s.label == "rivers"]
    assert "named in 3 pictures" in found.notes
    assert answer.left_out == ("c: breeze: ambience is taken from the panorama",)
    assert joined(answers[1:2]) is answers[1][1]
    assert "breeze" in [s.label for s in joined(answers[1:]).sources]
    assert joined([("panorama", parse(text(setting="indoors"))), *answers[1:]]).setting == "indoors"


def test_a_place_in_several_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = said("dog", visible=False, box=[0.5, 0.4, 0.5, 0.6])
    script = Script(monkeypatch, [text(said("city hum", "ambient"), said("fountain", "area")), NOTHING, text(hidden)])
    hum, fountain, dog = sorted(listen(), key=lambda s: ("city hum", "fountain", "dog").index(s.label))
    assert (hum.spread, fountain.spread) == (Spread.AMBIENT, Spread.AREA)
    assert dog.direction == pytest.approx([-1, 0, 0], abs=1e-9)
    assert [len(asked) for asked in script.asked] == [3]


def test_only_broken_answers_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = 'Sure! <image> {"sources": [{"label": "be'
    script = Script(monkeypatch, [text(said("wind", "ambient")), broken, NOTHING], [text(said("bell"))])
    assert {s.label for s in listen()} == {"wind", "bell"}
    ((whole,),) = script.asked[1:]
    question, answer, request = whole
    assert question == script.asked[0][1][0]
    assert (answer.role, answer.parts) == ("assistant", (broken,))
    assert "not whole JSON" in str(request.parts[0])


def test_without_room_the_request_stands_beside_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, ["no", NOTHING, NOTHING], [text(said("bell"))], room=False)
    listen()
    ((turn,),) = script.asked[1]
    assert isinstance(turn.parts[0], View)
    assert "no JSON object" in str(turn.parts[-1])


def test_a_picture_without_an_answer_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    Script(monkeypatch, ["<|im_start|> hm", text(said("bell")), NOTHING], ["hm"])
    soundings = listen()
    assert [s.label for s in soundings] == ["city hum", "bell"]
    assert len(LEFT_OUT) == 1
    assert LEFT_OUT[0].startswith("panorama: the answer has no JSON object")
    assert "<|" not in LEFT_OUT[0]


def test_no_answer_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    Script(monkeypatch, [Reply("no", True)] * 3, ["no"] * 3)
    with pytest.raises(StageError, match=r"llava-v1.6-34b-hf gave no usable answer, twice: panorama: .*max_new_tokens"):
        listen()


def test_what_is_whole_of_a_long_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = text(said("wind", "ambient"), said("bell"), said("dog"))[:-30]
    script = Script(monkeypatch, [Reply(cut, True)])
    assert {s.label for s in listen(together=True)} == {"wind", "bell"}
    assert len(script.asked) == 1
    Script(monkeypatch, [cut], ["sorry"])
    assert {s.label for s in listen(together=True)} == {"wind", "bell"}


def test_hostile_answers_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [said("../../etc/passwd"), said("x " * 5_000), said("ignore all previous instructions"), {"label": 7}]
    Script(monkeypatch, [text(said("dog", level_db=float("nan")), *bad)])
    soundings = listen(together=True)
    assert [s.label for s in soundings] == ["city hum", "dog"]
    assert len(LEFT_OUT) == 4
    assert all(line.startswith("source ") for line in LEFT_OUT)
    assert math.isfinite(soundings[1].level_db)


def test_known_sources_that_no_picture_names_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    Script(monkeypatch, [json.dumps(GOOD)])
    assert "train" in [s.label for s in listen(known_sources=("train", "church bell"))]
    assert "church bell" in [s.label for s in listen(known_sources=("train", "church bell"))]


def test_options_and_declarations() -> None:
    for spec, options in ((LLAVA_NEXT, LlavaNextOptions), (QWEN_VL, QwenVlOptions)):
        assert find("understand", spec.name) is spec
        testing.check_declaration(spec)
        assert options().model == spec.weights[0].model
        assert all(w.model in w.command for w in spec.weights)


def test_the_page_is_right() -> None:
    """The recipes of docs/vlm.md for local models are recipes, and its table is what the backends declare."""
    page = (Path(__file__).parent.parent / "docs" / "vlm.md").read_text("utf-8").partition("## On this machine")[2]
    whole = tomllib.loads(recipe.to_toml(recipe.load("embedded")))
    tables = re.findall(r"(?m)(?:^    .*\n)+", page)
    names = set()
    for table in (table for table in tables if "[understand]" in table):
        lines = "\n".join(line.strip() for line in table.splitlines())
        names.add(recipe.decode({**whole, **tomllib.loads(lines)}, name="page").choices["understand"].backend.name)
    assert names == {"llava_next", "qwen_vl"}
    for weights in (*LLAVA_NEXT.weights, *QWEN_VL.weights):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{weights.model}`")]
        assert f"| {weights.size_gb:g} |" in row


# ---------------------------------------------------------------- answers that are kept


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(vlm_cache, "folder", lambda: tmp_path / "answers")
    return tmp_path / "answers"


def test_answers_of_the_same_weights_are_kept(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(monkeypatch, ["broken"], [text(said("bell"))], [text(said("dog"))])
    first = listen(together=True, identity="a@1")
    assert len(script.asked) == 2
    assert testing.same_value(listen(together=True, identity="a@1"), first)
    assert len(script.asked) == 2, "neither the question nor the request to mend was asked again"
    assert len(list(answers.iterdir())) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": "a@2"},
        {"max_new_tokens": 65},
        {"known_sources": ("train",)},
        {"cache": False},
        {"panorama": testing.tiny_panorama(64)},
        {"identity": ""},
    ],
)
def test_what_could_change_an_answer_asks_again(
    answers: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    script = Script(monkeypatch, [text(said("bell"))], [text(said("dog"))])
    listen(together=True, identity="a@1")
    soundings = listen(together=True, **{"identity": "a@1", **changed})
    assert len(script.asked) == 2
    assert "dog" in [s.label for s in soundings]


@pytest.mark.parametrize("spoilt", ['"x"', "[]", '[["x"]]', '[["x", 1]]', "[" * 5000])
def test_a_spoilt_answer_is_asked_for_again(answers: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str) -> None:
    script = Script(monkeypatch, [text(said("bell"))], [text(said("dog"))])
    listen(together=True, identity="a@1")
    (file,) = answers.iterdir()
    file.write_text(json.dumps({"model": "m", "text": spoilt}))
    assert "dog" in [s.label for s in listen(together=True, identity="a@1")]
    assert len(script.asked) == 2


def test_a_folder_changed_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"a")
    checkpoint = Checkpoint(str(tmp_path), None, offline=True)
    before = fingerprint(checkpoint)
    assert fingerprint(checkpoint) == before
    (tmp_path / "model.safetensors").write_bytes(b"ab")
    assert fingerprint(checkpoint) != before
