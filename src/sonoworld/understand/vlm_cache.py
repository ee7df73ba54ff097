"""Answers kept in the user's cache folder, under a key of all that they depend on; the API key is not part of it."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from sonoworld.understand.answer import SCHEMA_VERSION
from sonoworld.understand.ask import View
from sonoworld.understand.vlm import VlmOptions

MAX_FILES = 2000
MAX_FILE_BYTES = 2**20


def folder() -> Path:
    """Where answers lie."""
    return platformdirs.user_cache_path("sonoworld") / "answers"


def key(options: VlmOptions, question: str, pictures: Sequence[View]) -> str:
    """Of pictures, captions, question, server, model and schema: what else could change an answer is not known here."""
    digests = [view_facts(view) for view in pictures]
    return key_of([options.base_url, options.model, options.structured, options.max_tokens, question, digests])


def view_facts(view: View) -> list[object]:
    """What identifies a picture: its caption, shape and pixels."""
    return [view.caption, list(view.rgb.shape), hashlib.sha256(view.rgb.tobytes()).hexdigest()]


def key_of(facts: list[object]) -> str:
    """A key of these facts and the schema of answers."""
    return hashlib.sha256(json.dumps([SCHEMA_VERSION, *facts]).encode()).hexdigest()


def stored(name: str) -> str | None:
    """The text kept under a key; None where there is none that can be read."""
    path = folder() / f"{name}.json"
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        text = json.loads(path.read_text("utf-8"))["text"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return text if isinstance(text, str) else None


def store(name: str, model: str, text: str) -> str:
    """Keep a text, whole or not at all, and let the oldest go; returns "" or why it could not be kept."""
    data = json.dumps({"model": model, "text": text}, ensure_ascii=False).encode()
    if len(data) > MAX_FILE_BYTES:
        return f"answers of more than {MAX_FILE_BYTES} bytes are not kept"
    path = folder() / f"{name}.json"
    temporary = path.with_name(f".{name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _forget_oldest(path.parent)
    except OSError as error:
        return f"the answer could not be kept in {path.parent} ({error.strerror})"
    return ""


def _forget_oldest(where: Path) -> None:
    files = sorted(where.glob("*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    for file in files[: max(0, len(files) - MAX_FILES)]:
        file.unlink(missing_ok=True)
