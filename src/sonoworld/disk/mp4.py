"""Films as MP4: H.264 or VP9 pictures with AAC or PCM sound, by FFmpeg's libraries (the optional package PyAV).

Pictures go in as sRGB and are coded with BT.709's luma, limited range, and say so: players that guess would tint them.
Sound is two ears, or the four channels of first-order AmbiX. AAC codes those each for themselves: joint and
intensity stereo save bits by spoiling just what a field needs, phase between channels. Noise is never substituted.
PCM has 24 bits (ISO/IEC 23003-5) and loses nothing that is heard; fewer players read it.
One thread per coder and no date inside: the same pictures and sound give the same bytes.
"""

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.disk import atomic, mp4_spatial
from sonoworld.errors import BackendMissingError, ShapeError

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, VideoFrame, VideoStream
    from av.container import OutputContainer

RATE_HZ = 48000
PIECE_SAMPLES = 1024
"""What AAC codes at once."""
LAYOUTS = {2: "stereo", 4: "4.0"}
BIT_RATES = {2: 192_000, 4: 512_000}
"""Video platforms ask for at least 256 kbit/s of AAC for four channels."""

Codec = Literal["h264", "vp9"]
Coding = Literal["aac", "pcm"]
SOUND_CODERS: dict[Coding, str] = {"aac": "aac", "pcm": "pcm_s24le"}
CODERS: dict[Codec, str] = {"h264": "libx264", "vp9": "libvpx-vp9"}
OPTIONS: dict[Codec, dict[str, str]] = {
    "h264": {"preset": "faster", "crf": "20", "x264-params": "mbtree=0"},
    "vp9": {"crf": "31", "b": "0", "deadline": "good", "cpu-used": "4"},
}
"""x264's macroblock tree reads memory that nobody wrote (seen with glibc's MALLOC_PERTURB_): without it."""
_SCALES = np.array([[219.0], [224 / 1.8556], [224 / 1.5748]]) / 255
_WEIGHTS = np.array([[0.2126, 0.7152, 0.0722], [-0.2126, -0.7152, 0.9278], [0.7874, -0.7152, -0.0722]])
_YCC_FROM_RGB = np.concatenate([_SCALES * _WEIGHTS, [[16.0], [128.0], [128.0]]], 1)
"""ITU-R BT.709-6, items 3.2, 3.3 and 3.4: Y' = 0.2126 R' + 0.7152 G' + 0.0722 B', its differences, 8 bits."""
_BT709, _LIMITED = 1, 1
"""ISO/IEC 23091-2, tables 2 to 4: BT.709 in primaries, transfer and matrix; FFmpeg's number for limited range."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is heard: [2, samples] for two ears or [4, samples] of AmbiX (ACN, SN3D), 48 kHz, within ±1; its coding."""

    signal: Float32[np.ndarray, "c t"]
    coding: Coding = "aac"

    def __post_init__(self) -> None:
        if self.signal.shape[0] not in LAYOUTS or not self.signal.shape[1]:
            raise ShapeError("film sound", expected="2 or 4 channels of samples", got=str(self.signal.shape))
        if not np.isfinite(self.signal).all():
            raise ShapeError("film sound", expected="finite samples", got="NaN or infinity")


def require_coder(codec: Codec) -> None:
    """See that films can be written here.

    Raises:
        BackendMissingError: PyAV is not installed, or its FFmpeg has no such coder.
    """
    try:
        from av import codec as coders  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise BackendMissingError(
            "films need the package av (PyAV): pip install 'sonoworld[film]' "
            "(its wheels bring FFmpeg with x264, which is under the GPL)"
        ) from error
    if CODERS[codec] not in coders.codecs_available:
        raise BackendMissingError(f"--codec {codec}: this PyAV's FFmpeg has no {CODERS[codec]}; try another --codec")


