"""T-4, R-106: a leader that lies. Its follower refuses what it says, shows why, and nobody else notices anything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealane.model.replication import Ancestor, HistoryMark, LeaderAlias
from sealane.remote.transport import messages_replication as messages
from tests.security.attacks.replication_liar import (
    Honest,
    Lie,
    LyingLeader,
    lying_leader,
    of_changes,
    of_copy,
    of_histories,
    of_operations,
    of_start,
    of_state,
    replaced,
)

PATIENCE_S = 20.0
"""After so long a test has failed; nothing is concluded from less."""


@pytest.fixture
async def liar(tmp_path: Path) -> AsyncIterator[LyingLeader]:
    async with lying_leader(tmp_path) as found:
        yield found


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)


async def shown(liar: LyingLeader) -> str:
    """What the follower says of its troubles, once it does."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            stats = await liar.stats()
            told = [stats.get("fatal_exception"), stats["sealane"].get("last_error")]
            if any(told):
                return str(told)
            await asyncio.sleep(0.01)


def mapping(properties: Any) -> bytes:
    return msgspec.json.encode({"properties": properties})


DEEP = b'{"properties":{"a":' * 480 + b'{"type":"long"}' + b"}}" * 480
DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "another name": {"name": "other"},
    "a name without end": {"name": "x" * 100_000},
    "a uuid without end": {"uuid": "x" * 100_000},
    "no uuid": {"uuid": ""},
    "no shards": {"shards": 0},
    "fewer than no shards": {"shards": -1},
    "a million shards": {"shards": 1_000_000},
    "origins without end": {"origins": ("x",) * 100_000},
    "a version that cannot be kept": {"mapping_version": 2**63},
    "a negative version": {"aliases_version": -1},
    "a mapping that is none": {"mapping": b"[]"},
    "a mapping that is no JSON": {"mapping": b"{"},
    "a million fields": {"mapping": mapping({f"f{n}": {"type": "long"} for n in range(200_001)})},
    "fields within fields": {"mapping": DEEP},
    "a path without end": {"mapping": mapping({"a." * 5000 + "b": {"type": "long"}})},
    "a setting within another": {
        "settings": {"index.number_of_shards": "1", "index.number_of_shards.x": "1"}
    },
    "a setting of the cluster": {"settings": {"cluster.name": "mine"}},
    "a setting without a name": {"settings": {"index.": "x"}},
    "a path of settings": {"settings": {"index." + "a." * 200 + "b": "1"}},
    "settings without end": {"settings": {f"index.x{n}": "1" for n in range(20_000)}},
    "a value that is none": {"settings": {"index.refresh_interval": "zzz"}},
    "aliases without end": {"aliases": {f"a{n}": LeaderAlias() for n in range(20_000)}},
    "an alias that is an index": {"aliases": {"own": LeaderAlias()}},
    "an alias that is a pattern": {"aliases": {"*,../<a>": LeaderAlias()}},
    "a filter that is none": {"aliases": {"a": LeaderAlias(filter='{"nope":{}}')}},
    "a data stream": {"data_stream": "../x"},
}


@pytest.mark.parametrize("members", DESCRIPTIONS.values(), ids=DESCRIPTIONS.keys())
async def test_an_index_that_there_cannot_be(liar: LyingLeader, members: dict[str, Any]) -> None:
    """T-4: nothing is made of it."""
    liar.lies[messages.STATE] = of_state(**members)
    answer = await liar.follow()
    assert answer.status in (400, 500), answer.body
    assert answer.body["error"]["type"] != "exception"  # nobody had thought of it
    assert (await liar.victim.request("GET", "/copy")).status == 404
    await liar.is_unharmed()


async def test_histories_without_end(liar: LyingLeader) -> None:
    for change in (
        lambda true: replaced(true, shards=true.shards * 3000),
        lambda true: replaced(
            true, shards=(replaced(true.shards[0], ancestors=(Ancestor("x", 1),) * 5_000),)
        ),
        lambda true: replaced(true, shards=(replaced(true.shards[0], history_uuid="x" * 1000),)),
        lambda true: replaced(true, shards=(replaced(true.shards[0], checkpoint=2**63),)),
    ):
        liar.lies[messages.HISTORIES] = of_histories(change)
        answer = await liar.follow()
        assert answer.body["error"]["type"] == "transport_serialization_exception"
    await liar.is_unharmed()


async def test_settings_that_are_private_are_not_taken(liar: LyingLeader) -> None:
    """R-30: neither whose index it is, nor that it follows."""
    liar.lies[messages.STATE] = of_state(
        settings={
            "index.number_of_shards": "1",
            "index.uuid": "mine",
            "index.version.created": "1",
            "index.xpack.ccr.following_index": "false",
            "index.creation_date": "1",
        }
    )
    assert (await liar.follow()).status == 200
    settings = (await liar.victim.call("GET", "/copy/_settings"))["copy"]["settings"]["index"]
    assert settings["uuid"] != "mine"
    assert settings["creation_date"] != "1"
    assert settings["version"]["created"] != "1"
    assert settings["xpack"]["ccr"]["following_index"] == "true"
    refused = await liar.victim.request("PUT", "/copy/_doc/1", {"n": 1})
    assert refused.status == 403
    await liar.is_unharmed()


