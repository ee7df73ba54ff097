"""How much memory the weights in folders of one's own take, told by their files."""

from pathlib import Path

from sonoworld.backend import Options, Weights

KINDS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""Files of weights, the better kind first: a folder that holds them twice is read by the first."""

HALVED = "transformer"
"""The part of a diffusers folder that can be held in 8 bits."""

MOST_FILES = 10_000
GIGA = 1e9


def folder_weights(options: Options) -> tuple[Weights, ...]:
    """The folders and files that these options name as `model`, `*_model` or `lora`; sizes as stored, GB."""
    named = [
        value
        for name, value in options.model_dump().items()
        if (name in ("model", "lora") or name.endswith("_model")) and isinstance(value, str) and value
    ]
    places = [Path(name).expanduser() for name in named]
    return tuple(_measured(place) for place in places if place.exists())


def _measured(place: Path) -> Weights:
    parts = _parts(place)
    halves = {name: size / 2 if name == HALVED else size for name, size in parts.items()}
    return Weights(
        str(place),
        sum(parts.values()),
        "that of your files",
        "",
        largest_part_gb=max(parts.values(), default=0.0),
        largest_part_8bit_gb=max(halves.values(), default=0.0) if HALVED in parts else 0.0,
    )


def _parts(place: Path) -> dict[str, float]:
    """Folder -> GB; a folder with `model_index.json` is a pipeline, and what lies beside its parts is not loaded."""
    if place.is_file():
        return {"": place.stat().st_size / GIGA}
    files = [file for _, file in zip(range(MOST_FILES), sorted(place.rglob("*")), strict=False) if file.is_file()]
    parts: dict[str, float] = {}
    for folder in {file.parent for file in files}:
        if folder == place and (place / "model_index.json").is_file():
            continue
        sizes = {
            kind: sum(file.stat().st_size for file in files if file.parent == folder and file.suffix == kind)
            for kind in KINDS
        }
        size = next((size for size in sizes.values() if size), 0)
        if size:
            parts[folder.relative_to(place).as_posix()] = size / GIGA
    return parts
