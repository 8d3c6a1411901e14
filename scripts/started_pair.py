"""Two servers that a program starts for itself: `local` and `remote`, in a folder that goes with them."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from scripts.server_process import ServerProcess

N = TypeVar("N")


class StartedPair(Generic[N]):
    """Entering starts the servers by `_begin`; leaving ends them and deletes their folder. An error
    on the way out is told with the ends of their logs, which are deleted too."""

    def __init__(self, label: str, progress: Callable[[str], None]) -> None:
        self.label = label
        self._progress = progress
        self._work = Path()
        self._processes: list[ServerProcess] = []
        self._members: list[N] = []

    @property
    def local(self) -> N:
        return self._members[0]

    @property
    def remote(self) -> N:
        return self._members[1]

    def _begin(self) -> None:
        """Starts each server within `_work`, and files it in `_processes` and `_members`."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._work = Path(tempfile.mkdtemp(prefix="sealane-pair-"))
        try:
            self._begin()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for process in self._processes:
                error.add_note(f"{process.output.name} ends with:\n{process.last_lines()}")
        self._stop()

    def _stop(self) -> None:
        for process in self._processes:
            process.stop()
        shutil.rmtree(self._work, ignore_errors=True)
