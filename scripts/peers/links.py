"""`python -m scripts.peers.links`: links between Sealane and real servers on the transport port, both
ways and in both modes: who says `connected`, and with how many nodes or sockets.

Exit code 0: every link that could be tried is connected. 1: one is not. 2: nothing could be tried.
A server that this machine has no Java for is skipped, and counted as that.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.pairs import transport_address
from scripts.peer_servers import (
    ELASTICSEARCH,
    ELASTICSEARCH_9,
    OPENSEARCH,
    OPENSEARCH_3,
    Distribution,
    PeerPair,
    PeersUnavailableError,
)
from scripts.rest import Rest, UnexpectedAnswerError
from scripts.sealane_pair import SealanePair
from scripts.server_process import ServerFailedError, end_servers_on_sigterm
from sealane.wire.families.known import PRODUCTS

_NOTHING_TRIED = 2
_CONNECT_SECONDS = 30.0
_POLL_SECONDS = 0.25

PEERS: Mapping[str, Distribution] = {
    "es819": ELASTICSEARCH,
    "es91": ELASTICSEARCH_9,
    "os219": OPENSEARCH,
    "os34": OPENSEARCH_3,
}
"""By the option that names a running one."""
_PROGRAM_ERRORS = (PeersUnavailableError, ServerFailedError, UnexpectedAnswerError, OSError)


@dataclass(frozen=True, slots=True)
class Link:
    """What the dialling side says about one registered remote: who the peer is, by its own list of
    nodes where it dials, by ours where we do. `said` is the last error, if any."""

    direction: str
    product: str
    version: str
    mode: str
    connected: bool
    count: int
    said: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    label: str
    why: str


def main(arguments: list[str] | None = None) -> int:
    """Tries all links, prints the table, and returns the exit code."""
    options = _parser().parse_args(arguments)
    end_servers_on_sigterm()
    console = Console(highlight=False)
    urls = {name: url for name in PEERS if (url := getattr(options, name)) is not None}
    try:
        return run(console, urls=urls, only_given=options.no_start, sealane=options.sealane)
    except _PROGRAM_ERRORS as problem:
        console.print(str(problem), style="red", markup=False)
        return _NOTHING_TRIED


def run(
    console: Console,
    *,
    urls: Mapping[str, str] | None = None,
    only_given: bool = False,
    sealane: str | None = None,
) -> int:
    """One server after the other, so that two never run at once. `urls` are of running ones, by the
    keys of PEERS. Raises what starting Sealane raises."""
    urls = urls or {}
    names = [name for name in PEERS if name in urls or not only_given]
    links: list[Link] = []
    skipped: list[Skipped] = []
    with console.status("starting") as status, ExitStack() as stack:

        def progress(text: str) -> None:
            status.update(text.replace("[", r"\["))

        url = sealane or stack.enter_context(SealanePair(progress)).local.url
        for name in names:
            label = PEERS[name].label
            try:
                with _running(name, urls.get(name), progress) as peer:
                    progress(f"{label}: connecting")
                    links += try_links(url, peer)
            except PeersUnavailableError as missing:
                skipped.append(Skipped(label, str(missing).splitlines()[0]))
    _show(console, links, skipped)
    if not links:
        return _NOTHING_TRIED
    return 0 if all(link.connected for link in links) else 1


@contextmanager
def _running(name: str, url: str | None, progress: Callable[[str], None]) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with PeerPair(PEERS[name], progress, [f"links-{name}"]) as peer:
        yield peer.local.url


def try_links(sealane_url: str, peer_url: str) -> list[Link]:
    """The four links between two running nodes; what was registered is removed again."""
    with Rest(sealane_url) as sealane, Rest(peer_url) as peer:
        about = _product_of(peer)
        ours, theirs = transport_address(sealane), transport_address(peer)
        with _registered(sealane, theirs), _registered(peer, ours):
            deadline = time.monotonic() + _CONNECT_SECONDS
            while True:
                links = [
                    *(
                        _as_seen_here(mode, entry)
                        for mode, entry in _entries(sealane, "?verbose=true")
                    ),
                    *(_as_seen_there(mode, entry, about) for mode, entry in _entries(peer, "")),
                ]
                if all(link.connected for link in links) or time.monotonic() > deadline:
                    return links
                time.sleep(_POLL_SECONDS)


_ALIASES = {"sniff": "links_sniff", "proxy": "links_proxy"}


@contextmanager
def _registered(node: Rest, address: str) -> Iterator[None]:
    settings: dict[str, Any] = {
        f"cluster.remote.{_ALIASES['sniff']}.seeds": [address],
        f"cluster.remote.{_ALIASES['proxy']}.mode": "proxy",
        f"cluster.remote.{_ALIASES['proxy']}.proxy_address": address,
    }
    node.must("PUT", "/_cluster/settings", {"persistent": settings})
    try:
        yield
    finally:
        forget = {f"cluster.remote.{alias}.*": None for alias in _ALIASES.values()}
        node.must("PUT", "/_cluster/settings", {"persistent": forget})


def _entries(node: Rest, parameters: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Mode and entry of both aliases."""
    info = node.must("GET", f"/_remote/info{parameters}")
    for mode, alias in _ALIASES.items():
        yield mode, info.get(alias, {})


def _as_seen_here(mode: str, entry: dict[str, Any]) -> Link:
    product = PRODUCTS.get(str(entry.get("remote_product")), "?")
    reason = (entry.get("last_error") or {}).get("reason", "")
    version = str(entry.get("remote_version") or "?")
    return Link("we dial", product, version, mode, _is_connected(entry), _count(entry), reason)


def _as_seen_there(mode: str, entry: dict[str, Any], about: tuple[str, str]) -> Link:
    return Link("it dials", *about, mode, _is_connected(entry), _count(entry))


def _is_connected(entry: dict[str, Any]) -> bool:
    return entry.get("connected") is True


def _count(entry: dict[str, Any]) -> int:
    return int(entry.get("num_nodes_connected", entry.get("num_proxy_sockets_connected", 0)))


def _product_of(node: Rest) -> tuple[str, str]:
    """From the list of nodes: some distributions do not answer `GET /`."""
    nodes = node.must("GET", "/_nodes/_local")["nodes"]
    found = next(iter(nodes.values()))
    version = str(found["version"])
    return PRODUCTS["opensearch" if int(version.split(".")[0]) < 7 else "elasticsearch"], version


def _show(console: Console, links: list[Link], skipped: list[Skipped]) -> None:
    table = Table(title="Links on the transport port")
    for heading in ("direction", "product", "version", "mode", "connected", "nodes/sockets"):
        table.add_column(heading)
    for link in links:
        style = None if link.connected else "red"
        row = (link.direction, link.product, link.version, link.mode)
        table.add_row(*row, "yes" if link.connected else "NO", str(link.count), style=style)
    console.print(table)
    for link in links:
        if link.said and not link.connected:
            console.print(f"{link.product}, {link.mode}: {link.said}", style="red", markup=False)
    for each in skipped:
        console.print(f"skipped {each.label}: {each.why}", style="yellow", markup=False)
    connected = sum(link.connected for link in links)
    console.print(
        f"links connected {connected} of {len(links)}, servers skipped {len(skipped)} of "
        f"{len(PEERS)}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.peers.links", description=__doc__)
    for name, distribution in PEERS.items():
        parser.add_argument(
            f"--{name}",
            metavar="URL",
            help=f"a running {distribution.label}, or another release of its line",
        )
    parser.add_argument("--sealane", metavar="URL", help="a running node of ours; starts none")
    parser.add_argument(
        "--no-start", action="store_true", help="only the servers whose URLs are given"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
