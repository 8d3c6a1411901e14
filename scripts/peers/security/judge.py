"""A secured pair of real Elasticsearch servers.

The small distribution lacks parts of the analysis module, without which it cannot keep users, roles and keys: a plugin
of 60 lines (`analysis_parts/`) supplies them. It is compiled with the JDK that runs the servers, into a copy of the
distribution, so that the one without security stays as it is.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.peer_servers import (
    ELASTICSEARCH,
    JVM_FOLDERS,
    PeersUnavailableError,
    as_other_user,
    ensure_unpacked,
    find_jdk,
    give_to_user,
)
from scripts.peers.security import certificates
from scripts.peers.security.client import PASSWORD, SUPERUSER, Client
from scripts.peers.security.pair import CLUSTERS, REMOTE, Member, settings
from scripts.server_process import ServerProcess, free_port
from scripts.started_pair import StartedPair
from sealane.testing.process import basic

_PLUGIN = Path(__file__).with_name("analysis_parts")
_HEAP = "700m"
_READY_SECONDS = 180.0


class JudgePair(StartedPair[Member]):
    """Raises PeersUnavailableError, ServerFailedError."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        super().__init__(f"{ELASTICSEARCH.label}, secured", progress)
        self._server = Path()
        self._java = Path()

    def _begin(self) -> None:
        self._java = find_jdk(os.environ, JVM_FOLDERS, ELASTICSEARCH.jdk)
        self._server = _with_plugin(self._java, self._progress)
        certificates.make(self._work, CLUSTERS)
        self._own(self._work)
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
        home = self._work / cluster
        config = home / "config"
        shutil.copytree(self._server / "config", config)
        for file in (*self._work.glob("*.crt"), *self._work.glob(f"{cluster}-*.key")):
            shutil.copy(file, config)
        own = settings(cluster, home, member, str(config)) | {
            "path.logs": str(home / "logs"),
            "discovery.type": "single-node",
            "xpack.license.self_generated.type": "trial",
            "xpack.security.enrollment.enabled": "false",
        }
        lines = [f"{key}: {value}" for key, value in own.items()]
        (config / "elasticsearch.yml").write_text("\n".join(lines) + "\n")
        self._own(home)
        self._keystore(cluster, ["create"], "")
        self._keep(cluster, {"bootstrap.password": PASSWORD})
        process = ServerProcess(
            [*as_other_user(), str(self._server / "bin" / "elasticsearch")],
            output=self._work / f"{cluster}.log",
            environment={
                **self._environment(cluster),
                "ES_JAVA_OPTS": f"-Xms{_HEAP} -Xmx{_HEAP}",
            },
            directory=home,
        )
        self._processes.append(process)
        process.wait_until(
            lambda: knows_the_superuser(member.url),
            timeout_s=_READY_SECONDS,
            progress=lambda waited: self._progress(f"{self.label}: {cluster}, {waited:.0f} s"),
        )
        return member

    def _keep(self, cluster: str, secrets: Mapping[str, str]) -> None:
        values = "".join(f"{value}\n" for value in secrets.values())
        self._keystore(cluster, ["add", "-x", "-f", *secrets], values)

    def _keystore(self, cluster: str, arguments: list[str], said: str) -> None:
        tool = str(self._server / "bin" / "elasticsearch-keystore")
        _run(
            [*as_other_user(), tool, *arguments],
            said=said,
            environment=self._environment(cluster),
            folder=self._work / cluster,
        )

    def _environment(self, cluster: str) -> dict[str, str]:
        home = self._work / cluster
        return {
            **os.environ,
            "HOME": str(home),
            "ES_JAVA_HOME": str(self._java),
            "ES_PATH_CONF": str(home / "config"),
        }

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            give_to_user(folder)


def knows_the_superuser(url: str) -> bool:
    """Whether the node answers the superuser, which a node that still makes its index of users does not."""
    try:
        with Client(url, timeout_s=5.0) as node:
            told = node.call("GET", "/_cluster/health", authorization=basic(SUPERUSER, PASSWORD))
            return told.status == 200
    except OSError:
        return False


def _with_plugin(java: Path, progress: Callable[[str], None]) -> Path:
    """The folder of the server with the plugin, made if it is not there yet."""
    plain = ensure_unpacked(ELASTICSEARCH, progress)
    folder = plain.with_name(f"{plain.name}-secured")
    if folder.is_dir():
        return folder
    progress("compiling the plugin of analysis parts")
    # Made beside its place and renamed, so that a broken run leaves no half of a server.
    with tempfile.TemporaryDirectory(dir=plain.parent) as beside:
        made = Path(beside) / folder.name
        shutil.copytree(plain, made)
        plugin = made / "plugins" / "analysis-parts"
        plugin.mkdir()
        shutil.copy(_PLUGIN / "plugin-descriptor.properties", plugin)
        classes = Path(beside) / "classes"
        compile_ = [str(java / "bin" / "javac"), "--release", "17", "-cp", f"{made / 'lib'}/*"]
        _run([*compile_, "-d", str(classes), str(_PLUGIN / "AnalysisParts.java")])
        jar = str(plugin / "analysis-parts.jar")
        _run([str(java / "bin" / "jar"), "cf", jar, "-C", str(classes), "."])
        made.rename(folder)
    if os.geteuid() == 0:
        give_to_user(folder)
    return folder


def _run(
    arguments: list[str],
    *,
    said: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Raises PeersUnavailableError when the program is missing or fails."""
    try:
        done = subprocess.run(
            arguments,
            input=said,
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise PeersUnavailableError(
            f"there is no [{arguments[0]}]: a whole JDK is needed"
        ) from None
    if done.returncode != 0:
        wrote = (done.stdout + done.stderr).strip()[-2000:]
        raise PeersUnavailableError(f"[{arguments[0]}] failed:\n{wrote}")
