"""Real Elasticsearch and OpenSearch servers to compare with: fetched from Maven Central,
unpacked into `.peers/` of the checkout once, and started in pairs of single-node clusters on
the loopback address.

The zips are the "integration test" distributions: the server with few modules. Standard queries,
sorts and aggregations live in the server itself, so nothing is added to either.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.pairs import Node
from scripts.server_process import ServerProcess, answers, free_port
from scripts.started_pair import StartedPair

_CHECKOUT = Path(__file__).resolve().parent.parent
_USER = "sealane-peers"
_HEAP = "1g"
_READY_SECONDS = 180.0
JVM_FOLDERS = (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines"))


class PeersUnavailableError(Exception):
    """Something that the peers need is not on this machine; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Jdk:
    """Which versions of Java a server runs on; `variables` name homes to try first."""

    first: int
    last: int | None
    variables: tuple[str, ...]

    def suits(self, version: int) -> bool:
        return self.first <= version and (self.last is None or version <= self.last)

    def __str__(self) -> str:
        return f"from {self.first}" + ("" if self.last is None else f" to {self.last}")


# OpenSearch 2.19 needs the security manager, which JDK 24 removed; both servers need 17.
JDK_17 = Jdk(17, 23, ("JAVA_HOME",))
JDK_21 = Jdk(21, None, ("JAVA_HOME_21", "JAVA_HOME"))


@dataclass(frozen=True, slots=True)
class Distribution:
    """A server of Maven Central and the few names in which the two products differ."""

    label: str
    name: str
    version: str
    group: str
    environment_prefix: str
    extra_settings: tuple[str, ...] = ()
    jdk: Jdk = JDK_17

    @property
    def artifact(self) -> str:
        return f"{self.group}:{self.name}:{self.version}:zip"

    @property
    def folder_name(self) -> str:
        return f"{self.name}-{self.version}"


ELASTICSEARCH = Distribution(
    label="Elasticsearch 8.19.0",
    name="elasticsearch",
    version="8.19.0",
    group="org.elasticsearch.distribution.integ-test-zip",
    environment_prefix="ES",
    extra_settings=("xpack.security.enabled: false",),
)
OPENSEARCH = Distribution(
    label="OpenSearch 2.19.4",
    name="opensearch",
    version="2.19.4",
    group="org.opensearch.distribution.integ-test-zip",
    environment_prefix="OPENSEARCH",
)
ELASTICSEARCH_9 = replace(ELASTICSEARCH, label="Elasticsearch 9.1.0", version="9.1.0", jdk=JDK_21)
OPENSEARCH_3 = replace(OPENSEARCH, label="OpenSearch 3.4.0", version="3.4.0", jdk=JDK_21)


class PeerPair(StartedPair[Node]):
    """Clusters of one product: two, named `europe` (local) and `americas` (remote), unless other
    names are given.

    Entering fetches what is missing, starts the nodes one after the other (each start is measured
    alone) and waits until both answer; leaving stops them and deletes their data.
    Raises `PeersUnavailableError` or `ServerFailedError`.
    """

    def __init__(
        self,
        distribution: Distribution,
        progress: Callable[[str], None],
        clusters: Sequence[str] = ("europe", "americas"),
    ) -> None:
        super().__init__(distribution.label, progress)
        self._clusters = clusters
        self._distribution = distribution

    def _begin(self) -> None:
        java = find_jdk(os.environ, JVM_FOLDERS, self._distribution.jdk)
        server = ensure_unpacked(self._distribution, self._progress)
        self._own(self._work)
        for cluster in self._clusters:
            self._members.append(self._start(cluster, server, java))

    def _start(self, cluster: str, server: Path, java: Path) -> Node:
        home = self._work / cluster
        config = home / "config"
        shutil.copytree(server / "config", config)
        http_port = free_port()
        settings = [
            f"cluster.name: {cluster}",
            f"node.name: {cluster}-0",
            f"path.data: {home / 'data'}",
            f"path.logs: {home / 'logs'}",
            f"http.port: {http_port}",
            f"transport.port: {free_port()}",
            "network.host: 127.0.0.1",
            "discovery.type: single-node",
            *self._distribution.extra_settings,
        ]
        name, prefix = self._distribution.name, self._distribution.environment_prefix
        (config / f"{name}.yml").write_text("\n".join(settings) + "\n")
        self._own(home)
        process = ServerProcess(
            [*as_other_user(), str(server / "bin" / name)],
            output=self._work / f"{cluster}.log",
            environment={
                **os.environ,
                "HOME": str(home),
                f"{prefix}_JAVA_HOME": str(java),
                f"{prefix}_PATH_CONF": str(config),
                f"{prefix}_JAVA_OPTS": f"-Xms{_HEAP} -Xmx{_HEAP}",
            },
            directory=home,
        )
        self._processes.append(process)
        url = f"http://127.0.0.1:{http_port}"
        seconds = process.wait_until(
            lambda: answers(url),
            timeout_s=_READY_SECONDS,
            progress=lambda waited: self._progress(
                f"{self.label}: starting {cluster}, {waited:.0f} s"
            ),
        )
        return Node(url, process.pid, seconds)

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            give_to_user(folder)


