"""The disk of one node: a small file system that can be full, where one may be mounted, and writes that fail."""

import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

SIZE: Final = "2g"
_BALLAST: Final = "ballast"
_BLOCK: Final = 4096


@dataclass(slots=True)
class Disk:
    """`mounted` is whether the data of the node is on a file system of its own."""

    folder: Path
    mounted: bool

    @classmethod
    def made(cls, folder: Path) -> Self:
        """For the node with that folder, which has not been started yet."""
        data = folder / "data"
        data.mkdir(parents=True)
        if os.geteuid() != 0:
            return cls(data, mounted=False)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(data)]
        done = subprocess.run(command, capture_output=True, check=False)
        return cls(data, mounted=done.returncode == 0)

    def fill(self) -> None:
        """Leaves no room. Only where it is `mounted`."""
        assert self.mounted, "that would be the disk of everybody"
        with (self.folder / _BALLAST).open("ab") as ballast:
            taken, room = 0, self._free
            while room >= _BLOCK:
                try:
                    os.posix_fallocate(ballast.fileno(), taken, room)
                except OSError:
                    room //= 2  # the node takes some of it meanwhile
                else:
                    taken += room
                    room = self._free

    @property
    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def relieve(self) -> None:
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def remove(self) -> None:
        """Once the node has ended."""
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


def refuse_writes(pid: int) -> None:
    """Every write of that process to a file fails from now on."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))


def allow_writes(pid: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
