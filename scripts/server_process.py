"""Starting a server in its own process group, watching it come up, and taking it down again."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from scripts.rest import Rest

_POLL_SECONDS = 0.02
_STOP_SECONDS = 30.0


class ServerFailedError(Exception):
    """A server did not come up; the message ends with the last lines it wrote."""


class ServerProcess:
    """A server and everything it forks. `stop` ends the whole group and waits for it."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        output: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.output = output
        self.started_at = time.monotonic()
        with output.open("wb") as stream:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=directory,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def wait_until(
        self, is_ready: Callable[[], bool], *, timeout_s: float, progress: Callable[[float], None]
    ) -> float:
        """Seconds from the start until `is_ready`. `progress` is told the seconds so far.

        Raises `ServerFailedError` when the process ends or the time is up.
        """
        while True:
            waited_s = time.monotonic() - self.started_at
            if is_ready():
                return waited_s
            if self._process.poll() is not None:
                raise ServerFailedError(
                    f"the server ended with code {self._process.returncode}:\n{self.last_lines()}"
                )
            if waited_s > timeout_s:
                raise ServerFailedError(f"not ready after {timeout_s:.0f} s:\n{self.last_lines()}")
            progress(waited_s)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """SIGTERM to the group, SIGKILL to what is left after half a minute."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def last_lines(self) -> str:
        """The end of what the server wrote."""
        return "\n".join(self.output.read_text("utf-8", "replace").splitlines()[-15:])


def end_servers_on_sigterm() -> None:
    """Makes SIGTERM unwind this program as Ctrl-C does: its servers have sessions of their own, and
    would outlive it."""

    def unwind(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, unwind)


def answers(url: str) -> bool:
    """Whether the node at `url` answers its health with 200."""
    try:
        with Rest(url, timeout_s=5.0) as node:
            return node.call("GET", "/_cluster/health").status == 200
    except OSError:
        return False


def free_port() -> int:
    """A TCP port of the loopback address that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
