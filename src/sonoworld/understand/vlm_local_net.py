"""A vision-language model in transformers: loaded once; conversations in, text out; greedy, so as to be repeatable."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from PIL import Image

from sonoworld.errors import BackendMissingError, StageError
from sonoworld.understand.ask import Reply, View
from sonoworld.understand.vlm_local import FOR_FOUR_BIT, LocalVlmOptions
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, fingerprint, library, loading

TELL_EVERY_TOKENS = 16


class Turn(NamedTuple):
    """What one side says: text and pictures, in the order in which they stand."""

    role: str
    parts: tuple[str | View, ...]


Conversation = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A net and its processor; `context` is how many tokens question and answer may have together.

    `identity` tells its weights, and how they are computed with, from all others; "" where that is not known.
    """

    net: Any
    processor: Any
    context: int
    identity: str = ""

    @property
    def kind(self) -> str:
        """Its architecture, as its configuration names it."""
        return str(self.net.config.model_type)


def loaded(options: LocalVlmOptions, checkpoint: Checkpoint, who: str, kinds: Sequence[str]) -> LocalModel:
    """The model of a checkpoint, of one of these architectures, on its device.

    Raises:
        BackendMissingError: packages, device or checkpoint are missing or do not fit.
    """
    transformers = library("transformers")
    library("accelerate")
    if options.four_bit:
        _require_four_bit(who)
    device = chosen_device(options.device)
    with loading(checkpoint, who):
        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        config = transformers.AutoConfig.from_pretrained(checkpoint.place, **where)
        if config.model_type not in kinds:
            raise ValueError(f"it is a {config.model_type}, expected {' or '.join(kinds)}")
        processor = transformers.AutoProcessor.from_pretrained(checkpoint.place, **where)
        dtype = chosen_dtype(options.dtype, device, on_gpu="bfloat16")
        four_bit = _four_bit(transformers, dtype) if options.four_bit else None
        pair: Any = transformers.AutoModelForImageTextToText.from_pretrained(
            checkpoint.place,
            dtype=dtype,
            device_map={"": device},
            quantization_config=four_bit,
            output_loading_info=True,
            **where,
        )
        identity = fingerprint(checkpoint)
        how = f"{identity}, {device}, {dtype}, 4 bits: {options.four_bit}" if identity else ""
        return replace(ready(complete(pair, checkpoint, who), processor), identity=how)


def ready(net: Any, processor: Any) -> LocalModel:
    """A net and its processor, set to ask in batches: questions end together, at the right."""
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LocalModel(net.eval(), processor, int(net.config.get_text_config().max_position_embeddings))


def replies(
    model: LocalModel,
    conversations: Sequence[Conversation],
    options: LocalVlmOptions,
    tell: Callable[[float], None],
) -> list[Reply]:
    """What the model says to each, `options.batch` at a time. `tell` gets the done share; it may raise to interrupt.

    Raises:
        StageError: a question leaves no room for `max_new_tokens`.
    """
    said: list[Reply] = []
    for some in _chunks(conversations, options.batch):
        inputs = encoded(model, some)
        _require_room(model, inputs, options.max_new_tokens)
        start = len(said) / len(conversations)
        share = len(some) / len(conversations)
        said += _generated(model, inputs, options.max_new_tokens, lambda x, a=start, b=share: tell(a + b * x))
    return said


def encoded(model: LocalModel, conversations: Sequence[Conversation]) -> Any:
    """Tokens and pixels of a batch, on the net's device and in its dtype."""
    texts: list[str] = model.processor.apply_chat_template(
        [[_message(turn) for turn in conversation] for conversation in conversations], add_generation_prompt=True
    )
    pictures = [
        [Image.fromarray(part.rgb) for turn in conversation for part in turn.parts if isinstance(part, View)]
        for conversation in conversations
    ]
    begin = model.processor.tokenizer.bos_token
    inputs = model.processor(
        text=texts,
        images=pictures if any(pictures) else None,
        padding=True,
        return_tensors="pt",
        add_special_tokens=not (begin and texts[0].startswith(begin)),  # some templates write it themselves
    )
    return inputs.to(model.net.device, model.net.dtype)


def fits(model: LocalModel, conversation: Conversation, max_new_tokens: int) -> bool:
    """Whether an answer of this length has room after it."""
    return int(encoded(model, [conversation])["input_ids"].shape[1]) + max_new_tokens <= model.context


def _chunks(conversations: Sequence[Conversation], size: int) -> Iterator[Sequence[Conversation]]:
    return (conversations[i : i + size] for i in range(0, len(conversations), size))


def _message(turn: Turn) -> dict[str, object]:
    content: list[dict[str, object]] = [
        {"type": "image"} if isinstance(part, View) else {"type": "text", "text": _no_marks(part)}
        for part in turn.parts
    ]
    return {"role": turn.role, "content": content}


def _no_marks(text: str) -> str:
    """Text without the signs of special tokens such as <image>: broken answers are shown to the model again."""
    return text.replace("<", "(").replace(">", ")")


def _require_room(model: LocalModel, inputs: Any, max_new_tokens: int) -> None:
    asked = int(inputs["attention_mask"].sum(1).max())
    if asked + max_new_tokens > model.context:
        raise StageError(
            f"question and pictures take {asked} tokens and the answer up to {max_new_tokens}, more than the model's "
            f"{model.context}: lower max_new_tokens, views, side_px or panorama_width_px"
        )


def _generated(model: LocalModel, inputs: Any, max_new_tokens: int, tell: Callable[[float], None]) -> list[Reply]:
    torch = library("torch")
    transformers = library("transformers")
    ends = _ends(model)
    asked = int(inputs["input_ids"].shape[1])

    def watch(input_ids: Any, scores: Any) -> Any:
        del scores
        done = int(input_ids.shape[1]) - asked
        if done % TELL_EVERY_TOKENS == 1:
            tell(min(1.0, done / max_new_tokens))
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    how = transformers.GenerationConfig(
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,  # JSON repeats its names
        max_new_tokens=max_new_tokens,
        eos_token_id=ends or None,
        pad_token_id=model.processor.tokenizer.pad_token_id,
    )
    with torch.inference_mode():
        tokens = model.net.generate(**inputs, generation_config=how, stopping_criteria=[watch])
    new = tokens[:, asked:].tolist()
    texts = model.processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    return [Reply(text, not set(row) & set(ends)) for text, row in zip(texts, new, strict=True)]


def _ends(model: LocalModel) -> list[int]:
    """Tokens that end an answer."""
    ends = model.net.generation_config.eos_token_id
    if ends is None:
        ends = model.processor.tokenizer.eos_token_id
    return list(ends) if isinstance(ends, list | tuple) else [] if ends is None else [int(ends)]


def _require_four_bit(who: str) -> None:
    try:
        library(FOR_FOUR_BIT)
    except BackendMissingError as error:
        raise BackendMissingError(f"{who}: four_bit needs one more package: pip install {FOR_FOUR_BIT}") from error


def _four_bit(transformers: Any, dtype: Any) -> Any:
    """NF4 with doubly quantised scales (QLoRA, arXiv:2305.14314); what sees keeps its 16 bits, it is small."""
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=["lm_head", "model.vision_tower", "model.multi_modal_projector", "model.visual"],
    )
