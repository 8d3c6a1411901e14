"""A real node as a child process, and a plain way to talk to its REST port: for the demo, and for tests that must see
what a user sees, or kill what a user would kill.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, Self

from sealane.testing.namespaces import connect_within

_TIMEOUT_S = 120


class Answer(NamedTuple):
    """`body` is parsed JSON, or the text where the answer is not JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


class NodeFailedError(Exception):
    """The process ended before it was ready; the message is its log."""


class NodeProcess:
    """`sealane start` on free loopback ports. Use as a context manager, or `stop` it.

    `settings` go over the defaults; an empty one is an empty list. A stopped node may be started again on the same
    `folder`. `namespace` is a network namespace to run in. With a `password`, which is that of the user `elastic`, the
    node has security, and requests are that user's unless they say otherwise.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        namespace: str | None = None,
        password: str | None = None,
        **settings: str,
    ) -> None:
        self.name = name
        self.folder = folder
        self.namespace = namespace
        self._settings = {
            "cluster.name": name,
            "node.name": f"{name}-1",
            "http.port": "0",
            "transport.port": "0",
            "path.data": str(folder / "data"),
        } | {key.replace("__", "."): value for key, value in settings.items()}
        self._password = password
        self._headers: dict[str, str] = {}
        if password is not None:
            self._settings.setdefault("xpack.security.enabled", "true")
            self._headers = {"Authorization": basic("elastic", password)}
        self.http = ""
        self.transport = ""
        self.remote_cluster = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: HTTPConnection | None = None

    @property
    def url(self) -> str:
        return f"http://{self.http}"

    @property
    def pid(self) -> int:
        """Of the running process. Raises NodeFailedError when there is none."""
        if self._process is None:
            raise NodeFailedError(f"node [{self.name}] is not running")
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> Self:
        """Waits for the ready line. Raises NodeFailedError."""
        self.launch()
        return self.wait_ready()

    def launch(self) -> None:
        """Starts the process without waiting: several may start at once. `wait_ready` comes next."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "sealane", "start"]
        if self.namespace is not None:
            command = ["ip", "netns", "exec", self.namespace, *command]
        for key, value in self._settings.items():
            command += ["-E", f"{key}={value or '[]'}"]
        with (self.folder / "log").open("ab") as log:
            # A session of its own: Ctrl-C reaches whoever started the node, who then stops it.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if self._password is not None:
            env["ELASTIC_PASSWORD"] = self._password
        return env

    def wait_ready(self) -> Self:
        """Waits for the ready line. Raises NodeFailedError."""
        process = self._process
        assert process is not None, "the node has not been launched"
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            self.stop()
            raise NodeFailedError(self.log)
        ready = json.loads(line)
        self.http, self.transport = ready["http"], ready["transport"]
        self.remote_cluster = ready["remote_cluster"] or ""
        return self

    def send_signal(self, number: signal.Signals) -> None:
        """SIGSTOP makes a node that is there and says nothing, SIGCONT wakes it. Raises NodeFailedError."""
        os.kill(self.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, waits, and returns the exit code."""
        self.disconnect()
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
        return code

    def disconnect(self) -> None:
        """Closes the kept connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def beside(self) -> "NodeProcess":
        """The same running node over a connection of its own, for another thread, which disconnects at its end. It
        reaches the node after a restart too, where that keeps its addresses.
        """
        other = NodeProcess(
            self.name, self.folder, namespace=self.namespace, password=self._password
        )
        other.http, other.transport = self.http, self.transport
        other.remote_cluster = self.remote_cluster
        return other

    def keep_addresses(self) -> None:
        """From now on it starts where it listens now, as a node with fixed ports does."""
        self._settings |= {
            "http.port": self.http.rpartition(":")[2],
            "transport.port": self.transport.rpartition(":")[2],
        }
        if self.remote_cluster:
            self._settings["remote_cluster.port"] = self.remote_cluster.rpartition(":")[2]

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.stop(signal.SIGKILL)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a kept connection. `body` is sent as JSON; bytes as NDJSON, text as it is."""
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        sent: bytes | None = None
        if body is not None:
            sent = body if isinstance(body, bytes) else _text(body).encode()
        if self._connection is None:
            self._connection = self._connect()
        given = dict(self._headers)
        if sent is not None:
            given["Content-Type"] = kind
        try:
            self._connection.request(method, path, body=sent, headers={**given, **(headers or {})})
            response = self._connection.getresponse()
            data = response.read()
        except BaseException:
            self._connection.close()
            self._connection = None
            raise
        return Answer(response.status, _parsed(data), dict(response.getheaders()))

    def _connect(self) -> HTTPConnection:
        connection = HTTPConnection(self.http, timeout=_TIMEOUT_S)
        if self.namespace is not None:
            host, _, port = self.http.rpartition(":")
            connection.sock = connect_within(self.namespace, host, int(port), _TIMEOUT_S)
        return connection

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be a success. Raises RuntimeError otherwise."""
        answer = self.request(method, path, body)
        failed = isinstance(answer.body, dict) and answer.body.get("errors") is True
        if answer.status >= 400 or failed:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def two_clusters(**settings: str) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """The clusters `europe` and `americas`, the second registered as a remote of the first; removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="sealane-") as folder,
        NodeProcess("europe", Path(folder) / "europe", **settings) as europe,
        NodeProcess("americas", Path(folder) / "americas", **settings) as americas,
    ):
        register(europe, americas)
        yield europe, americas


def register(local: NodeProcess, remote: NodeProcess, **settings: Any) -> None:
    """Registers `remote` under its name, in sniff mode; `settings` are further keys of that remote."""
    keys = {"seeds": [remote.transport], **settings}
    flat = {f"cluster.remote.{remote.name}.{key}": value for key, value in keys.items()}
    local.call("PUT", "/_cluster/settings", {"persistent": flat})


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")
