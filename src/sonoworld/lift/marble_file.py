"""`lift.marble_file`: a world made by World Labs' Marble from this panorama, as downloaded.

Its splats lie in OpenCV's axes (x right, y down, z ahead) around the panorama's eye, in units of their own. World Labs
docs, "Rendering Marble SPZ files": `metric_scale_factor` is metres per unit; the ground plane then lies at
y = `ground_plane_offset`, below the eye.
"""

from pydantic import Field, model_validator

from sonoworld.backend import Backend, Lift, Options
from sonoworld.errors import InputError
from sonoworld.frames import world_from_axes


class MarbleFileOptions(Options):
    """Which files, and what they do not say."""

    path: str = Field(min_length=1, description="the splats: .spz or .ply (also .sog, .splat, .glb)")
    metadata: str | None = Field(
        None, description="the world's JSON with metric_scale_factor and ground_plane_offset, as the API gives it"
    )
    metric_scale_factor: float | None = Field(
        None, gt=0, lt=1e6, description="metres per unit of the file, where there is no metadata"
    )
    ground_plane_offset: float | None = Field(
        None, gt=-1e4, lt=1e4, description="where the ground lies along the file's y, m, where there is no metadata"
    )
    camera_height_m: float | None = Field(
        None, gt=0.1, le=100, description="eye over the ground, m: sets the scale where nothing else does"
    )
    axes: str = Field(
        "RDF", description="where x, y and z of the file point: F B L R U D (ahead back left right up down)"
    )
    yaw_deg: float = Field(0.0, ge=-360, le=360, description="turn the world to the left until it fits the panorama")
    sky_radius_m: float = Field(200.0, ge=20, le=5000, description="what is farther, or open above, is sky")
    max_splats: int = Field(5_000_000, ge=1, le=20_000_000, description="refuse files with more")

    @model_validator(mode="after")
    def _one_scale(self) -> "MarbleFileOptions":
        by_hand = self.metric_scale_factor is not None or self.ground_plane_offset is not None
        ways = [self.metadata is not None, by_hand, self.camera_height_m is not None]
        if sum(ways) > 1:
            raise ValueError(
                "expected one of metadata, metric_scale_factor (with ground_plane_offset), camera_height_m"
            )
        try:
            world_from_axes(self.axes)
        except InputError as error:
            raise ValueError(str(error)) from error
        return self


def _make(options: MarbleFileOptions) -> Lift:
    from sonoworld.lift.marble_world import marble_world  # noqa: PLC0415  numba takes its time to import

    return marble_world(options)


MARBLE_FILE = Backend(
    stage="lift",
    name="marble_file",
    version="1",
    summary="a world downloaded from World Labs' Marble (SPZ or PLY), in metres, with its ground",
    options=MarbleFileOptions,
    make=_make,
    files=lambda options: (options.path, *(() if options.metadata is None else (options.metadata,))),
)
