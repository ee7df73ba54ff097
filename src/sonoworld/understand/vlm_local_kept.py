"""Answers of a model in this process, kept like those of servers: under a key of all that they depend on."""

import json
from collections.abc import Callable, Sequence
from typing import cast

from sonoworld.understand import vlm_cache
from sonoworld.understand.ask import Reply, View
from sonoworld.understand.vlm_local import LocalVlmOptions
from sonoworld.understand.vlm_local_net import Conversation, LocalModel


def kept(
    model: LocalModel,
    conversations: Sequence[Conversation],
    options: LocalVlmOptions,
    ask: Callable[[], list[Reply]],
) -> list[Reply]:
    """The replies kept for these conversations, else those of `ask`, which are kept.

    A model without an identity, and one whose options say so, is always asked.
    """
    if not options.cache or not model.identity:
        return ask()
    name = key(model.identity, conversations, options)
    known = _read(vlm_cache.stored(name), len(conversations))
    if known is not None:
        return known
    replies = ask()
    vlm_cache.store(name, options.model, json.dumps([[reply.text, reply.cut] for reply in replies]))
    return replies


def key(identity: str, conversations: Sequence[Conversation], options: LocalVlmOptions) -> str:
    """Of weights, device, dtype, batch, length of the answer, and every word and pixel shown."""
    said = [
        [turn.role, [vlm_cache.view_facts(part) if isinstance(part, View) else part for part in turn.parts]]
        for conversation in conversations
        for turn in conversation
    ]
    turns = [len(conversation) for conversation in conversations]
    return vlm_cache.key_of(["local", identity, options.batch, options.max_new_tokens, turns, said])


def _read(text: str | None, count: int) -> list[Reply] | None:
    """Replies out of a kept text; None unless it is what `kept` wrote."""
    try:
        found = cast("object", json.loads(text)) if text is not None else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(cast("list[object]", found)) != count:
        return None
    replies: list[Reply] = []
    for pair in cast("list[object]", found):
        match pair:
            case [str() as words, bool() as cut]:
                replies.append(Reply(words, cut))
            case _:
                return None
    return replies
