"""GeoCalib's answer as a camera.

Letters: u world's up in camera axes (x right, y down, z ahead), which GeoCalib calls gravity; h, v horizontal and
vertical field of view: tan(h/2) = (width/height) tan(v/2), so dh = (width/height) cos²(h/2)/cos²(v/2) dv.
Pitch and roll are those of `world_from_camera_rotation`, whose last row is u = (−cos p sin r, −cos p cos r, sin p); so
are GeoCalib's (`Gravity.from_rp`).
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from sonoworld.backend import Calibrate, Run
from sonoworld.calibrate.camera import camera_from_angles, fov_from_focal, require_perspective
from sonoworld.calibrate.geocalib import GEOCALIB, HOW, NAMED, GeocalibOptions
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.types import Camera, CameraSigma, Photo
from sonoworld.weights import chosen_device, library

WHO = "calibrate.geocalib"
FLOOR_DEG = {"fov": 4.0, "pitch": 1.5, "roll": 0.6}
"""Its covariance takes pixels for independent and the net for right, so it is far too sure; this is added (in squares).
Assumed, of the size of the errors that its authors report on photos that it was not trained on."""


def calibrator(options: GeocalibOptions) -> Calibrate:
    """The stage function of `calibrate.geocalib`; the model is loaded now."""
    net = loaded(options)

    def calibrate(photo: Photo, run: Run) -> Camera:
        require_perspective(photo)
        torch = library("torch")
        run.tell(0.0, "GeoCalib")
        device = next(net.parameters()).device
        picture = torch.from_numpy(photo.rgb.copy()).to(device).permute(2, 0, 1) / 255
        known = photo.focal_px if options.trust_file else None
        priors = {} if known is None else {"focal": torch.tensor(float(known), device=device)}
        return camera(photo, net.calibrate(picture, camera_model=options.lens, priors=priors), known)

    return calibrate


def camera(photo: Photo, said: Mapping[str, Any], known_focal_px: float | None) -> Camera:
    """The camera of what GeoCalib returned.

    Raises:
        StageError: it says something that is no camera.
    """
    width, height = photo.size_px
    focal = known_focal_px or _number(said["camera"].f.reshape(-1)[0])
    up = said["gravity"].vec3d.reshape(3).double().cpu().numpy()
    pitch_sd, roll_sd, v_sd = (_number(said[f"{k}_uncertainty"].reshape(-1)[0]) for k in ("pitch", "roll", "vfov"))
    if not (np.isfinite([focal, pitch_sd, roll_sd, v_sd, *up]).all() and focal > 0):
        raise StageError("GeoCalib finds no camera that fits: name another calibration, or the angles yourself")
    fov, v = fov_from_focal(focal, width), fov_from_focal(focal, height)
    pitch, roll = angles(up)
    h_sd = math.sqrt(2) * v_sd * width / height * (math.cos(fov / 2) / math.cos(v / 2)) ** 2  # it halves the variance
    sigma = CameraSigma(
        fov=0.0 if known_focal_px else _with_floor(h_sd, "fov"),
        pitch=_with_floor(pitch_sd, "pitch"),
        roll=_with_floor(roll_sd, "roll"),
    )
    return camera_from_angles(photo, fov, pitch, roll, sigma)


def angles(up: Float64[np.ndarray, "3"]) -> tuple[float, float]:
    """Pitch (up +) and roll (right side dips +), rad, of a camera that sees the world's up there (any length)."""
    x, y, z = up / np.linalg.norm(up)
    return math.asin(float(np.clip(z, -1, 1))), math.atan2(-x, -y)


def _number(value: Any) -> float:
    return float(value.double().cpu())


def _with_floor(sd: float, angle: str) -> float:
    return math.hypot(sd, math.radians(FLOOR_DEG[angle]))


def loaded(options: GeocalibOptions) -> Any:
    """The model of these options.

    Raises:
        BackendMissingError: package, weights or device are not here, or the weights are of another model.
    """
    try:
        package = library("geocalib")
    except BackendMissingError as error:
        raise BackendMissingError(f"{WHO}: {str(error).split(': pip install')[0]}\n{HOW}") from error
    device = chosen_device(options.device)
    file = _file(options)
    try:
        net = package.GeoCalib(weights=str(file) if file.is_file() else options.model)
    except Exception as error:  # torch, zip and network errors of all kinds
        raise BackendMissingError(_advice(options, f"{type(error).__name__}: {str(error)[:200]}")) from error
    _require_complete(net, _file(options), options)
    return net.to(device).eval()


def _file(options: GeocalibOptions) -> Path:
    """Where its weights are, or will be after the package has fetched them."""
    named = options.model in NAMED
    kept = Path(library("torch").hub.get_dir()) / "geocalib" / f"{options.model}.tar"
    file = kept if named else Path(options.model).expanduser()
    if not file.is_file() and (options.offline or not named):
        where = "not kept by torch.hub, and offline = true" if named else "no such file"
        raise BackendMissingError(_advice(options, where))
    return file


def _require_complete(net: Any, file: Path, options: GeocalibOptions) -> None:
    """Its own loader only logs what a file lacks."""
    saved: Any = library("torch").load(file, map_location="cpu", weights_only=True)["model"]
    wanted = {name for name, _ in net.model.named_parameters()}
    have = set(saved)
    if not wanted & have:  # a file of its training code has one more level of names, which its loader takes off
        have = {".".join(name.split(".")[:1] + name.split(".")[2:]) for name in have}
    if lacking := sorted(wanted - have):
        raise BackendMissingError(_advice(options, f"it lacks {len(lacking)} of {len(wanted)} tensors: {lacking[0]}"))


def _advice(options: GeocalibOptions, reason: str) -> str:
    command = next((w.command for w in GEOCALIB.weights if w.model == options.model), "")
    get = f"\n  {command}" if command else f"\n  expected {', '.join(NAMED)}, or a file of weights"
    return f"{WHO}: the weights {options.model!r} cannot be loaded: {reason}{get}"
