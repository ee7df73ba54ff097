"""From a panorama to what a model hears in it: pictures, question, answer (kept or new), soundings."""

from collections.abc import Sequence

from sonoworld.backend import Run, Understand
from sonoworld.types import Camera, Panorama, Sounding
from sonoworld.understand import vlm_cache
from sonoworld.understand.answer import Answer, AnswerError, parse, to_soundings, told
from sonoworld.understand.ask import View, checked_sources, prompt, views
from sonoworld.understand.vlm import VlmOptions
from sonoworld.understand.vlm_address import address
from sonoworld.understand.vlm_chat import answered, started
from sonoworld.understand.vlm_http import Patience

BACKEND = "vlm"


def listener(options: VlmOptions) -> Understand:
    """The stage function of `understand.vlm`."""

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        del camera
        known = checked_sources(options.known_sources)
        pictures = views(
            panorama, count=options.views, side_px=options.side_px, panorama_width_px=options.panorama_width_px
        )
        answer = _answer(options, prompt(known), pictures, run)
        run.tell(1.0, told(list(answer.left_out)) or f"{len(answer.sources)} sources named")
        return to_soundings(answer, BACKEND, most=options.most, known_sources=known, leave_out=run.leave_out)

    return understand


def _answer(options: VlmOptions, question: str, pictures: Sequence[View], run: Run) -> Answer:
    name = vlm_cache.key(options, question, pictures)
    if options.cache and (text := vlm_cache.stored(name)) is not None:
        try:
            answer = parse(text)
        except AnswerError as error:
            run.tell(0.0, f"a kept answer cannot be read any more ({error}); asking again")
        else:
            run.tell(0.9, "an answer kept from before")
            return answer
    server = address(options.base_url, options.key_env)
    run.tell(0.1, f"asking {options.model} at {server.host}: {len(pictures)} pictures")
    patience = Patience(options.timeout_s, options.retries, lambda note: run.tell(0.1, note))
    answer, text = answered(started(server, options, patience), question, pictures)
    if options.cache and (why := vlm_cache.store(name, options.model, text)):
        run.tell(0.9, why)
    return answer
