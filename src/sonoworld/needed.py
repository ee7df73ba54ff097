"""Which weights a backend needs with the options it has."""

from pathlib import Path

from sonoworld.backend import Backend, Options, Weights

UNKNOWN = "unknown"


def needed_weights(spec: Backend, options: Options) -> tuple[Weights, ...]:
    """Weights to be had before the backend runs with these options.

    As the backend itself says (`weights_for`); otherwise those that its options `model` and `*_model` name. An id that
    the backend does not know has size 0 and the licence `UNKNOWN`. Local folders and files need nothing.
    """
    if spec.weights_for is not None:
        return spec.weights_for(options)
    named = [
        value
        for name, value in options.model_dump().items()
        if (name == "model" or name.endswith("_model")) and isinstance(value, str) and value
    ]
    known = {weights.model: weights for weights in spec.weights}
    ids = [name for name in named if name in known or _is_hub_id(name)]
    if spec.weights and not ids and not any(Path(name).expanduser().exists() for name in named):
        return spec.weights[:1]
    return tuple(known.get(name) or Weights(name, 0.0, UNKNOWN, f"hf download {name}") for name in ids)


def _is_hub_id(name: str) -> bool:
    path = Path(name).expanduser()
    return name.count("/") == 1 and not name.startswith((".", "~", "/")) and not path.exists()
