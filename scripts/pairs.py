"""What every pair of clusters looks like to the programs of this folder, whoever runs it."""

import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from scripts.rest import Rest


@dataclass(frozen=True, slots=True)
class Node:
    """A single-node cluster. `pid` is 0 when somebody else started it."""

    url: str
    pid: int = 0
    seconds_to_first_answer: float = 0.0


class Pair(Protocol):
    """Two clusters: requests go to `local`, which may register `remote`. Leaving the block stops
    what entering it started."""

    label: str

    @property
    def local(self) -> Node: ...

    @property
    def remote(self) -> Node: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class RunningPair:
    """Two nodes that somebody else runs: nothing to start, nothing to stop."""

    def __init__(self, label: str, local_url: str, remote_url: str) -> None:
        self.label = label
        self.local = Node(local_url)
        self.remote = Node(remote_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The nodes keep running."""


def transport_address(node: Rest) -> str:
    """Where the other cluster finds this one: its transport address, `host:port`."""
    nodes: dict[str, Any] = node.must("GET", "/_nodes/transport")["nodes"]
    return str(next(iter(nodes.values()))["transport_address"])


def register_remote(
    local: Rest, alias: str, seed: str | None, *, skip_unavailable: bool | None = None
) -> None:
    """Makes `seed` (`host:port`) known as `alias`; a seed of None forgets the alias."""
    local.must(
        "PUT",
        "/_cluster/settings",
        {
            "persistent": {
                f"cluster.remote.{alias}.seeds": None if seed is None else [seed],
                f"cluster.remote.{alias}.skip_unavailable": skip_unavailable,
            }
        },
    )


def bulk_lines(documents: list[tuple[str, dict[str, Any]]]) -> bytes:
    """A bulk body that indexes these documents, each (id, source), in this order."""
    lines = []
    for identifier, source in documents:
        lines.append(json.dumps({"index": {"_id": identifier}}))
        lines.append(json.dumps(source, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()
