"""Two Sealane nodes, each a cluster, started as a user would start them: the installed program, no
security, ports of the system's choice, data in a temporary folder."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.pairs import Node
from scripts.server_process import ServerFailedError, ServerProcess, answers

_READY_SECONDS = 30.0


class SealanePair:
    """Clusters `europe` (local) and `americas` (remote). Entering starts them one after the
    other and waits for a first answer of each; leaving ends them by SIGTERM and deletes their
    data.

    Raises `ServerFailedError`.
    """

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.label = "Sealane"
        self._progress = progress
        self._work = Path()
        self._processes: list[ServerProcess] = []
        self._nodes: list[Node] = []

    @property
    def local(self) -> Node:
        return self._nodes[0]

    @property
    def remote(self) -> Node:
        return self._nodes[1]

    def __enter__(self) -> Self:
        self._work = Path(tempfile.mkdtemp(prefix="sealane-pair-"))
        try:
            for cluster in ("europe", "americas"):
                self._nodes.append(self._start(cluster))
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
            # The logs are deleted with the data, and tell why.
            for process in self._processes:
                error.add_note(f"{process.output.name} ends with:\n{process.last_lines()}")
        self._stop()

    def _start(self, cluster: str) -> Node:
        # The program of the environment that runs this script, whether it is on the PATH or not.
        program = Path(sys.executable).parent / "sealane"
        if not program.exists():
            raise ServerFailedError(f"there is no [{program}]: run make setup")
        settings = {
            "cluster.name": cluster,
            "node.name": f"{cluster}-0",
            "http.port": "0",
            "transport.port": "0",
            "path.data": str(self._work / cluster),
            "xpack.security.enabled": "false",
        }
        arguments = [str(program), "start"]
        for key, value in settings.items():
            arguments += ["-E", f"{key}={value}"]
        output = self._work / f"{cluster}.log"
        process = ServerProcess(arguments, output=output)
        self._processes.append(process)
        ready: dict[str, Any] = {}

        def has_answered() -> bool:
            if not ready:
                ready.update(ready_line(output))
            return bool(ready) and answers(f"http://{ready['http']}")

        seconds = process.wait_until(
            has_answered,
            timeout_s=_READY_SECONDS,
            progress=lambda waited: self._progress(f"Sealane: starting {cluster}, {waited:.0f} s"),
        )
        return Node(f"http://{ready['http']}", process.pid, seconds)

    def _stop(self) -> None:
        for process in self._processes:
            process.stop()
        shutil.rmtree(self._work, ignore_errors=True)


def ready_line(output: Path) -> dict[str, Any]:
    """The addresses that the node bound, from the one JSON line it prints when it is ready."""
    for line in output.read_text("utf-8", "replace").splitlines(keepends=True):
        if line.startswith('{"event":"ready"') and line.endswith("\n"):
            parsed: dict[str, Any] = json.loads(line)
            return parsed
    return {}
