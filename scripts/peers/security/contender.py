"""A secured pair of Sealane nodes, started as a user would start them: the installed program, its keystore command, a
file of settings.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.peers.security import certificates
from scripts.peers.security.client import PASSWORD
from scripts.peers.security.judge import knows_the_superuser
from scripts.peers.security.pair import CLUSTERS, REMOTE, Member, settings
from scripts.server_process import ServerFailedError, ServerProcess, free_port

_READY_SECONDS = 30.0


class ContenderPair:
    """Raises ServerFailedError."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.label = "Sealane"
        self._progress = progress
        self._work = Path()
        self._processes: list[ServerProcess] = []
        self._members: list[Member] = []

    @property
    def local(self) -> Member:
        return self._members[0]

    @property
    def remote(self) -> Member:
        return self._members[1]

    def __enter__(self) -> Self:
        self._work = Path(tempfile.mkdtemp(prefix="sealane-secured-pair-"))
        try:
            certificates.make(self._work, CLUSTERS)
            for cluster in CLUSTERS:
                self._members.append(self._start(cluster))
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

    def keep_secrets(self, secrets: Mapping[str, str]) -> None:
        self._keep(CLUSTERS[0], secrets)

    def _start(self, cluster: str) -> Member:
        member = Member(
            url=f"http://127.0.0.1:{free_port()}",
            transport_port=free_port(),
            remote_cluster_port=free_port() if cluster == REMOTE else 0,
        )
        config = self._work / cluster / "config"
        config.mkdir(parents=True)
        own = settings(cluster, self._work / cluster, member, str(self._work))
        file = config / "sealane.yml"
        file.write_text("".join(f"{key}: {value}\n" for key, value in own.items()))
        self._keep(cluster, {"bootstrap.password": PASSWORD})
        process = ServerProcess(
            [str(_program()), "start", "--config", str(file)], output=self._work / f"{cluster}.log"
        )
        self._processes.append(process)
        process.wait_until(
            lambda: knows_the_superuser(member.url),
            timeout_s=_READY_SECONDS,
            progress=lambda waited: self._progress(f"{self.label}: {cluster}, {waited:.0f} s"),
        )
        return member

    def _keep(self, cluster: str, secrets: Mapping[str, str]) -> None:
        config = self._work / cluster / "config"
        done = subprocess.run(
            [str(_program()), "keystore", "--conf", str(config), "add", "-x", "-f", *secrets],
            input="".join(f"{value}\n" for value in secrets.values()),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailedError(f"sealane keystore add failed:\n{done.stdout}{done.stderr}")

    def _stop(self) -> None:
        for process in self._processes:
            process.stop()
        shutil.rmtree(self._work, ignore_errors=True)


def _program() -> Path:
    """That of the environment that runs this script, whether it is on the PATH or not."""
    program = Path(sys.executable).parent / "sealane"
    if not program.exists():
        raise ServerFailedError(f"there is no [{program}]: run make setup")
    return program
