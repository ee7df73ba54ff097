"""What a vision-language model says about the sounds of a place, for every backend that asks one.

    answer = parse(text)                       # text of a model -> Answer; AnswerError names what is wrong
    soundings = to_soundings(answer, "vlm")    # Answer -> soundings: plausible, each once, with ambience

`ask.py` holds the question. The work is done in `answer_text` (JSON out of prose), `answer_clean` (safe words),
`answer_parse` (one source at a time) and `answer_soundings` (sense).
"""

from sonoworld.understand.answer_parse import parse
from sonoworld.understand.answer_schema import SCHEMA_VERSION, Answer, AnswerError, Said, asked_schema
from sonoworld.understand.answer_soundings import to_soundings, told

__all__ = ["SCHEMA_VERSION", "Answer", "AnswerError", "Said", "asked_schema", "parse", "to_soundings", "told"]