def write_film(
    path: Path, frames: Iterable[UInt8[np.ndarray, "h w 3"]], frames_hz: int, sound: Sound, codec: Codec = "h264"
) -> None:
    """Write an MP4 file, or leave what was there.

    Args:
        path: the file; until it is finished there is only a hidden folder beside it, which goes in any case.
        frames: sRGB pictures of one even size, in time; they are asked for one by one.
        frames_hz: pictures a second.
        sound: two ears; or four channels of AmbiX, and then the pictures are equirectangular and the file says both.
        codec: h264 plays everywhere, vp9 is free of x264.

    Raises:
        BackendMissingError: no PyAV, or no such coder in it.
        ShapeError: no picture, or one of another or an odd size.
    """
    require_coder(codec)
    import av  # noqa: PLC0415  an optional extra

    pictures = iter(frames)
    first = next(pictures, None)
    if first is None or first.shape[0] % 2 or first.shape[1] % 2:
        got = "none" if first is None else f"{first.shape[1]}×{first.shape[0]}"
        raise ShapeError("film", expected="pictures of even width and height", got=got)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        draft = Path(folder) / "draft.mp4"
        with av.open(str(draft), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
            size_px = first.shape[1], first.shape[0]
            video = _video_stream(container, codec, size_px, frames_hz)
            audio = _audio_stream(container, sound)
            _interleave(container, (video, audio), itertools.chain([first], pictures), sound)
        with atomic.replacing(path) as target:
            mp4_spatial.finish(draft, target, around=sound.signal.shape[0] == 4)


def _video_stream(
    container: "OutputContainer", codec: Codec, size_px: tuple[int, int], frames_hz: int
) -> "VideoStream":
    from av.video.stream import VideoStream  # noqa: PLC0415

    stream = container.add_stream(CODERS[codec], rate=frames_hz, options={**OPTIONS[codec], "flags": "+bitexact"})
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size_px
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, frames_hz)
    stream.codec_context.thread_count = 1
    stream.codec_context.gop_size = 2 * frames_hz
    stream.codec_context.color_primaries = stream.codec_context.color_trc = stream.codec_context.colorspace = _BT709
    stream.codec_context.color_range = _LIMITED
    return stream


def _audio_stream(container: "OutputContainer", sound: Sound) -> "AudioStream":
    from av.audio.stream import AudioStream  # noqa: PLC0415

    channels = sound.signal.shape[0]
    alone = {"aac_ms": "0", "aac_is": "0"} if channels == 4 else {}
    options = {"flags": "+bitexact"} | ({"aac_pns": "0", **alone} if sound.coding == "aac" else {})
    coder = SOUND_CODERS[sound.coding]
    stream = container.add_stream(coder, rate=RATE_HZ, layout=LAYOUTS[channels], options=options)
    assert isinstance(stream, AudioStream)
    if sound.coding == "aac":
        stream.bit_rate = BIT_RATES[channels]
    return stream


def _interleave(
    container: "OutputContainer",
    streams: "tuple[VideoStream, AudioStream]",
    pictures: Iterator[UInt8[np.ndarray, "h w 3"]],
    sound: Sound,
) -> None:
    """Code picture after picture, each with the sound up to its end."""
    video, audio = streams
    per_second = Fraction(1) / Fraction(video.codec_context.time_base)
    shape, sent = None, 0
    for i, picture in enumerate(pictures):
        shape = shape or picture.shape
        if picture.shape != shape:
            raise ShapeError("film", expected=f"pictures of one size {shape}", got=f"{picture.shape} in picture {i}")
        container.mux(video.encode(_picture(picture, i, per_second)))
        until = int((i + 1) * RATE_HZ / per_second)
        while sent < until and sent < sound.signal.shape[1]:
            container.mux(audio.encode(_piece(sound, sent)))
            sent += PIECE_SAMPLES
    while sent < sound.signal.shape[1]:
        container.mux(audio.encode(_piece(sound, sent)))
        sent += PIECE_SAMPLES
    container.mux(video.encode(None))
    container.mux(audio.encode(None))


def _picture(picture: UInt8[np.ndarray, "h w 3"], index: int, per_second: Fraction) -> "VideoFrame":
    from av import VideoFrame  # noqa: PLC0415

    frame = VideoFrame.from_ndarray(luma_and_chroma(picture), format="yuv420p")
    frame.pts, frame.time_base = index, 1 / per_second
    return frame


def luma_and_chroma(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "H w"]:
    """A picture as `yuv420p`: its luma, and below it both chromas, each a mean over 2×2 px.

    Not by FFmpeg's scaler: its results depend on where in memory a picture happens to lie.
    """
    ycc = cv2.transform(picture, _YCC_FROM_RGB)
    half = picture.shape[1] // 2, picture.shape[0] // 2
    chroma = cv2.resize(ycc[..., 1:], half, interpolation=cv2.INTER_AREA)
    planes = ycc[..., 0], chroma[..., 0], chroma[..., 1]
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(-1, picture.shape[1])


def _piece(sound: Sound, start: int) -> "AudioFrame":
    from av import AudioFrame  # noqa: PLC0415

    part = sound.signal[:, start : start + PIECE_SAMPLES]
    layout = LAYOUTS[part.shape[0]]
    if sound.coding == "aac":
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout=layout)
    else:  # the upper 24 of 32 bits
        steps = np.clip(np.rint(part.T.astype(np.float64) * 2**23), -(2**23), 2**23 - 1).astype(np.int32) << 8
        frame = AudioFrame.from_ndarray(steps.reshape(1, -1), format="s32", layout=layout)
    frame.sample_rate = RATE_HZ
    frame.pts, frame.time_base = start, Fraction(1, RATE_HZ)
    return frame
