"""Runs in spaudiopy's own environment: MagLS filters of the given responses. Arguments: given.npz made.npy."""

import sys

import numpy as np
import spaudiopy

given = np.load(sys.argv[1], allow_pickle=False)
x, y, z = given["directions"].T
left, right = given["taps"][:, 0], given["taps"][:, 1]
azimuth, zenith = np.arctan2(y, x), np.arccos(np.clip(z, -1, 1))
head = spaudiopy.sig.HRIRs(left, right, azimuth, zenith, int(given["rate_hz"]))
np.save(sys.argv[2], spaudiopy.decoder.magls_bin(head, int(given["order"])))
