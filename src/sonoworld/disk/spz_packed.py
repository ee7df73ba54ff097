"""What SPZ keeps of a splat: 20 bytes and one for each higher harmonic, attribute by attribute.

After the format's description and reader by Niantic (github.com/nianticlabs/spz, README and `load-spz.cc`, MIT), in our
own words. Letters: f fractional bits; b a stored byte; q a quaternion, here xyzw.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld.disk.splat_file_checks import bytes_of_logits, logits_of_bytes
from sonoworld.errors import InputError
from sonoworld.types import Splats

Rotation = Literal["first three", "smallest three"]

FRACTIONAL_BITS = 12
"""Positions to 0.24 mm within ±2048 m, as Niantic's writer has them; farther worlds get fewer."""

COLOUR_SCALE = 0.15
SMALLEST_MAX = 511
_OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
DEGREE_1_STEP, HIGHER_STEP = 8, 16
"""Steps of stored harmonics (of 256): 5 bits for degree 1 and 4 above, as Niantic's writer has them."""


def _cube() -> tuple[Float32[np.ndarray, "24 4"], np.ndarray]:
    """The turns of a cube as quaternions wxyz, and for each which old axis its three new ones are."""
    half = np.sqrt(0.5)
    one = [[1.0 if j == i else 0.0 for j in range(4)] for i in range(4)]
    two = [
        [half * (j == i) + sign * half * (j == k) for j in range(4)]
        for i in range(4)
        for k in range(i + 1, 4)
        for sign in (1, -1)
    ]
    four = [[0.5, 0.5 * a, 0.5 * b, 0.5 * c] for a in (1, -1) for b in (1, -1) for c in (1, -1)]
    q = np.array(one + two + four)
    w, x, y, z = q.T
    squares = np.stack(
        [
            np.stack([w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
            np.stack([2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)], -1),
            np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], -1),
        ],
        -2,
    )
    return q.astype(np.float32), np.abs(squares).argmax(1)


_CUBE, _CUBE_AXES = _cube()


@dataclass(frozen=True, slots=True)
class Packed:
    """Stored bytes, a row a splat."""

    positions: UInt8[np.ndarray, "n 9"]
    alphas: UInt8[np.ndarray, "n 1"]
    colours: UInt8[np.ndarray, "n 3"]
    scales: UInt8[np.ndarray, "n 3"]
    rotations: UInt8[np.ndarray, "n r"]
    harmonics: UInt8[np.ndarray, "n h"]

    def streams(self) -> tuple[np.ndarray, ...]:
        """The attributes in the order in which files hold them."""
        return self.positions, self.alphas, self.colours, self.scales, self.rotations, self.harmonics


def widths(degree: int, rotation: Rotation) -> tuple[int, ...]:
    """Bytes a splat of each stream, in the order of `Packed.streams`."""
    return 9, 1, 3, 3, 4 if rotation == "smallest three" else 3, 3 * ((degree + 1) ** 2 - 1)


def fractional_bits_for(splats: Splats) -> int:
    """The finest steps, at most 2^−12, with which all positions fit 24 bits.

    Raises:
        InputError: something is farther than 8 000 km.
    """
    reach = float(np.abs(splats.means).max(initial=0.0))
    for bits in range(FRACTIONAL_BITS, -1, -1):
        if round(reach * (1 << bits)) < 1 << 23:
            return bits
    raise InputError(f"SPZ: expected positions within ±{(1 << 23) - 1} m, got {reach:.3g} m")


def pack(splats: Splats, fractional_bits: int, rotation: Rotation) -> Packed:
    """The nearest that SPZ can hold.

    Sizes outside 45 µm..380 m and colours far outside 0..1 take the nearest end of the format's range, as Niantic's
    writer does. Positions must fit (`fractional_bits_for`).
    """
    n = len(splats)
    quats, log_scales = splats.quats, splats.log_scales
    if rotation == "first three":
        quats, log_scales = _with_large_w(quats, log_scales)
    fixed = np.rint(splats.means.astype(np.float64) * (1 << fractional_bits)).astype("<i4")
    unit = quats / np.linalg.norm(quats, axis=1, keepdims=True)
    q = unit[:, [1, 2, 3, 0]].astype(np.float64)
    return Packed(
        positions=np.ascontiguousarray(fixed.view(np.uint8).reshape(n, 3, 4)[:, :, :3]).reshape(n, 9),
        alphas=bytes_of_logits(splats.opacity_logits)[:, None],
        colours=_byte(255 * (COLOUR_SCALE * splats.sh[:, 0].astype(np.float64) + 0.5)),
        scales=_byte(16 * (log_scales.astype(np.float64) + 10)),
        rotations=_smallest_three(q) if rotation == "smallest three" else _first_three(q),
        harmonics=_harmonics(splats.sh[:, 1:].reshape(n, 3 * (splats.sh.shape[1] - 1))),
    )


