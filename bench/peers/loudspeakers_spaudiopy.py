"""Runs in spaudiopy's own environment: its AllRAD as a matrix for every layout. Arguments: given.npz made.npz.

Given: for every name in `names` the loudspeakers `at NAME` [s 3] and the imaginary ones to add by hand, `added NAME`.
Layouts with height are set up as in its manual: triangles that are too wide removed, one imaginary loudspeaker found
by itself and dropped. Flat layouts have no hull, which it needs: they get the added ones as if they were real, and what
these play is dropped here. The cube is closed and gets none.
"""

import sys

import numpy as np
from spaudiopy.decoder import LoudspeakerSetup, allrad

given = np.load(sys.argv[1], allow_pickle=False)
made = {}
for name in given["names"]:
    real, added = given[f"at {name}"], given[f"added {name}"]
    setup = LoudspeakerSetup(*np.concatenate([real, added]).T)
    if not len(added):
        setup.pop_triangles(normal_limit=85, aperture_limit=90, opening_limit=150)
    by_itself = not len(added) and name != "cube"
    setup.ambisonics_setup(update_hull=by_itself, characteristic_order=1)
    for order in given["orders"]:
        setup.characteristic_order = int(order)
        decoder = allrad(np.eye((order + 1) ** 2), setup, N_sph=int(order))
        made[f"{name} {order}"] = decoder[: len(real)]
np.savez(sys.argv[2], **made)