OPERATIONS: dict[str, Lie] = {
    "a version that cannot be kept": of_operations(version=2**63),
    "a term that cannot be kept": of_operations(term=2**63),
    "a term that nothing can follow": of_operations(term=2**63 - 1),
    "a time that cannot be kept": of_operations(wall_ms=2**63),
    "a negative number": of_operations(seq_no=-5),
    "a number that cannot be kept": of_operations(seq_no=2**63),
    "an id of a megabyte": of_operations(id="x" * 1_000_000),
    "no id": of_operations(id=""),
    "a routing of a megabyte": of_operations(routing="x" * 1_000_000),
    "a source that is no JSON": of_operations(source=b'{"n":'),
    "a source that is more": of_operations(source=b'{"n":1},"_id":"x"'),
    "a source that is no object": of_operations(source=b"[1]"),
    "a source that is no text": of_operations(source=b'{"n":"\xff"}'),
    "no source": of_operations(source=None),
    "half of a character": of_operations(source=b'{"n":"\\ud800"}'),
    "no end of depth": of_operations(source=b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "nothing, though there is more": of_changes(lambda answer, _: replaced(answer, operations=[])),
    "all of them twice": of_changes(
        lambda answer, _: replaced(answer, operations=[*answer.operations, *answer.operations])
    ),
    "a checkpoint that cannot be kept": of_changes(
        lambda answer, _: replaced(answer, checkpoint=2**63, max_seq_no=2**63)
    ),
    "a checkpoint above what there is": of_changes(
        lambda answer, _: replaced(answer, checkpoint=answer.max_seq_no + 1)
    ),
    "versions that cannot be kept": of_changes(
        lambda answer, _: replaced(answer, mapping_version=2**63)
    ),
    "versions that it does not have": of_changes(
        lambda answer, _: replaced(answer, settings_version=1000)
    ),
    "another history each time": of_changes(
        lambda answer, request: replaced(answer, history_uuid=f"{request.from_seq_no}-x")
    ),
    "no history": of_changes(lambda answer, _: replaced(answer, history_uuid="")),
}


@pytest.mark.parametrize("lie", OPERATIONS.values(), ids=OPERATIONS.keys())
async def test_operations_that_there_cannot_be(liar: LyingLeader, lie: Lie) -> None:
    """T-4, R-106: not one of them is applied, the reason is told; the truth is taken after a resume at the latest."""
    liar.lies[messages.CHANGES] = lie
    await liar.follow(wait=1, read_poll_timeout="1m")
    await liar.true.fill("leader", {"9": {"n": 9}})
    await shown(liar)
    assert (await liar.stats())["follower_global_checkpoint"] == 2
    await liar.is_unharmed()
    del liar.lies[messages.CHANGES]
    await liar.victim.call("POST", "/copy/_ccr/pause_follow")
    await liar.victim.call("POST", "/copy/_ccr/resume_follow")

    async def has_come() -> bool:
        return bool((await liar.stats())["follower_global_checkpoint"] == 3)

    await until(has_come)


COPIES: dict[str, tuple[str, Lie]] = {
    "up to a number that cannot be kept": (messages.OPEN_COPY, of_start(checkpoint=2**64 - 1)),
    "of fewer than no documents": (messages.OPEN_COPY, of_start(total_docs=-1)),
    "of another history": (messages.OPEN_COPY, of_start(history_uuid="x")),
    "of no history": (messages.OPEN_COPY, of_start(history_uuid="")),
    "proven by an operation that cannot be": (
        messages.OPEN_COPY,
        of_start(mark=HistoryMark(2, 2**64 - 1, 1, "x" * 1000, 1)),
    ),
    "proven by another operation": (
        messages.OPEN_COPY,
        of_start(mark=HistoryMark(1, 1, 1, "1", 1)),
    ),
    "that comes no further": (
        messages.COPY,
        of_copy(lambda page: replaced(page, operations=[], up_to=-1)),
    ),
    "of pages without documents": (
        messages.COPY,
        of_copy(lambda page: replaced(page, operations=[], up_to=0)),
    ),
    "to a checkpoint that cannot be reached": (
        messages.COPY,
        of_copy(lambda page: replaced(page, checkpoint=2**64 - 1)),
    ),
    "of a mapping that there is not": (
        messages.COPY,
        of_copy(lambda page: replaced(page, mapping_version=1000)),
    ),
}


@pytest.mark.parametrize(("action", "lie"), COPIES.values(), ids=COPIES.keys())
async def test_copies_that_there_cannot_be(liar: LyingLeader, action: str, lie: Lie) -> None:
    """T-4: nothing of one is searched."""
    liar.lies[action] = lie
    assert (await liar.follow()).status == 200
    await shown(liar)
    assert (await liar.victim.request("GET", "/copy/_search")).status == 503
    await liar.is_unharmed()


async def test_answers_at_once_with_nothing(liar: LyingLeader) -> None:
    """T-4: a leader that does not wait is asked more and more slowly."""
    empty: list[bytes] = []

    async def at_once(honest: Honest, payload: bytes) -> bytes:
        if not empty:
            empty.append(await honest())
        return empty[0]

    liar.lies[messages.CHANGES] = at_once
    assert (await liar.follow(read_poll_timeout="1m")).status == 200

    # Far more than are asked by then, were it by the pauses; without them they come in an instant.
    async def has_asked() -> bool:
        return liar.asked.count(messages.CHANGES) >= 6

    await until(has_asked)
    before = liar.asked.count(messages.CHANGES)
    for _ in range(500):
        await asyncio.sleep(0)
    assert liar.asked.count(messages.CHANGES) <= before + 1
