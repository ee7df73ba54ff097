"""Image sources of a convex space: every way a sound can reach the listener over flat walls.

Letters: s source; p listener; (A, v) isometry of an image, s' = A s + v; n unit normal and q offset of a wall
(n·x = q); j images; w walls. Mirror: s − 2 (n·s − q) n (Allen & Berkley, JASA 65, 1979; Borish, JASA 75, 1984).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sonoworld.acoustics.room import Walls
from sonoworld.errors import ShapeError

MAX_IMAGES = 20_000


@dataclass(frozen=True, slots=True)
class Images:
    """Isometries from source to image, in order of bounces: the first is the source itself. `hits` per wall."""

    turn: Float64[np.ndarray, "j 3 3"]
    shift_m: Float64[np.ndarray, "j 3"]
    hits: Int64[np.ndarray, "j w"]
    sequences: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.sequences)

    def places(self, source: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "j 3"]:
        """Where the images stand, m, world."""
        return self.turn @ source + self.shift_m

    def chosen(self, keep: Bool[np.ndarray, "j"]) -> "Images":
        """Only those that are kept."""
        sequences = tuple(s for s, k in zip(self.sequences, keep, strict=True) if k)
        return Images(self.turn[keep], self.shift_m[keep], self.hits[keep], sequences)


def all_images(walls: Walls, order: int) -> Images:
    """Images over every sequence of up to `order` walls in which no wall follows itself; not all can be heard.

    Raises:
        ShapeError: more than 20 000 sequences.
    """
    w = len(walls)
    sequences: list[tuple[int, ...]] = [()]
    last = sequences
    for _ in range(order):
        last = [(*s, i) for s in last for i in range(w) if not s or s[-1] != i]
        sequences = [*sequences, *last]
        if len(sequences) > MAX_IMAGES:
            raise ShapeError("images", expected=f"at most {MAX_IMAGES}", got=f"{w} walls at order {order}")
    turn, shift = np.empty((len(sequences), 3, 3)), np.empty((len(sequences), 3))
    hits = np.zeros((len(sequences), w), np.int64)
    index = {s: j for j, s in enumerate(sequences)}
    turn[0], shift[0] = np.eye(3), 0.0
    for j, s in enumerate(sequences[1:], 1):
        before, n, q = index[s[:-1]], walls.normals[s[-1]], walls.offsets_m[s[-1]]
        mirror = np.eye(3) - 2 * np.outer(n, n)
        turn[j], shift[j] = mirror @ turn[before], mirror @ shift[before] + 2 * q * n
        hits[j] = hits[before]
        hits[j, s[-1]] += 1
    return Images(turn, shift, hits, tuple(sequences))


def heard_images(
    walls: Walls, source: Float64[np.ndarray, "3"], listener: Float64[np.ndarray, "3"], order: int
) -> Images:
    """The images whose way really exists: it meets its walls in turn, each where the wall is part of the space.

    Raises:
        ShapeError: source or listener stand outside the walls, or too many images.
    """
    for name, place in (("source", source), ("listener", listener)):
        beyond = walls.normals @ place - walls.offsets_m
        if len(walls) and float(beyond.max()) >= 0:
            raise ShapeError(name, expected="inside the walls", got=f"{place} m, {beyond.max():.2f} m behind one")
    images = all_images(walls, order)
    return images.chosen(heard_when(walls, images, source[None], listener[None])[:, 0])


def heard_when(
    walls: Walls, images: Images, sources: Float64[np.ndarray, "k 3"], listeners: Float64[np.ndarray, "k 3"]
) -> Bool[np.ndarray, "j k"]:
    """Whether the way of each image exists, for every pair of places; `images` must be those of `all_images`."""
    index = {s: j for j, s in enumerate(images.sequences)}
    places = np.einsum("jxy,ky->jkx", images.turn, sources) + images.shift_m[:, None]
    exists = [
        _exists(walls, s, [places[index[s[:n]]] for n in range(len(s), 0, -1)], listeners) for s in images.sequences
    ]
    return np.stack(exists)


def _exists(
    walls: Walls,
    sequence: tuple[int, ...],
    places: list[Float64[np.ndarray, "k 3"]],
    listeners: Float64[np.ndarray, "k 3"],
) -> Bool[np.ndarray, "k"]:
    """Trace back from the listener, last wall first; `places` of the images in the same order."""
    at, fine = listeners, np.ones(len(listeners), bool)
    for wall, image in zip(reversed(sequence), places, strict=True):
        n, q = walls.normals[wall], walls.offsets_m[wall]
        along = (image - at) @ n
        fine &= along > 0
        way = (q - at @ n) / np.where(along > 0, along, 1.0)
        hit = at + way[:, None] * (image - at)
        outside = hit @ walls.normals.T - walls.offsets_m
        outside[:, wall] = 0.0
        fine &= outside.max(1) <= 1e-9
        at = hit
    return fine
