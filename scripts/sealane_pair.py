"""Two Sealane nodes, each a cluster, started as a user would start them: the installed program, no
security, ports of the system's choice, data in a temporary folder."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.pairs import Node
from scripts.server_process import ServerFailedError, ServerProcess, answers
from scripts.started_pair import StartedPair

_READY_SECONDS = 30.0


class SealanePair(StartedPair[Node]):
    """Clusters `europe` (local) and `americas` (remote). Entering starts them one after the
    other and waits for a first answer of each; leaving ends them by SIGTERM and deletes their
    data.

    Raises `ServerFailedError`.
    """

    def __init__(self, progress: Callable[[str], None]) -> None:
        super().__init__("Sealane", progress)

    def _begin(self) -> None:
        for cluster in ("europe", "americas"):
            self._members.append(self._start(cluster))

    def _start(self, cluster: str) -> Node:
        settings = {
            "cluster.name": cluster,
            "node.name": f"{cluster}-0",
            "http.port": "0",
            "transport.port": "0",
            "path.data": str(self._work / cluster),
            "xpack.security.enabled": "false",
        }
        arguments = [str(installed_program()), "start"]
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


def installed_program() -> Path:
    """That of the environment that runs this script, whether it is on the PATH or not. Raises
    ServerFailedError."""
    program = Path(sys.executable).parent / "sealane"
    if not program.exists():
        raise ServerFailedError(f"there is no [{program}]: run make setup")
    return program


def ready_line(output: Path) -> dict[str, Any]:
    """The addresses that the node bound, from the one JSON line it prints when it is ready."""
    for line in output.read_text("utf-8", "replace").splitlines(keepends=True):
        if line.startswith('{"event":"ready"') and line.endswith("\n"):
            parsed: dict[str, Any] = json.loads(line)
            return parsed
    return {}
