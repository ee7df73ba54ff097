"""Photos in a row, each made a world by a process of its own, one at a time; cancelled, resumed, retried."""

import contextlib
import json
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from sonoworld.disk.workspace import SCENE
from sonoworld.errors import InputError
from sonoworld.server.job import JOBS, Job, forget, keep, photo_of, remembered
from sonoworld.server.worlds import free_name

MOST_WAITING = 20
MOST_DONE = 20
LOG = "making.log"
MAKER = (sys.executable, "-m", "sonoworld.server.making")


class Jobs:
    """The row of one folder. Every change raises `revision`."""

    def __init__(self, folder: Path, recipe: str, settings: tuple[str, ...], maker: tuple[str, ...] = MAKER) -> None:
        self._folder, self._recipe, self._settings, self._maker = folder, recipe, settings, maker
        self._jobs = remembered(folder)
        self._changed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._running: Job | None = None
        self._closed = False
        self.revision = 0
        self._thread = threading.Thread(target=self._work, name="sonoworld-jobs", daemon=True)
        self._thread.start()

    def shown(self) -> list[dict[str, object]]:
        """All jobs as the page is told, oldest first."""
        with self._changed:
            return [job.shown() for job in self._jobs]

    def upload_folder(self) -> Path:
        """A new folder for a photo that is coming in."""
        return self._folder / JOBS / secrets.token_hex(8)

    def require_room(self) -> None:
        """Raise `InputError` if too many photos are waiting already."""
        with self._changed:
            if sum(job.state in ("waiting", "running") for job in self._jobs) >= MOST_WAITING:
                raise InputError(f"{MOST_WAITING} photos are waiting already; drop this one again later")

    def add(self, upload: Path, name: str) -> Job:
        """Queue the photo that lies in an `upload_folder`, under the name of its file."""
        with self._changed:
            taken = [job.world for job in self._jobs if job.state != "done"]
            number = max((job.number for job in self._jobs), default=0) + 1
            job = Job(upload.name, number, name, free_name(self._folder, name, taken))
            keep(self._folder, job)
            self._jobs.append(job)
            self._tell()
        return job

    def drop(self, id_: str) -> None:
        """Cancel a job, or dismiss one that is over; a world that was finished stays.

        Raises:
            InputError: there is no such job.
        """
        with self._changed:
            job = self._find(id_)
            self._jobs.remove(job)
            if job is self._running:
                self._end_process()  # its thread cleans up
            elif job.state != "done":
                self._clean(job)
            self._tell()

    def retry(self, id_: str) -> None:
        """Queue a job that failed again; it goes on from the last step that was finished.

        Raises:
            InputError: there is no such job, or it did not fail.
        """
        with self._changed:
            job = self._find(id_)
            if job.state != "failed":
                raise InputError("only what failed can be tried again")
            job.state, job.error, job.fraction = "waiting", "", 0.0
            job.finished.clear()
            keep(self._folder, job)
            self._tell()

    def close(self) -> None:
        """End; what is not finished goes on when a server is started for this folder again."""
        with self._changed:
            self._closed = True
            self._end_process()
            self._tell()
        self._thread.join(10)

    def _find(self, id_: str) -> Job:
        for job in self._jobs:
            if job.id == id_:
                return job
        raise InputError("there is no such job")

    def _tell(self) -> None:
        self.revision += 1
        self._changed.notify_all()

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _clean(self, job: Job) -> None:
        """Nothing is left of a job that somebody no longer wants."""
        partial = self._folder / f"{job.world}.partial"
        if not (self._folder / job.world / SCENE).exists():
            shutil.rmtree(partial, ignore_errors=True)
        forget(self._folder, job)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next() is not None)
                job = self._next()
                if self._closed or job is None:
                    return
                job.state, self._running = "running", job
                self._tell()
            error = self._make(job)
            with self._changed:
                self._process = self._running = None
                self._finish(job, error)
                self._tell()

    def _next(self) -> Job | None:
        return next((job for job in self._jobs if job.state == "waiting"), None)

    def _make(self, job: Job) -> str:
        """Have the world made; returns what went wrong, "" if nothing."""
        try:
            with self._changed:
                keep(self._folder, job)
                process = self._process = self._start(job)
            return self._follow(job, process)
        except OSError as error:
            return f"the process that makes worlds cannot be started ({error.strerror})"

    def _start(self, job: Job) -> "subprocess.Popen[str]":
        request = {
            "photo": str(photo_of(self._folder, job).resolve()),
            "out": str((self._folder / job.world).resolve()),
            "recipe": self._recipe,
            "settings": list(self._settings),
        }
        with (self._folder / JOBS / job.id / LOG).open("w") as log:
            process = subprocess.Popen(
                self._maker,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdin is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return process

    def _follow(self, job: Job, process: "subprocess.Popen[str]") -> str:
        """Pass progress on until the process ends; returns what went wrong, "" if nothing."""
        assert process.stdout is not None
        assert process.stdin is not None
        error, done = "", False
        for line in process.stdout:
            said = json.loads(line)
            done = done or bool(said.get("done"))
            error = str(said.get("error", error))
            if "step" in said:
                with self._changed:
                    job.progress(str(said["step"]), float(said["fraction"]), str(said["note"]))
                    self._tell()
        code = process.wait()
        with contextlib.suppress(BrokenPipeError):  # nothing was waiting to be written
            process.stdin.close()
        process.stdout.close()
        if done or error:
            return error.replace(str(self._folder.resolve()), "").replace(f"/{JOBS}/{job.id}/photo", job.title)
        kept = "what it had finished is kept: try again"
        return f"The process that made this world was ended (status {code}), perhaps for want of memory; {kept}."

    def _finish(self, job: Job, error: str) -> None:
        if self._closed:
            return  # as it is kept it runs, and so it waits for the next server
        if job not in self._jobs:
            self._clean(job)
        elif error:
            job.state, job.error = "failed", error
            keep(self._folder, job)
        else:
            job.state, job.fraction = "done", 1.0
            forget(self._folder, job)
            over = [old for old in self._jobs if old.state == "done"][:-MOST_DONE]
            self._jobs = [old for old in self._jobs if old not in over]
