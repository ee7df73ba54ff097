"""Triangles to splats: flat Gaussians laid over a surface, as dense as the eye sees it.

Letters: δ angle between neighbouring splats, rad; r distance of a triangle's centre; s = δ r spacing on the surface, m;
A area; A/s² how many splats a triangle gets. A small triangle gets one now and then: the whole part of a running sum.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sonoworld.disk.mesh import Mesh
from sonoworld.errors import InputError
from sonoworld.lift.surfels import SH_C0, THICKNESS, join, quaternions
from sonoworld.types import Splats

FACES_AT_A_TIME = 1 << 18
NEAR_M = 0.3
"""Triangles nearer than this (in the mesh's unit) are sampled as if they were here: the eye is not inside them."""

LARGEST = 0.35
"""Longest side of a triangle over its distance; longer ones are cut, so that r means something for all of it."""

MOST_CUTS = 12
MOST_PIECES = 4_000_000
"""Of one stretch of faces, cut: more would be no world around an eye."""

GREY = np.float32(0.5)

# Steps of Roberts 2018, "The unreasonable effectiveness of quasirandom sequences", eq. for d = 2: 1/ρ, 1/ρ², ρ³ = ρ + 1
R2 = (0.7548776662466927, 0.5698402909980532)


@dataclass(frozen=True, slots=True)
class Covering:
    """`angle_rad` δ for small worlds, wider where there would be more than `most` splats; `size` sigma over s."""

    angle_rad: float
    most: int
    size: float
    opacity: float


def cover(meshes: tuple[Mesh, ...], covering: Covering) -> Splats:
    """Splats over all triangles of meshes (world axes), both sides alike, in the order of the faces."""
    wanted = sum(float(_shares(part).sum()) for mesh in meshes for part in _pieces(mesh)) / covering.angle_rad**2
    angle = covering.angle_rad * max(1.0, math.sqrt(wanted / covering.most))
    parts, carried = [], 0.5
    for mesh in meshes:
        for piece in _pieces(mesh):
            ends = carried + np.cumsum(_shares(piece) / angle**2)
            counts = np.diff(np.floor(ends), prepend=math.floor(carried)).astype(np.int64)
            parts.append(_splats(mesh, piece, counts, angle, covering))
            carried = float(ends[-1])
    return join(parts)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Triangles of one mesh, some of them parts of its faces: corners, and where in the face they lie (barycentric)."""

    corners: Float64[np.ndarray, "m 3 3"]
    within: Float32[np.ndarray, "m 3 3"]
    face: Int64[np.ndarray, "m"]

    def chosen(self, which: np.ndarray) -> "_Piece":
        return _Piece(self.corners[which], self.within[which], self.face[which])


def _pieces(mesh: Mesh) -> Generator[_Piece]:
    for start in range(0, len(mesh.faces), FACES_AT_A_TIME):
        face = np.arange(start, min(start + FACES_AT_A_TIME, len(mesh.faces)))
        corners = mesh.vertices[mesh.faces[face]].astype(np.float64)
        whole = np.broadcast_to(np.eye(3, dtype=np.float32), corners.shape)
        yield from _cut(_Piece(corners, whole, face))


def _cut(piece: _Piece) -> Generator[_Piece]:
    """Triangles that are large for their distance fall into four, again and again."""
    for _ in range(MOST_CUTS):
        sides = np.linalg.norm(piece.corners - np.roll(piece.corners, 1, axis=1), axis=-1).max(1)
        large = sides > LARGEST * _distances(piece)
        if not large.any():
            break
        if 4 * int(large.sum()) > MOST_PIECES:
            raise InputError(f"mesh: expected triangles small for their distance from the eye, got {large.sum()} large")
        if not large.all():
            yield piece.chosen(~large)
        piece = _quartered(piece.chosen(large))
    yield piece


def _quartered(piece: _Piece) -> _Piece:
    def parts(x: np.ndarray) -> np.ndarray:
        a, b, c = x[:, 0], x[:, 1], x[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        four = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        return np.concatenate([np.stack(one, 1) for one in four])

    return _Piece(parts(piece.corners), parts(piece.within), np.tile(piece.face, 4))


def _distances(piece: _Piece) -> Float64[np.ndarray, "m"]:
    return np.maximum(np.linalg.norm(piece.corners.mean(1), axis=-1), NEAR_M)


def _shares(piece: _Piece) -> Float64[np.ndarray, "m"]:
    """A / r² of each triangle: δ² times its number of splats."""
    sides = piece.corners[:, 1:] - piece.corners[:, :1]
    return 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=-1) / _distances(piece) ** 2


def _splats(mesh: Mesh, piece: _Piece, counts: Int64[np.ndarray, "m"], angle: float, covering: Covering) -> Splats:
    which = np.repeat(np.arange(len(counts)), counts)
    place = _places(counts)
    corners = piece.corners[which]
    means = np.einsum("nc,ncx->nx", place, corners)
    spacing = angle * _distances(piece)[which]
    sigma = covering.size * spacing[:, None] * np.array([1.0, 1.0, THICKNESS])
    rgb = _colours(mesh, piece.face[which], np.einsum("nc,ncx->nx", place, piece.within[which]))
    logit = math.log(covering.opacity / (1 - covering.opacity))
    return Splats(
        means=means.astype(np.float32),
        log_scales=np.log(sigma).astype(np.float32),
        quats=quaternions(_frames(corners)),
        opacity_logits=np.full(len(which), logit, np.float32),
        sh=((rgb - np.float32(0.5)) / np.float32(SH_C0))[:, None, :],
    )


def _places(counts: Int64[np.ndarray, "m"]) -> Float64[np.ndarray, "n 3"]:
    """Barycentric places of `counts` splats in each triangle, spread evenly."""
    i = np.arange(int(counts.sum()))
    u, v = (0.5 + step * i for step in R2)
    u, v = u % 1, v % 1
    outside = u + v > 1
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    return np.stack([1 - u - v, u, v], -1)


def _frames(corners: Float64[np.ndarray, "n 3 3"]) -> Float32[np.ndarray, "n 3 3"]:
    """Axes as columns: along a side, across it in the triangle, along its normal."""
    first = corners[:, 1] - corners[:, 0]
    normal = np.cross(first, corners[:, 2] - corners[:, 0])
    first /= np.maximum(np.linalg.norm(first, axis=-1, keepdims=True), 1e-300)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-300)
    return np.stack([first, np.cross(normal, first), normal], -1).astype(np.float32)


def _colours(mesh: Mesh, face: Int64[np.ndarray, "n"], place: Float64[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
    """Colours (sRGB 0..1) at barycentric places of faces."""
    corners = mesh.faces[face]
    rgb = np.full((len(face), 3), GREY)
    if mesh.texture is not None and mesh.uv is not None:
        rgb = _texel(mesh.texture, np.einsum("nc,ncx->nx", place, mesh.uv[corners].astype(np.float64)))
    if mesh.colours is not None:
        own = np.einsum("nc,ncx->nx", place, mesh.colours[corners].astype(np.float64)) / 255
        rgb = own if mesh.texture is None else rgb * own
    return rgb.astype(np.float32)


def _texel(texture: np.ndarray, uv: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 3"]:
    """Bilinear between the centres of four pixels; the texture repeats."""
    height, width = texture.shape[:2]
    x, y = uv[:, 0] % 1 * width - 0.5, uv[:, 1] % 1 * height - 0.5
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    a, b = (x - column)[:, None], (y - row)[:, None]

    def at(dy: int, dx: int) -> np.ndarray:
        return texture[(row + dy) % height, (column + dx) % width].astype(np.float64) / 255

    return (1 - b) * ((1 - a) * at(0, 0) + a * at(0, 1)) + b * ((1 - a) * at(1, 0) + a * at(1, 1))
