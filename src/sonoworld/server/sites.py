"""Worlds as the page shows them: exported when somebody enters, told anew once they sound otherwise."""

import hashlib
import shutil
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2

from sonoworld.disk import atomic, versions
from sonoworld.disk.arrays import read_image
from sonoworld.disk.room_file import ROOM_FILE, read_room
from sonoworld.disk.scene import load_lite, load_scene, load_sources
from sonoworld.disk.workspace import SCENE
from sonoworld.server.revoice import Files, files_of, revoice
from sonoworld.view.export import export_folder

MOST = 6
"""Exports kept at a time; the one that was entered longest ago goes."""

POSTER_WIDTH_PX = 640


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an export shows: the scene as made (its digest), the version of its sources, their sounds' files."""

    made: str
    version: int
    files: Files


class Sites:
    """Exports of scenes below a folder of their own; `ears` as in `export_folder`."""

    def __init__(self, cache: Path, ears: str = "kemar") -> None:
        self._cache = cache
        self._ears = ears
        self._shown: dict[Path, _Shown] = {}
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def site(self, scene: Path) -> Path:
        """The export of a scene as it sounds now.

        Raises:
            InputError: it is no scene, or a file of it cannot be read.
            BackendMissingError: the page was not built at install.
        """
        folder = self._folder(scene)
        with self._locks[scene]:
            made, version = as_made(scene) + _room_digest(scene), versions.head(scene)
            shown = self._shown.get(scene)
            if shown is None or shown.made != made:
                shown = self._exported(scene, folder, made, version)
            elif shown.version != version:
                shown = _Shown(made, version, revoice(folder, load_sources(scene), shown.files))
            self._shown.pop(scene, None)
            self._shown[scene] = shown
        for old in list(self._shown)[:-MOST]:
            del self._shown[old]
            shutil.rmtree(self._folder(old), ignore_errors=True)
        return folder

    def _exported(self, scene: Path, folder: Path, made: str, version: int) -> _Shown:
        whole = load_scene(scene)
        room = read_room(scene) if (scene / ROOM_FILE).is_file() else None
        lite, ears = load_lite(scene), self._ears
        export_folder(whole, folder, splats=lite, title=scene.name, ears=ears, room=room)
        return _Shown(made, version, files_of(folder, whole.sources))

    def entered(self, scene: Path) -> Path:
        """The export of a scene as somebody entered it last, without another look at how it sounds now."""
        return self._folder(scene) if scene in self._shown else self.site(scene)

    def poster(self, scene: Path) -> Path:
        """A folder with `poster.jpg`: the scene's photo, small."""
        folder = self._folder(scene).with_suffix(f".{as_made(scene)[:16]}")
        if not (folder / "poster.jpg").is_file():
            photo = cv2.cvtColor(read_image(scene / "photo.png"), cv2.COLOR_RGB2BGR)
            scale = min(1.0, POSTER_WIDTH_PX / photo.shape[1])
            small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
            atomic.write_bytes(folder / "poster.jpg", data.tobytes())
        return folder

    def _folder(self, scene: Path) -> Path:
        return self._cache / hashlib.sha256(str(scene).encode()).hexdigest()[:16]


def as_made(scene: Path) -> str:
    """Digest of a scene as it was made; edits do not change it."""
    return atomic.sha256(scene / SCENE)


def _room_digest(scene: Path) -> str:
    """Of what is heard of its room; "" without one."""
    return atomic.sha256(scene / ROOM_FILE) if (scene / ROOM_FILE).is_file() else ""
