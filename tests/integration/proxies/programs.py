"""haproxy and nginx as layer-4 proxies in front of nodes, run as their users run them."""

import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealane.model.node import Address

_START_S = 10
_NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Where connections go: by the server name in their TLS hello, or all to `nodes` in turn."""

    nodes: Sequence[Address] = ()
    by_name: Mapping[str, Address] = field(default_factory=dict)


class Proxy(ABC):
    """One proxy process on a loopback port that it keeps. `kill` it, `start` it again."""

    program: str

    def __init__(self, folder: Path, routes: Routes) -> None:
        self._folder = folder
        self.routes = routes
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self._port)

    def start(self) -> None:
        """Listens when it returns. The first time on a free port, then on the same."""
        attempts = 1 if self._port else 5
        for _ in range(attempts):
            port = self._port or _free_port()
            if self._starts(port):
                self._port = port
                return
        raise RuntimeError(f"{self.program} did not start: {self.log}")

    def kill(self) -> None:
        """At once: its connections are cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        return (self._folder / "proxy.log").read_text(errors="replace")

    @abstractmethod
    def configuration(self, port: int) -> str: ...

    @abstractmethod
    def command(self, configuration: Path) -> list[str]: ...

    def _starts(self, port: int) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "proxy.conf"
        configuration.write_text(self.configuration(port))
        with (self._folder / "proxy.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(configuration), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return True
        self.kill()
        return False


class HaProxy(Proxy):
    program = "haproxy"

    def command(self, configuration: Path) -> list[str]:
        return ["haproxy", "-db", "-f", str(configuration)]

    def configuration(self, port: int) -> str:
        lines = [
            "global",
            "  maxconn 256",
            "defaults",
            "  mode tcp",
            "  timeout connect 2s",
            "  timeout client 1m",
            "  timeout server 1m",
            "  retries 0",
            "frontend in",
            f"  bind 127.0.0.1:{port}",
        ]
        names = list(enumerate(self.routes.by_name.items()))
        if names:
            lines += [
                "  tcp-request inspect-delay 2s",
                "  tcp-request content accept if { req.ssl_hello_type 1 }",
                "  tcp-request content reject",
            ]
            lines += [f"  use_backend named{n} if {{ req.ssl_sni -i {k} }}" for n, (k, _) in names]
        else:
            lines.append("  default_backend nodes")
        for number, (_, target) in names:
            lines += [f"backend named{number}", f"  server node {target}"]
        if self.routes.nodes:
            lines += ["backend nodes", "  balance roundrobin"]
            lines += [f"  server node{n} {target}" for n, target in enumerate(self.routes.nodes)]
        return "\n".join(lines) + "\n"


class Nginx(Proxy):
    program = "nginx"

    def command(self, configuration: Path) -> list[str]:
        return ["nginx", "-p", str(self._folder), "-c", str(configuration), "-e", "stderr"]

    def configuration(self, port: int) -> str:
        load = f"load_module {_NGINX_STREAM};" if _NGINX_STREAM.exists() else ""
        names = list(enumerate(self.routes.by_name.items()))
        upstreams = [f"upstream named{n} {{ server {target}; }}" for n, (_, target) in names]
        if self.routes.nodes:
            servers = " ".join(f"server {target};" for target in self.routes.nodes)
            upstreams.append(f"upstream nodes {{ {servers} }}")
        known = " ".join(f"{name} named{n};" for n, (name, _) in names)
        read = f"map $ssl_preread_server_name $routed {{ {known} }}" if names else ""
        passed = "ssl_preread on; proxy_pass $routed;" if names else "proxy_pass nodes;"
        # One process: killing it leaves no worker behind that still serves.
        return f"""
            {load}
            daemon off; master_process off; pid {self._folder}/nginx.pid; error_log stderr info;
            events {{ worker_connections 256; }}
            stream {{
                {" ".join(upstreams)}
                {read}
                proxy_connect_timeout 2s;
                server {{ listen 127.0.0.1:{port}; {passed} }}
            }}
        """


PROXIES: Mapping[str, type[Proxy]] = {"haproxy": HaProxy, "nginx": Nginx}


def missing(program: str) -> str | None:
    """Why tests with this proxy cannot run here; None where they can."""
    if shutil.which(program) is None:
        return f"{program} is not installed"
    if program == "nginx":
        built = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=False).stderr
        if "--with-stream " not in f"{built} " and not _NGINX_STREAM.exists():
            return "nginx has no stream module (Debian package libnginx-mod-stream)"
    return None


def in_ci() -> bool:
    """There nothing may be skipped."""
    return bool(os.environ.get("SEALANE_CI"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
