"""Network namespaces as separate machines: each with an address of its own, all on one bridge.

Nodes without security listen on loopback addresses only, so the machines' addresses are of 127.77.0.0/24, routed
between the namespaces as ordinary ones. Where namespaces may not be made, machines are addresses of this host. Linux,
and root for the first.
"""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_NETWORK = "127.77.0"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a node runs. `namespace` is None on this host itself."""

    host: str
    namespace: str | None = None


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """That many, in namespaces where the system lets us make them, else as addresses of this host."""
    if not _may_make_namespaces():
        yield [Machine(f"{_NETWORK}.{number}") for number in range(1, count + 1)]
        return
    tag = f"sl{os.getpid() % 100_000}"
    made: list[str] = []
    try:
        _run("link", "add", f"{tag}br", "type", "bridge")
        _run("link", "set", f"{tag}br", "up")
        found = []
        for number in range(1, count + 1):
            name = f"{tag}n{number}"
            _run("netns", "add", name)
            made.append(name)
            _join_bridge(name, f"{tag}br", f"{tag}v{number}", f"{_NETWORK}.{number}")
            found.append(Machine(f"{_NETWORK}.{number}", name))
        yield found
    finally:
        for name in made:
            _run("netns", "del", name, check=False)
        _run("link", "del", f"{tag}br", check=False)


def connect_within(namespace: str, host: str, port: int, timeout_s: float) -> socket.socket:
    """A connected socket of that namespace; it works from anywhere. Raises OSError."""
    # The namespace is a thread's: one that ends after it leaves everybody else where they are.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_connect, namespace, host, port, timeout_s).result()


def _connect(namespace: str, host: str, port: int, timeout_s: float) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open("rb") as entry:
        if libc.setns(entry.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    return socket.create_connection((host, port), timeout_s)


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"sl{os.getpid() % 100_000}try"
    try:
        _run("netns", "add", name)
        _run("link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name)
        _within(name, "sysctl", "-qw", "net.ipv4.conf.eth0.route_localnet=1")
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        _run("netns", "del", name, check=False)
    return True


def _join_bridge(namespace: str, bridge: str, link: str, address: str) -> None:
    _run("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _run("link", "set", link, "master", bridge, "up")
    _within(namespace, "ip", "link", "set", "lo", "up")
    # Only 127.0.0.1 stays with the machine itself; the kernel then treats the others as addresses like any.
    _within(namespace, "ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
    _within(namespace, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
    _within(namespace, "sysctl", "-qw", "net.ipv4.conf.eth0.route_localnet=1")
    _within(namespace, "ip", "link", "set", "eth0", "up")
    _within(namespace, "ip", "addr", "add", f"{address}/24", "dev", "eth0")


def _within(namespace: str, *command: str) -> None:
    _execute(["ip", "netns", "exec", namespace, *command])


def _run(*arguments: str, check: bool = True) -> None:
    _execute(["ip", *arguments], check=check)


def _execute(command: Sequence[str], *, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True, timeout=30)
