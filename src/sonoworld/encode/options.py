"""How sources become a sound field: the choices, and their plain meaning."""

from typing import Literal

from pydantic import Field, model_validator

from sonoworld.backend import Options


class EncodeOptions(Options):
    """Laws of level, distance and size between a source and the sound field at a listener's head."""

    order: int = Field(default=3, ge=0, le=10, description="Ambisonic order N, (N+1)² channels")
    mode: Literal["physical", "paper"] = Field(
        default="physical",
        description="paper: order 1, plain mean over an area, W-only ambience, exp(−αd)/d, gain 10^(level/20)",
    )
    alpha: float = Field(default=0.0, ge=0.0, le=10.0, description="absorption α of exp(−α(d−1))/d, nepers per m")
    air: Literal["none", "alpha", "iso9613"] = Field(
        default="alpha", description="alpha: α as given; iso9613: air at 20 °C, 50 % humidity; none: 1/d only"
    )
    area: Literal["clusters", "coherent"] = Field(
        default="clusters", description="clusters: areas seen wider than 30° are split into decorrelated parts"
    )
    delay: bool = Field(default=False, description="sound takes its time (and motion its Doppler shift)")
    near_field: bool = Field(default=False, description="bass of sources nearer than the loudspeakers of the HRTF")
    near_m: float = Field(default=0.1, gt=0.0, le=1.0, description="ε of d = √(|x|² + ε²), m: no level is infinite")

    @model_validator(mode="before")
    @classmethod
    def _paper_is_first_order(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("mode") == "paper":
            return {"order": 1, **given}
        return given

    @model_validator(mode="after")
    def _one_absorption(self) -> "EncodeOptions":
        if self.alpha != 0 and self.air != "alpha":
            raise ValueError(
                f"alpha = {self.alpha} needs air = 'alpha' (one absorption at a time), got air = {self.air!r}"
            )
        if self.mode == "paper" and self.air == "iso9613":
            raise ValueError("mode 'paper' knows only exp(−αd): expected air = 'alpha', got 'iso9613'")
        if self.mode == "paper" and self.order != 1:
            raise ValueError(f"mode 'paper' is order 1, got order = {self.order}")
        return self
