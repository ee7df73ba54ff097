"""Options that all generative sound backends share."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Weights, weights_of
from sonoworld.perceive.clap import GENERAL as DEFAULT_CLAP
from sonoworld.perceive.clap import WEIGHTS as CLAP_WEIGHTS
from sonoworld.weights import ModelOptions


class GenerativeOptions(ModelOptions):
    """How many clips are made, how long, and who chooses."""

    seconds: float = Field(
        default=8.0, ge=2, le=30, description="length of every loop, s, about; 1.5 more are made, for the join"
    )
    candidates: int = Field(default=3, ge=1, le=16, description="clips made for every source, of which one stays")
    batch: int = Field(default=12, ge=1, le=256, description="clips made at once, over sources and candidates")
    rank: Literal["clap", "none"] = Field(
        default="clap", description="who chooses: clap (likeness to the prompt), or none: the first"
    )
    rank_model: str = Field(default=DEFAULT_CLAP, description="CLAP: model id on the hub, or a local folder")
    rank_revision: str | None = Field(default=None, description="commit, tag or branch of the CLAP model")
    dereverberate: bool = Field(
        default=False, description="reduce the room that the model imagined around a sound (extra dry: nara-wpe)"
    )

    @property
    def ranks(self) -> bool:
        """Whether there is something to choose, and CLAP chooses."""
        return self.rank == "clap" and self.candidates > 1


def judge_weights(options: GenerativeOptions) -> tuple[Weights, ...]:
    """CLAP, if it is asked."""
    return weights_of(CLAP_WEIGHTS, options.rank_model) if options.ranks else ()
