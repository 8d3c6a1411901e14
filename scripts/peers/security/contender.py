"""A secured pair of Sealane nodes, started as a user would start them: the installed program, its keystore command, a
file of settings.
"""

import subprocess
from collections.abc import Callable, Mapping

from scripts.peers.security import certificates
from scripts.peers.security.client import PASSWORD
from scripts.peers.security.judge import knows_the_superuser
from scripts.peers.security.pair import CLUSTERS, REMOTE, Member, settings
from scripts.sealane_pair import installed_program
from scripts.server_process import ServerFailedError, ServerProcess, free_port
from scripts.started_pair import StartedPair

_READY_SECONDS = 30.0


class ContenderPair(StartedPair[Member]):
    """Raises ServerFailedError."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        super().__init__("Sealane", progress)

    def _begin(self) -> None:
        certificates.make(self._work, CLUSTERS)
        for cluster in CLUSTERS:
            self._members.append(self._start(cluster))

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
            [str(installed_program()), "start", "--config", str(file)],
            output=self._work / f"{cluster}.log",
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
            [
                str(installed_program()),
                "keystore",
                "--conf",
                str(config),
                "add",
                "-x",
                "-f",
                *secrets,
            ],
            input="".join(f"{value}\n" for value in secrets.values()),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailedError(f"sealane keystore add failed:\n{done.stdout}{done.stderr}")
