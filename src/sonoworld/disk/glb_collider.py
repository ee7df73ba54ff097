"""Bare triangles as a GLB file, such as physics engines collide with.

Khronos, "glTF 2.0 Specification": y is up, metres, front faces counter-clockwise.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from sonoworld.disk.glb import write_glb
from sonoworld.frames import RUB_FROM_FLU

FLOAT, UINT32, ARRAY, INDICES = 5126, 5125, 34962, 34963


def write_glb_collider(path: Path, vertices: Float32[np.ndarray, "n 3"], faces: Int32[np.ndarray, "m 3"]) -> None:
    """Write triangles given in world axes; in the file ahead is −z, as for a glTF camera."""
    places = np.ascontiguousarray(vertices @ RUB_FROM_FLU.T.astype(np.float32), "<f4")
    corners = np.ascontiguousarray(faces.reshape(-1), "<u4")
    document = {
        "asset": {"version": "2.0", "generator": "sonoworld"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "collider"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": 4}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": FLOAT,
                "count": len(places),
                "type": "VEC3",
                "min": places.min(0).tolist(),
                "max": places.max(0).tolist(),
            },
            {"bufferView": 1, "componentType": UINT32, "count": len(corners), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": places.nbytes, "target": ARRAY},
            {"buffer": 0, "byteOffset": places.nbytes, "byteLength": corners.nbytes, "target": INDICES},
        ],
        "buffers": [{"byteLength": places.nbytes + corners.nbytes}],
    }
    write_glb(path, document, [places, corners])
