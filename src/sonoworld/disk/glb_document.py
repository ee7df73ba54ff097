"""The parts of a glTF 2.0 document that are read here, as types: what is missing or of another kind is an error.

Khronos, "glTF 2.0 Specification", section 5. Names are those of the format in our spelling.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_Index = Annotated[int, Field(ge=0)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Accessor(_Part):
    """How numbers lie in a buffer view."""

    buffer_view: _Index | None = None
    byte_offset: _Index = 0
    component_type: int
    count: Annotated[int, Field(ge=1)]
    type: str
    normalized: bool = False
    sparse: object = None


class BufferView(_Part):
    """A stretch of the block."""

    buffer: _Index
    byte_offset: _Index = 0
    byte_length: Annotated[int, Field(ge=1)]
    byte_stride: Annotated[int, Field(ge=4, le=252)] | None = None


class Primitive(_Part):
    """What one draw call shows: attributes by name, each an accessor."""

    attributes: dict[str, _Index]
    indices: _Index | None = None
    material: _Index | None = None
    mode: Annotated[int, Field(ge=0, le=6)] = 4
    extensions: dict[str, Any] = Field(default_factory=dict)


class Mesh(_Part):
    """Primitives shown together."""

    primitives: list[Primitive]


class Node(_Part):
    """A mesh and children in a place of their own."""

    mesh: _Index | None = None
    children: list[_Index] = Field(default_factory=list)
    matrix: Annotated[list[_Number], Field(min_length=16, max_length=16)] | None = None
    translation: Annotated[list[_Number], Field(min_length=3, max_length=3)] = [0.0, 0.0, 0.0]
    rotation: Annotated[list[_Number], Field(min_length=4, max_length=4)] = [0.0, 0.0, 0.0, 1.0]
    scale: Annotated[list[_Number], Field(min_length=3, max_length=3)] = [1.0, 1.0, 1.0]


class Scene(_Part):
    """Root nodes."""

    nodes: list[_Index] = Field(default_factory=list)


class TextureRef(_Part):
    """Which texture, by which coordinates."""

    index: _Index
    tex_coord: _Index = 0


class Roughness(_Part):
    """Colour of a material, linear."""

    base_color_factor: Annotated[list[_Number], Field(min_length=4, max_length=4)] = [1.0, 1.0, 1.0, 1.0]
    base_color_texture: TextureRef | None = None


class Material(_Part):
    """Only its colour."""

    pbr_metallic_roughness: Roughness = Roughness()


class Texture(_Part):
    """Which image."""

    source: _Index | None = None
    extensions: dict[str, Any] = Field(default_factory=dict)


class ImageRef(_Part):
    """Where an image's file lies."""

    buffer_view: _Index | None = None


class Asset(_Part):
    """The format's version."""

    version: Annotated[str, Field(pattern=r"^2\.")]


class Document(_Part):
    """The parts of a glTF document that are read here."""

    asset: Asset
    extensions_required: list[str] = Field(default_factory=list)
    accessors: list[Accessor] = Field(default_factory=list)
    buffer_views: list[BufferView] = Field(default_factory=list)
    meshes: list[Mesh] = Field(default_factory=list)
    nodes: list[Node] = Field(default_factory=list)
    scenes: list[Scene] = Field(default_factory=list)
    scene: _Index = 0
    materials: list[Material] = Field(default_factory=list)
    textures: list[Texture] = Field(default_factory=list)
    images: list[ImageRef] = Field(default_factory=list)
