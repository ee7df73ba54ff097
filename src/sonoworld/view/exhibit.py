"""What an export shows, and how much of it."""

from dataclasses import dataclass, field
from pathlib import Path

from sonoworld.encode.options import EncodeOptions
from sonoworld.render.walk_audio import FittedRoom
from sonoworld.types import Scene, Splats
from sonoworld.view.document import CreditsPart
from sonoworld.view.export_sound import Coding


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A world as it is shown.

    Attributes:
        scene: Its photo, ground and sources.
        pictures: Its splats, the finest first; a phone takes one that it can hold.
        title: Shown in the page.
        laws: How sound fades and how areas sound.
        ears: Worn first: "kemar", "sphere" or the path of a SOFA file.
        room: What is heard of the place; None: the free field.
        sound: How clips are stored.
        credits: Whose work it is.
    """

    scene: Scene
    pictures: tuple[Splats, ...]
    title: str = "A world to hear"
    laws: EncodeOptions = field(default_factory=EncodeOptions)
    ears: str | Path = "kemar"
    room: FittedRoom | None = None
    sound: Coding = "flac"
    credits: CreditsPart = field(default_factory=CreditsPart)
