"""From a generative model's raw clips to the clips of sources: several candidates each, one chosen, looped, levelled.

Every candidate has a seed of its own, drawn from the stage's randomness and the source's id: one more source or one
more candidate changes no other's noise, and how many are made in one batch decides only how fast it goes.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld.backend import MakeSound, Run
from sonoworld.errors import StageError
from sonoworld.sound.dry import dried
from sonoworld.sound.excerpt import at_rate, is_event
from sonoworld.sound.generative import GenerativeOptions
from sonoworld.sound.level import integrated_lufs, stored
from sonoworld.sound.noise import RATE_HZ
from sonoworld.sound.rank import Agreement, clap
from sonoworld.sound.reverberation import estimated
from sonoworld.sound.takes import MARGIN_S, loop_of
from sonoworld.sound.tone import toned
from sonoworld.types import CLIP_LOUDNESS_LUFS, Clip, Source

Loop = Float64[np.ndarray, "_"]
"""At 48 kHz; candidates differ in length."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One clip that a model is asked for: for whom, in which words, and what is seen there (None: nothing)."""

    source: Source
    prompt: str
    negative_prompt: str
    seed: int
    picture: UInt8[np.ndarray, "h w 3"] | None = None


@dataclass(frozen=True, slots=True)
class Generator:
    """A loaded model: `generate(wishes, seconds)` gives one mono clip per wish, [b t] at `rate_hz`.

    `model` names what was loaded, to the commit; `author` is what credits name, `licence` that of the weights. NaN may
    come out; it is dealt with here.
    """

    generate: Callable[[Sequence[Wish], float], Float32[np.ndarray, "b t"]]
    rate_hz: int
    model: str
    author: str
    licence: str


def maker(generator: Generator, options: GenerativeOptions, who: str, *, pictures: bool = False) -> MakeSound:
    """The stage: candidates for all sources in batches, one chosen for each.

    Args:
        generator: the loaded model.
        options: how many, how long, who chooses.
        who: the backend, for messages.
        pictures: whether the model is shown the sources.

    Returns:
        The stage function; it raises StageError when no candidate of a source can be used.

    Raises:
        BackendMissingError: the model that ranks is not here.
    """
    judge = None
    if options.ranks:
        judge = clap(options.rank_model, options.rank_revision, offline=options.offline, device=options.device)

    def make_sound(sources: tuple[Source, ...], run: Run) -> tuple[Source, ...]:
        base = int(run.rng.integers(1 << 62))
        wishes = [
            wish
            for source in sources
            for wish in wishes_for(source, base, options.candidates, run.picture_of(source) if pictures else None)
        ]
        loops = _loops(generator, wishes, options, run, who)
        made: list[Source] = []
        for i, source in enumerate(sources):
            own = slice(i * options.candidates, (i + 1) * options.candidates)
            made.append(replace(source, clip=_clip(source, wishes[own], loops[own], generator, judge)))
        return tuple(made)

    return make_sound


def wishes_for(
    source: Source, base: int, candidates: int, picture: UInt8[np.ndarray, "h w 3"] | None = None
) -> list[Wish]:
    """The wishes of one source. The label says what sounds where the prompt does not."""
    asked = source.prompt or source.label
    sequence = np.random.SeedSequence([base, zlib.crc32(source.id.encode())])
    # each candidate from a child of its own; 63 bits, which is what torch takes
    seeds = [int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in sequence.spawn(candidates)]
    return [Wish(source, asked, source.negative_prompt, seed, picture) for seed in seeds]


def looped(
    samples: Float64[np.ndarray, "t"],
    rate_hz: int,
    seconds: float,
    rng: np.random.Generator,
    *,
    dereverberate: bool = False,
) -> Loop | None:
    """A loop of about `seconds` at 48 kHz, made as of a recording (`takes.loop_of`); on request with less of its room.

    None if there is no sound in it: NaN, or nothing above −70 LUFS.
    """
    if not np.isfinite(samples).all():
        return None
    sound = at_rate(samples - samples.mean(), rate_hz)
    if not np.isfinite(integrated_lufs(sound, RATE_HZ)):
        return None
    return loop_of(dried(sound, RATE_HZ) if dereverberate else sound, seconds, rng)


def _loops(
    generator: Generator, wishes: list[Wish], options: GenerativeOptions, run: Run, who: str
) -> list[Loop | None]:
    """One loop per wish, None for those without sound."""
    loops: list[Loop | None] = []
    for begin in range(0, len(wishes), options.batch):
        batch = wishes[begin : begin + options.batch]
        run.tell(begin / len(wishes), ", ".join(dict.fromkeys(wish.source.label for wish in batch)))
        clips = generator.generate(batch, options.seconds + MARGIN_S)
        if len(clips) != len(batch):
            raise StageError(f"{who}: asked {generator.model} for {len(batch)} clips, got {len(clips)}")
        loops += [
            looped(
                clip.astype(np.float64),
                generator.rate_hz,
                options.seconds,
                np.random.default_rng(wish.seed),
                dereverberate=options.dereverberate,
            )
            for clip, wish in zip(clips, batch, strict=True)
        ]
    return loops


def _clip(
    source: Source,
    wishes: Sequence[Wish],
    loops: Sequence[Loop | None],
    generator: Generator,
    judge: tuple[Agreement, str] | None,
) -> Clip:
    usable = [(i, loop) for i, loop in enumerate(loops) if loop is not None]
    if not usable:
        raise StageError(
            f"{generator.model} gave only NaN or silence for {source.label!r} ({len(loops)} candidates): "
            f"try dtype = 'float32', other words, or another backend"
        )
    best, why = _choice(wishes[0].prompt, [loop for _, loop in usable], judge)
    at, loop = usable[best]
    left_out = f"; {len(loops) - len(usable)} without sound" if len(usable) < len(loops) else ""
    shown = "" if wishes[at].picture is None else "; from words and picture"
    heard = toned(loop, RATE_HZ, source.tone_db)
    samples = stored(heard, RATE_HZ, sparse=is_event(heard))
    room = estimated(loop, RATE_HZ)
    rings = f"; falls by {room.told()}" if room else ""
    seed = wishes[at].seed
    made_by = f"{generator.model}, seed {seed}, candidate {at + 1} of {len(loops)} {why}{shown}{left_out}{rings}"
    return Clip(
        samples,
        RATE_HZ,
        loops=True,
        clip_gain_db=-CLIP_LOUDNESS_LUFS,
        made_by=made_by,
        licence=generator.licence,
        author=generator.author,
    )


def _choice(prompt: str, loops: list[Loop], judge: tuple[Agreement, str] | None) -> tuple[int, str]:
    """Which of the usable candidates, and why, in words."""
    if judge is None:
        return 0, "(the first; not ranked)"
    agreement, model = judge
    scores = agreement(prompt, loops)
    best = int(np.argmax(scores))
    others = ", ".join(f"{score:.3f}" for i, score in enumerate(scores) if i != best)
    return best, f"(CLAP {scores[best]:.3f}{f', others {others}' if others else ''}; {model})"
