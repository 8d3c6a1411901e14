"""Two nodes of which one follows indices of the other, and what `replication` does with them: write, follow, wait.

Each node is a process of its own. What is written are bulks that have been put together before, so that whoever loads
takes as little as possible of the machine that is measured.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from scripts.rest import Rest, UnexpectedAnswerError
from sealane.testing.process import NodeProcess, register

BULK_ITEMS: Final = 1_000
_BODIES: Final = 20
_WITHIN_S: Final = 600.0
_POLL_S: Final = 0.01
_NDJSON: Final = "application/x-ndjson"
_MADE: Final[dict[str, Any]] = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {
        "properties": {
            "at": {"type": "date"},
            "service": {"type": "keyword"},
            "took": {"type": "long"},
            "message": {"type": "text"},
        }
    },
}
_WORDS: Final = (
    "order paid parcel sent basket left login failed retry stored cache missed page shown "
    "price changed mail queued stock low"
)


class FollowerPair:
    """The leader `europe` and the follower `americas`, which knows it as a remote. Indices have one shard."""

    def __init__(self, leader: NodeProcess, follower: NodeProcess) -> None:
        self.leader = leader
        self.follower = follower
        self.bodies = bodies(BULK_ITEMS)

    def make(self, index: str) -> None:
        self.leader.call("PUT", f"/{index}", _MADE)

    def write(self, index: str, documents: int) -> int:
        """About as many, as quickly as one client can; returns how many. Raises UnexpectedAnswerError."""
        bulks = max(1, documents // BULK_ITEMS)
        with Rest(self.leader.url) as rest:
            for body in islice(cycle(self.bodies), bulks):
                send(rest, index, body)
        return bulks * BULK_ITEMS

    def write_for(self, index: str, seconds: float) -> int:
        """The same for so long."""
        written, until = 0, time.monotonic() + seconds
        with Rest(self.leader.url) as rest:
            for body in cycle(self.bodies):
                send(rest, index, body)
                written += BULK_ITEMS
                if time.monotonic() >= until:
                    return written
        raise AssertionError("unreachable")

    def follow(self, index: str) -> None:
        """Returns at once: what is there is copied behind it."""
        wanted = {"remote_cluster": self.leader.name, "leader_index": index}
        self.follower.call("PUT", f"/{index}/_ccr/follow", wanted)

    def pause(self, index: str) -> None:
        self.follower.call("POST", f"/{index}/_ccr/pause_follow")

    def resume(self, index: str) -> None:
        self.follower.call("POST", f"/{index}/_ccr/resume_follow", {})

    def wait_following(self, indices: int) -> None:
        """Until so many shards follow and know of nothing that they do not have. Raises TimeoutError."""

        def follows(shard: dict[str, Any]) -> bool:
            ours = shard["sealane"]
            return ours["phase"] == "following" and bool(ours["lag_millis"] == 0)

        def all_do() -> bool:
            shards = self._shards("/_ccr/stats", "follow_stats")
            return len(shards) == indices and all(map(follows, shards))

        _wait(all_do, f"{indices} indices to follow")

    def wait_for(self, index: str, documents: int) -> None:
        """Until the follower has the operations of so many documents. Raises TimeoutError."""
        path = f"/{index}/_ccr/stats?filter_path=indices.shards.follower_global_checkpoint"

        def has_them() -> bool:
            (shard,) = self._shards(path, None) or ({"follower_global_checkpoint": -1},)
            return bool(shard["follower_global_checkpoint"] >= documents - 1)

        _wait(has_them, f"{documents:,} documents in [{index}]")

    def _shards(self, path: str, within: str | None) -> list[dict[str, Any]]:
        answer = self.follower.call("GET", path)
        if within is not None:
            answer = answer[within]
        return [shard for index in answer.get("indices", ()) for shard in index["shards"]]


@contextmanager
def follower_pair(folder: Path) -> Iterator[FollowerPair]:
    """Both run while the block does. Raises NodeFailedError, TimeoutError."""
    with (
        NodeProcess("europe", folder / "europe") as leader,
        NodeProcess("americas", folder / "americas") as follower,
    ):
        leader.keep_addresses()
        follower.keep_addresses()
        register(follower, leader)
        connected = f"the remote [{leader.name}]"
        _wait(lambda: follower.call("GET", "/_remote/info")[leader.name]["connected"], connected)
        yield FollowerPair(leader, follower)


def bodies(items: int) -> list[bytes]:
    """Bulks of so many small documents, whose ids the node makes up: they may be sent again and again."""
    rng = random.Random(7)
    return [_body(rng, items) for _ in range(_BODIES)]


def _body(rng: random.Random, items: int) -> bytes:
    lines, words = [], _WORDS.split()
    for _ in range(items):
        lines.append('{"index":{}}')
        source = {
            "at": f"2026-01-{rng.randrange(1, 29):02}T12:{rng.randrange(60):02}:00Z",
            "service": f"service-{rng.randrange(40)}",
            "took": rng.randrange(10_000),
            "message": " ".join(rng.choices(words, k=6)),
        }
        lines.append(json.dumps(source, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def send(rest: Rest, index: str, body: bytes) -> None:
    """One bulk. Raises UnexpectedAnswerError unless every item went in."""
    answer = rest.call("POST", f"/{index}/_bulk?filter_path=errors", body, content_type=_NDJSON)
    if answer.status != 200 or answer.body["errors"]:
        raise UnexpectedAnswerError(
            f"bulk at {rest.url} answered {answer.status}: {str(answer.body)[:1000]}"
        )


def _wait(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _WITHIN_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {_WITHIN_S:g} s for {what}")
        time.sleep(_POLL_S)
