"""`lift.mesh_file`: a world of triangle meshes around the panorama's eye, such as HunyuanWorld's layers."""

from pydantic import Field, model_validator

from sonoworld.backend import Backend, Lift, Options
from sonoworld.errors import InputError
from sonoworld.frames import world_from_axes


class MeshFileOptions(Options):
    """Which files, their axes and scale, and how they become splats."""

    paths: tuple[str, ...] = Field(
        min_length=1,
        max_length=64,
        description="meshes shown together: .ply, .glb or .obj, such as HunyuanWorld's layers",
    )
    axes: str | None = Field(
        None,
        description="where x, y and z of the files point: F B L R U D (ahead back left right up down); default BRU for "
        ".ply, as HunyuanWorld has them, and RUB for .glb and .obj",
    )
    yaw_deg: float = Field(0.0, ge=-360, le=360, description="turn the world to the left until it fits the panorama")
    metres_per_unit: float | None = Field(None, gt=0, lt=1e6, description="scale of the files, where it is known")
    camera_height_m: float | None = Field(
        None, gt=0.1, le=100, description="eye over the ground, m: sets the scale where it is not known"
    )
    size: float = Field(0.75, gt=0.2, le=2, description="sigma of a splat over its spacing")
    opacity: float = Field(0.99, gt=0.5, lt=1, description="opacity of every splat")
    sky_radius_m: float = Field(200.0, ge=20, le=5000, description="what is farther, or open above, is sky")
    max_splats: int = Field(2_000_000, ge=1000, le=20_000_000, description="at most about so many, then they grow")

    @model_validator(mode="after")
    def _one_scale_and_real_axes(self) -> "MeshFileOptions":
        if self.metres_per_unit is not None and self.camera_height_m is not None:
            raise ValueError("expected one of metres_per_unit and camera_height_m, got both")
        if self.axes is not None:
            try:
                world_from_axes(self.axes)
            except InputError as error:
                raise ValueError(str(error)) from error
        return self


def _make(options: MeshFileOptions) -> Lift:
    from sonoworld.lift.mesh_world import mesh_world  # noqa: PLC0415  numba takes its time to import

    return mesh_world(options)


MESH_FILE = Backend(
    stage="lift",
    name="mesh_file",
    version="1",
    summary="a world of coloured or textured triangles (HunyuanWorld's layers, any PLY, GLB or OBJ) as splats",
    options=MeshFileOptions,
    make=_make,
    files=lambda options: options.paths,
)
