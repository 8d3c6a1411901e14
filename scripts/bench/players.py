"""The process of `scripts.bench.played`, and what the system counts of a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_KIBIBYTE = 1024


class Players:
    """Plays `clusters` of `nodes` each while the block runs. Raises OSError when it does not start."""

    def __init__(self, clusters: int = 1, nodes: int = 1, tls: Path | None = None) -> None:
        self._arguments = ["--clusters", str(clusters), "--nodes", str(nodes)]
        if tls is not None:
            self._arguments += ["--tls", str(tls)]
        self.addresses: dict[str, list[str]] = {}
        self.pid = 0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "scripts.bench.played", *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise OSError(f"[{' '.join(command)}] ended with code {self._process.returncode}")
        self.addresses = json.loads(line)["clusters"]
        return self

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()


def cpu_seconds(pid: int) -> float:
    """What the process has used so far, in the system's ticks (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Of this process alone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * _KIBIBYTE
    return 0


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
