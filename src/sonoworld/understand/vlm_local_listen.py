"""From a panorama to what a model in this process hears in it: pictures, questions, answers, soundings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sonoworld.backend import Run, Understand, Weights
from sonoworld.errors import StageError
from sonoworld.types import Camera, Panorama, Sounding
from sonoworld.understand.answer import Answer, AnswerError, parse, to_soundings, told
from sonoworld.understand.answer_clean import plain
from sonoworld.understand.answer_joined import WHOLE, joined
from sonoworld.understand.answer_place import PANORAMA, Shown
from sonoworld.understand.ask import SHOWN_AGAIN_CHARS, Reply, View, checked_sources, mend, prompt, views
from sonoworld.understand.ask_each import prompt_each
from sonoworld.understand.vlm_local import LocalVlmOptions
from sonoworld.understand.vlm_local_kept import kept
from sonoworld.understand.vlm_local_net import Conversation, LocalModel, Turn, fits, loaded, replies
from sonoworld.weights import Checkpoint, credited

_NOW = "Now answer with the JSON object, and nothing else."


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model: its backend's name, its architectures, and whether it takes many pictures at once."""

    name: str
    kinds: tuple[str, ...]
    weights: tuple[Weights, ...]
    together: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, the name of its picture for people, and the picture that boxes of its answer refer to."""

    name: str
    conversation: Conversation
    shown: Shown


def listener(options: LocalVlmOptions, family: Family) -> Understand:
    """The stage function; the model is loaded now."""
    who = f"understand.{family.name}"
    checkpoint = Checkpoint(options.model, options.revision, options.offline, family.weights)
    listen = stage(loaded(options, checkpoint, who, family.kinds), options, family)

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        credited(checkpoint, run)
        return listen(panorama, camera, run)

    return understand


def stage(model: LocalModel, options: LocalVlmOptions, family: Family) -> Understand:
    """The stage function of a model that is here already."""

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        del camera
        known = checked_sources(options.known_sources)
        pictures = views(
            panorama, count=options.views, side_px=options.side_px, panorama_width_px=options.panorama_width_px
        )
        thousandths = model.kind.startswith("qwen3")
        asked = questions(pictures, known, together=family.together, thousandths=thousandths)
        answer = joined(answers(model, asked, options, run))
        run.tell(1.0, told(list(answer.left_out)) or f"{len(answer.sources)} sources named")
        return to_soundings(answer, family.name, most=options.most, known_sources=known, leave_out=run.leave_out)

    return understand


def questions(
    pictures: Sequence[View], known: tuple[str, ...], *, together: bool, thousandths: bool
) -> tuple[Asked, ...]:
    """One question with all pictures, or one for each; the panorama is the first picture."""
    if together:
        parts: list[str | View] = [prompt(known)]
        for i, view in enumerate(pictures, 1):
            parts += [f"Picture {i}. {view.caption}", view]
        shown = replace(PANORAMA, thousandths=thousandths)
        return (Asked(WHOLE, (Turn("user", (*parts, _NOW)),), shown),)
    return tuple(
        Asked(
            f"view to {view.shown.azimuth_deg:.0f}°" if view.shown.is_view else WHOLE,
            (Turn("user", (view, prompt_each(view, known))),),
            replace(view.shown, thousandths=thousandths),
        )
        for view in pictures
    )


def answers(model: LocalModel, asked: Sequence[Asked], options: LocalVlmOptions, run: Run) -> list[tuple[str, Answer]]:
    """The answer to each question; those that cannot be read are asked for once more, with what is wrong.

    A picture that has no usable answer after that says nothing, and why.

    Raises:
        StageError: no picture has a usable answer, or the question is too long.
    """
    run.tell(0.0, f"asking about {len(asked)} picture{'s' * (len(asked) > 1)}")
    conversations = [one.conversation for one in asked]
    first = kept(
        model,
        conversations,
        options,
        lambda: replies(model, conversations, options, lambda x: run.tell(0.6 * x, "the answer")),
    )
    read = [_read(reply, one.shown, salvage=reply.cut) for reply, one in zip(first, asked, strict=True)]
    broken = [i for i, answer in enumerate(read) if isinstance(answer, str)]
    if broken:
        run.tell(0.6, f"{len(broken)} of {len(asked)} answers cannot be used ({read[broken[0]]}); asking once more")
        again = [_again(model, asked[i], first[i], str(read[i]), options) for i in broken]
        second = kept(
            model,
            again,
            options,
            lambda: replies(model, again, options, lambda x: run.tell(0.6 + 0.4 * x, "the answer, once more")),
        )
        for i, reply in zip(broken, second, strict=True):
            read[i] = _best(reply, first[i], asked[i].shown, str(read[i]))
    return _usable(asked, read, options.model)


def _read(reply: Reply, shown: Shown, *, salvage: bool) -> Answer | str:
    try:
        return parse(reply.text, salvage=salvage, shown=shown)
    except AnswerError as error:
        return f"{error}; it was cut off at max_new_tokens" if reply.cut else str(error)


def _again(model: LocalModel, one: Asked, reply: Reply, wrong: str, options: LocalVlmOptions) -> Conversation:
    """The conversation that asks to mend an answer; without the answer where the model has no room for it."""
    said = Turn("assistant", (reply.text[:SHOWN_AGAIN_CHARS],))
    whole = (*one.conversation, said, Turn("user", (mend(wrong),)))
    if fits(model, whole, options.max_new_tokens):
        return whole
    (question,) = one.conversation
    return (Turn(question.role, (*question.parts, mend(wrong))),)


def _best(second: Reply, first: Reply, shown: Shown, wrong: str) -> Answer | str:
    """The second answer, else what is whole of either."""
    mended = _read(second, shown, salvage=True)
    if isinstance(mended, Answer):
        return mended
    saved = _read(first, shown, salvage=True)
    return saved if isinstance(saved, Answer) else f"{wrong}; then: {mended}"


def _usable(asked: Sequence[Asked], read: Sequence[Answer | str], model: str) -> list[tuple[str, Answer]]:
    failed = [f"{one.name}: {why}" for one, why in zip(asked, read, strict=True) if isinstance(why, str)]
    if len(failed) == len(asked):
        raise StageError(f"{model} gave no usable answer, twice: {failed[0]}")
    return [
        (
            one.name,
            Answer(setting="unknown", sources=(), left_out=(plain(said, 200),)) if isinstance(said, str) else said,
        )
        for one, said in zip(asked, read, strict=True)
    ]
