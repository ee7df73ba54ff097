"""The conversation: pictures and question out, text back; in the strictest form that the server takes."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from jaxtyping import UInt8

from sonoworld.errors import StageError
from sonoworld.understand.answer import Answer, AnswerError, asked_schema, parse
from sonoworld.understand.answer_clean import plain
from sonoworld.understand.ask import SHOWN_AGAIN_CHARS, Reply, View, mend
from sonoworld.understand.vlm import VlmOptions
from sonoworld.understand.vlm_address import Address
from sonoworld.understand.vlm_http import Patience, RefusedRequestError, post

JPEG_QUALITY = 88
MAX_JPEG_BYTES = 4 * 2**20
FORMS = ("json_schema", "json_object", "none")
Message = dict[str, object]


@dataclass(slots=True)
class Chat:
    """A server and how it is talked to; `form` is what it took last."""

    address: Address
    options: VlmOptions
    patience: Patience
    form: str

    def ask(self, messages: Sequence[Message]) -> Reply:
        """One answer; forms that the server refuses are left for plainer ones where `structured` is auto."""
        while True:
            try:
                return _reply(post(self.address, self._body(messages), self.patience))
            except RefusedRequestError as error:
                plainer = FORMS[FORMS.index(self.form) + 1 :]
                if self.options.structured != "auto" or not plainer:
                    raise
                self.patience.tell(f"{error}; asking again with structured={plainer[0]}")
                self.form = plainer[0]

    def _body(self, messages: Sequence[Message]) -> dict[str, object]:
        body: dict[str, object] = {"model": self.options.model, "messages": list(messages)}
        if self.address.openai:  # its reasoning models refuse max_tokens and any temperature
            body["max_completion_tokens"] = self.options.max_tokens
        else:
            body |= {"max_tokens": self.options.max_tokens, "temperature": 0, "seed": 0}
        if self.form == "json_schema":
            schema = {"name": "sounds", "strict": True, "schema": asked_schema()}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.form == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body


def started(address: Address, options: VlmOptions, patience: Patience) -> Chat:
    """A chat that begins with the strictest form allowed."""
    return Chat(address, options, patience, FORMS[0] if options.structured == "auto" else options.structured)


def answered(chat: Chat, question: str, pictures: Sequence[View]) -> tuple[Answer, str]:
    """The answer and its text; one that cannot be read is sent back once with what is wrong.

    Raises:
        StageError: the server failed, the model refused, or both answers cannot be used.
    """
    messages = [_question(question, pictures)]
    first = chat.ask(messages)
    try:
        return parse(first.text, salvage=first.cut), first.text
    except AnswerError as error:
        if first.cut:
            raise StageError(f"the answer was cut off at max_tokens={chat.options.max_tokens}: {error}") from error
        wrong = str(error)
    chat.patience.tell(f"the answer cannot be used ({wrong}); asking once more")
    messages += [_text("assistant", first.text[:SHOWN_AGAIN_CHARS]), _text("user", mend(wrong))]
    second = chat.ask(messages)
    try:
        return _beside(f"the first answer: {wrong}", parse(second.text)), second.text
    except AnswerError as error:
        again = str(error)
    try:
        return _beside(f"the second answer: {again}", parse(first.text)), first.text
    except AnswerError:
        wrong = f"{wrong}; then: {again}"
    raise StageError(f"{chat.options.model} at {chat.address.host} gave no usable answer, twice: {wrong}")


def _beside(refused: str, answer: Answer) -> Answer:
    """An answer that says, too, which other one was not used."""
    return answer.model_copy(update={"left_out": (refused, *answer.left_out)})


def jpeg_url(rgb: UInt8[np.ndarray, "h w 3"]) -> str:
    """A picture as a data URL."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done or data.size > MAX_JPEG_BYTES:
        raise StageError(f"a picture of {rgb.shape[1]}×{rgb.shape[0]} px takes more than {MAX_JPEG_BYTES} bytes")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def _question(question: str, pictures: Sequence[View]) -> Message:
    parts: list[object] = [{"type": "text", "text": question}]
    for i, view in enumerate(pictures, 1):
        parts.append({"type": "text", "text": f"Picture {i}. {view.caption}"})
        parts.append({"type": "image_url", "image_url": {"url": jpeg_url(view.rgb), "detail": "high"}})
    return {"role": "user", "content": parts}


def _text(role: str, text: str) -> Message:
    return {"role": role, "content": text}


def _reply(answer: dict[str, object]) -> Reply:
    """The text of the first choice.

    Raises:
        StageError: the model refused, was stopped by a filter, or said nothing.
    """
    try:
        choice = cast("list[dict[str, object]]", answer["choices"])[0]
        message = cast("dict[str, object]", choice["message"])
        refusal, content = message.get("refusal"), message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise StageError("the server's answer has no choices with a message: is it OpenAI-compatible?") from None
    if refusal:
        raise StageError(f"the model refused: {plain(str(refusal), 200)}")
    if choice.get("finish_reason") == "content_filter":
        raise StageError("the server's content filter stopped the answer: try another photo or model")
    text = content if isinstance(content, str) else _joined(content)
    cut = choice.get("finish_reason") == "length"
    if not text.strip() and cut:
        raise StageError("the model used all its tokens before it answered: raise max_tokens")
    return Reply(text, cut)


def _joined(content: object) -> str:
    """Text of an answer that comes in parts."""
    parts = cast("list[object]", content) if isinstance(content, list) else []
    texts = [cast("dict[str, object]", part).get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))
