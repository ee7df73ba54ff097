"""Small OpenEXR files by the reference implementation: python make_exr.py (pip install OpenEXR==3.5.3).

z[y, x] = 1.5 + x + 100 y, with infinity in the upper left corner; 37 lines, so that the last block is not full.
"""

from pathlib import Path

import numpy as np
import OpenEXR

HERE = Path(__file__).parent
HEIGHT, WIDTH = 37, 12


def main() -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    z = 1.5 + x + 100 * y
    z[0, 0] = np.inf
    rng = np.random.default_rng(0)
    for name, compression, channels in (
        ("zip", OpenEXR.ZIP_COMPRESSION, {"RGB": np.float16(x[..., None] * [1, 2, 3]), "ViewLayer.Depth.Z": z}),
        ("zips", OpenEXR.ZIPS_COMPRESSION, {"Y": np.float16(z[:, :, None])[..., 0]}),
        ("none", OpenEXR.NO_COMPRESSION, {"V": z}),
        ("noise", OpenEXR.ZIP_COMPRESSION, {"Z": rng.integers(0, 2**31, (HEIGHT, WIDTH)).astype(np.uint32)}),
        ("piz", OpenEXR.PIZ_COMPRESSION, {"Z": z}),
    ):
        header = {"compression": compression, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, channels).write(str(HERE / f"depth_{name}.exr"))


if __name__ == "__main__":
    main()