def unpack(packed: Packed, fractional_bits: int) -> Splats:
    """Splats of stored bytes, in the axes that were stored."""
    n = len(packed.positions)
    high = np.zeros((n, 3, 4), np.uint8)
    high[:, :, 1:] = packed.positions.reshape(n, 3, 3)
    fixed = high.view("<i4")[:, :, 0] >> 8  # the sign comes down with the shift
    q = (_from_smallest_three if packed.rotations.shape[1] == 4 else _from_first_three)(packed.rotations)
    base = (packed.colours / 255 - 0.5) / COLOUR_SCALE
    rest = (packed.harmonics.astype(np.float32) - 128) / np.float32(128)
    return Splats(
        means=(fixed / (1 << fractional_bits)).astype(np.float32),
        log_scales=(packed.scales.astype(np.float32) / 16 - 10),
        quats=q[:, [3, 0, 1, 2]].astype(np.float32),
        opacity_logits=logits_of_bytes(packed.alphas[:, 0]),
        sh=np.concatenate([base.astype(np.float32)[:, None], rest.reshape(n, rest.shape[1] // 3, 3)], axis=1),
    )


def _with_large_w(
    quats: Float32[np.ndarray, "n 4"], log_scales: Float32[np.ndarray, "n 3"]
) -> tuple[Float32[np.ndarray, "n 4"], Float32[np.ndarray, "n 3"]]:
    """The same ellipsoids with their axes named anew, so that w, which readers derive, is never small.

    wxyz of q·g for the 24 turns g of a cube: w of q·g is q·ḡ, so the g nearest to q is the one; its sizes follow.
    """
    best = np.argmax(np.abs(quats @ (_CUBE * np.array([1, -1, -1, -1], np.float32)).T), axis=1)
    g = _CUBE[best]
    w, x, y, z = quats.T
    a, b, c, d = g.T
    turned = [
        w * a - x * b - y * c - z * d,
        w * b + x * a + y * d - z * c,
        w * c - x * d + y * a + z * b,
        w * d + x * c - y * b + z * a,
    ]
    return np.stack(turned, -1), np.take_along_axis(log_scales, _CUBE_AXES[best], 1)


def _byte(values: Float64[np.ndarray, "n c"]) -> UInt8[np.ndarray, "n c"]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _harmonics(rest: Float32[np.ndarray, "n h"]) -> UInt8[np.ndarray, "n h"]:
    """Coefficient by coefficient, its three colours together; −1..1, rounded to steps so that gzip finds more."""
    step = np.where(np.arange(rest.shape[1]) < 9, DEGREE_1_STEP, HIGHER_STEP)
    level = np.rint(128 * rest.astype(np.float64)) + 128
    return _byte((level + step // 2) // step * step)


def _smallest_three(q: Float64[np.ndarray, "n 4"]) -> UInt8[np.ndarray, "n 4"]:
    """32 bits: which part is largest (2 bits), then sign and 9 bits of each other part over √½, first part highest."""
    largest = np.abs(q).argmax(1)
    small = np.take_along_axis(q, _OTHERS[largest], 1)
    negative = (small < 0) ^ (np.take_along_axis(q, largest[:, None], 1) < 0)
    size = np.minimum(np.rint(SMALLEST_MAX * np.sqrt(2) * np.abs(small)), SMALLEST_MAX).astype(np.uint32)
    part = size | (negative.astype(np.uint32) << 9)
    word = (largest.astype(np.uint32) << 30) | (part[:, 0] << 20) | (part[:, 1] << 10) | part[:, 2]
    return word.astype("<u4")[:, None].view(np.uint8)


def _from_smallest_three(stored: UInt8[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 4"]:
    word = np.ascontiguousarray(stored).view("<u4")[:, 0]
    part = np.stack([(word >> shift) & 1023 for shift in (20, 10, 0)], -1)
    small = (part & SMALLEST_MAX) * (np.sqrt(0.5) / SMALLEST_MAX) * np.where(part >> 9, -1.0, 1.0)
    largest = (word >> 30).astype(np.int64)
    q = np.empty((len(word), 4))
    np.put_along_axis(q, _OTHERS[largest], small, 1)
    np.put_along_axis(q, largest[:, None], np.sqrt(np.maximum(0, 1 - (small**2).sum(1, keepdims=True))), 1)
    return q


def _first_three(q: Float64[np.ndarray, "n 4"]) -> UInt8[np.ndarray, "n 3"]:
    return _byte(127.5 * np.where(q[:, 3:] < 0, -1.0, 1.0) * q[:, :3] + 127.5)


def _from_first_three(stored: UInt8[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 4"]:
    xyz = stored / 127.5 - 1
    return np.concatenate([xyz, np.sqrt(np.maximum(0, 1 - (xyz**2).sum(1, keepdims=True)))], 1)
