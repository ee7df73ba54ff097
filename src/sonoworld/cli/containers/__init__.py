"""What `sonoworld export` can write: one file here for each kind or family, and a line in `CONTAINERS`."""

from sonoworld.cli.containers.adm import ADM
from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.cli.containers.glb import GLB
from sonoworld.cli.containers.iamf import IAMF
from sonoworld.cli.containers.site import FOLDER, HTML
from sonoworld.cli.containers.splats import SPLAT_FILES
from sonoworld.cli.containers.usd import USD

CONTAINERS: dict[str, Container] = {one.name: one for one in (FOLDER, HTML, *SPLAT_FILES, GLB, USD, ADM, IAMF)}

__all__ = ["CONTAINERS", "Choices", "Container", "Written"]
