"""Whether a leader holds what was acknowledged, and a follower holds what its leader holds."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scripts.chaos.http import Answer
from scripts.chaos.replication.world import Followed, Place, World
from scripts.chaos.replication.writers import Writer, routing_of

_PAGE: Final = 2000
_LOOK_EVERY_S: Final = 0.25
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Document:
    version: int
    seq_no: int
    term: int
    routing: str | None
    source: Any


Shards = Sequence[Mapping[str, Document]]
"""By shard, by id."""


async def documents(place: Place, index: str, shards: int) -> Shards:
    """All that a search finds."""
    await place.call("POST", f"/{index}/_refresh")
    return [{id: each async for id, each in _shard(place, index, n)} for n in range(shards)]


async def _shard(place: Place, index: str, shard: int) -> Any:
    body: dict[str, Any] = {
        "size": _PAGE,
        "sort": ["_seq_no"],
        "version": True,
        "seq_no_primary_term": True,
    }
    while True:
        target = f"/{index}/_search?preference=_shards:{shard}"
        hits = (await place.call("POST", target, body))["hits"]["hits"]
        if not hits:
            return
        for hit in hits:
            yield (
                hit["_id"],
                Document(
                    hit["_version"],
                    hit["_seq_no"],
                    hit["_primary_term"],
                    hit.get("_routing"),
                    hit["_source"],
                ),
            )
        body["search_after"] = hits[-1]["sort"]


def missing_writes(writer: Writer, found: Shards) -> Iterator[str]:
    """What a leader lacks of the acknowledged writes of that client, and what it has that nobody wrote."""
    by_id = {id: each for shard in found for id, each in shard.items()}
    for id, known in writer.known.items():
        has = by_id.get(id)
        if known is None:
            if has is not None:
                yield f"{writer.index}/{id} was deleted and is there: {has}"
            continue
        wanted = Document(known.version, known.seq_no, known.term, routing_of(id), known.source)
        if has != wanted:
            yield f"{writer.index}/{id} is not as acknowledged: {_short(has)}, not {_short(wanted)}"
    for id, known in writer.generated.items():
        has = by_id.get(id)
        wanted = Document(known.version, known.seq_no, known.term, None, known.source)
        if has != wanted:
            yield f"{writer.index}/{id} is not as acknowledged: {_short(has)}, not {_short(wanted)}"


def unknown_documents(writers: Sequence[Writer], found: Shards) -> Iterator[str]:
    """Of nobody, or there twice."""
    known = {id for writer in writers for id in (*writer.known, *writer.generated)}
    maybe = {mark for writer in writers for mark in writer.maybe}
    for shard in found:
        for id, each in shard.items():
            if id in known or id.startswith("before-"):
                continue
            mark = each.source.get("mark")
            if mark in maybe:
                maybe.discard(mark)
            else:
                yield f"{id} was written by nobody: {_short(each)}"


def differences(leader: Shards, follower: Shards) -> Iterator[str]:
    """By shard and id."""
    for number, (theirs, ours) in enumerate(zip(leader, follower, strict=True)):
        for id in sorted(theirs.keys() | ours.keys()):
            if theirs.get(id) != ours.get(id):
                yield f"[{number}] {id}: {_short(theirs.get(id))} there, {_short(ours.get(id))} here"


def _short(document: Document | None) -> str:
    return str(document)[:300]


async def level(world: World, pairs: Iterable[Followed], within_s: float) -> list[str]:
    """Waits until each follower has all of its leader. Returns those that do not get there."""
    until = asyncio.get_running_loop().time() + within_s
    late: list[str] = []
    for pair in pairs:
        while problem := await _behind(world, pair):
            if asyncio.get_running_loop().time() > until:
                late.append(f"{pair.copy} is not level after {within_s:.0f} s: {problem}")
                break
            await asyncio.sleep(_LOOK_EVERY_S)
    return late


async def _behind(world: World, pair: Followed) -> str:
    """Why a follower is not level, empty where it is."""
    there, here = world.places[pair.leader], world.places[pair.follower]
    try:
        theirs = await _numbers(there, pair.index)
        ours = await _numbers(here, pair.copy)
        stats = await here.ask("GET", f"/{pair.copy}/_ccr/stats")
    except (OSError, TimeoutError, RuntimeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    if stats.status != 200:
        return str(stats.body)[:500]
    shards = stats.body["indices"][0]["shards"]
    waiting = [each for each in shards if each["sealane"]["phase"] != "following"]
    if theirs == ours and not waiting:
        return ""
    return f"{theirs} there, {ours} here, {[state(each) for each in waiting]}"


def state(shard: Mapping[str, Any]) -> dict[str, Any]:
    """What tells why it waits."""
    names = ("shard_id", "last_requested_seq_no", "outstanding_read_requests", "read_exceptions")
    return {name: shard.get(name) for name in (*names, "fatal_exception", "sealane")}


async def _numbers(place: Place, index: str) -> dict[str, tuple[str, int]]:
    """By shard, the history and the highest number."""
    stats = await place.call("GET", f"/{index}/_stats?level=shards")
    shards = stats["indices"][index]["shards"]
    return {
        number: (each["commit"]["user_data"]["history_uuid"], each["seq_no"]["max_seq_no"])
        for number, (each,) in shards.items()
    }


async def compared(world: World, pair: Followed, writers: Sequence[Writer]) -> list[str]:
    """All that is wrong with one pair that is level: documents, metadata, and what it says of itself."""
    there, here = world.places[pair.leader], world.places[pair.follower]
    theirs = await documents(there, pair.index, pair.shards)
    ours = await documents(here, pair.copy, pair.shards)
    found = [f"{pair.copy} {each}" for each in differences(theirs, ours)]
    mine = [each for each in writers if (each.place, each.index) == (there, pair.index)]
    for writer in mine:
        found += missing_writes(writer, theirs)
    if mine:
        found += unknown_documents(mine, theirs)
    found += await _metadata(there, here, pair)
    verified = await here.call("GET", f"/{pair.copy}/_ccr/verify")
    if verified["equal"] is not True:
        found.append(f"{pair.copy} says of itself that it is not equal: {verified}")
    found += await _leases(there, here, pair)
    return found


async def _metadata(there: Place, here: Place, pair: Followed) -> list[str]:
    found = []
    for path in ("_mapping", "_alias"):
        theirs = (await there.call("GET", f"/{pair.index}/{path}"))[pair.index]
        ours = (await here.call("GET", f"/{pair.copy}/{path}"))[pair.copy]
        for alias in (*theirs.get("aliases", {}).values(), *ours.get("aliases", {}).values()):
            alias.pop("is_write_index", None)  # false at every follower
        if theirs != ours:
            found.append(f"{pair.copy}/{path} is {str(ours)[:400]}, not {str(theirs)[:400]}")
    key = "index.mapping.total_fields.limit"
    both = [
        (await place.call("GET", f"/{index}/_settings/{key}")).get(index, {})
        for place, index in ((there, pair.index), (here, pair.copy))
    ]
    if both[0] != both[1]:
        found.append(f"{pair.copy} has the settings {both[1]}, not {both[0]}")
    return found


async def _leases(there: Place, here: Place, pair: Followed) -> list[str]:
    """Every shard of the leader has the lease of that follower, not above what it needs."""
    index = await here.call("GET", f"/{pair.copy}/_settings/index.uuid")
    uuid = index[pair.copy]["settings"]["index"]["uuid"]
    stats = await there.call("GET", f"/{pair.index}/_stats?level=shards")
    found = []
    for number, (shard,) in stats["indices"][pair.index]["shards"].items():
        held = [each for each in shard["retention_leases"]["leases"] if uuid in each["id"]]
        if len(held) != 1 or held[0]["retaining_seq_no"] > shard["seq_no"]["max_seq_no"] + 1:
            found.append(f"{pair.copy}[{number}] has the leases {held} of {shard['seq_no']}")
    return found


def fatal_errors(answer: Answer) -> Iterator[tuple[str, str]]:
    """Followers that have stopped for good, with why."""
    for index in answer.body["follow_stats"]["indices"]:
        for shard in index["shards"]:
            if "fatal_exception" in shard:
                yield f"{index['index']}[{shard['shard_id']}]", str(shard["fatal_exception"])[:600]