def ensure_unpacked(distribution: Distribution, progress: Callable[[str], None]) -> Path:
    """The folder of the unpacked server, fetched if it is not there yet.

    Raises `PeersUnavailableError` without Maven, or when the download fails.
    """
    folder = _peers_folder() / distribution.folder_name
    if not folder.is_dir():
        progress(f"{distribution.label}: fetching from Maven Central")
        archive = _fetch(distribution)
        progress(f"{distribution.label}: unpacking")
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Unpacked beside its place and renamed, so that a broken run leaves no half of a server.
        with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
            # The tool keeps the run bits, the zipfile module does not.
            _run(["unzip", "-q", str(archive), "-d", beside], needs="unzip")
            (Path(beside) / distribution.folder_name).rename(folder)
    if os.geteuid() == 0:
        give_to_user(folder)
    return folder


def find_jdk(
    environment: Mapping[str, str], jvm_folders: tuple[Path, ...], wanted: Jdk = JDK_17
) -> Path:
    """The home of a JDK that suits: the one that a variable names, else the oldest one installed.

    Raises `PeersUnavailableError`.
    """
    for variable in wanted.variables:
        if variable in environment:
            home = Path(environment[variable])
            if wanted.suits(_jdk_version(home)):
                return home
    found = sorted(
        (version, home)
        for home in _jdk_homes(jvm_folders)
        if wanted.suits(version := _jdk_version(home))
    )
    if not found:
        raise PeersUnavailableError(
            f"the peers need a JDK {wanted}: set {wanted.variables[0]}, or install one "
            f"(Debian: apt-get install openjdk-{wanted.first}-jre-headless)"
        )
    return found[0][1]


def _jdk_homes(jvm_folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in jvm_folders:
        yield from folder.glob("*")
        yield from folder.glob("*/Contents/Home")


def _jdk_version(home: Path) -> int:
    """The major version that the JDK's own `release` file states, 0 where there is none."""
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "java").exists():
        return 0
    for line in release.read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "JAVA_VERSION":
            return int(value.strip('"').split(".")[0].split("-")[0])
    return 0


def _fetch(distribution: Distribution) -> Path:
    _run(
        [
            "mvn",
            "-q",
            "dependency:get",
            f"-Dartifact={distribution.artifact}",
            "-Dtransitive=false",
        ],
        needs="Maven (Debian: apt-get install maven)",
    )
    folder = distribution.group.replace(".", "/")
    archive = (
        Path.home()
        / ".m2/repository"
        / folder
        / distribution.name
        / distribution.version
        / f"{distribution.folder_name}.zip"
    )
    if not archive.is_file():
        raise PeersUnavailableError(f"Maven reported success, but there is no [{archive}]")
    return archive


def _run(arguments: list[str], *, needs: str) -> None:
    if shutil.which(arguments[0]) is None:
        raise PeersUnavailableError(f"the peers need {needs}")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise PeersUnavailableError(f"[{' '.join(arguments)}] failed:\n{said}")


def _peers_folder() -> Path:
    """`.peers` of the checkout; as root, a public folder when other users cannot enter the
    checkout."""
    if os.geteuid() == 0 and not all(
        folder.stat().st_mode & 0o001 for folder in (_CHECKOUT, *_CHECKOUT.parents)
    ):
        return Path("/var/tmp/sealane-peers")
    return _CHECKOUT / ".peers"


def as_other_user() -> list[str]:
    """What to put before a server's command: neither server runs as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]


def give_to_user(folder: Path) -> None:
    """Makes the folder, with all in it, the other user's. Only root can."""
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        _run(
            ["useradd", "--system", "--user-group", "--no-create-home", _USER],
            needs="useradd, or to be run by an ordinary user",
        )
        user = pwd.getpwnam(_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), user.pw_uid, user.pw_gid, follow_symlinks=False)
