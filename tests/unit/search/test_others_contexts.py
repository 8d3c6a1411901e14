"""Reader contexts of a search in phases: what somebody opened, nobody else reads on in, and nobody else closes.

The readers are scripted. Both subjects have the same rights, and are told the other's context.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sealane.engine.base import FoundDoc, ShardSearch
from sealane.errors import SecurityError
from sealane.model.access import bound
from sealane.model.security import IndexLimits, Realm, Subject
from sealane.model.task import Context, TaskRegistry
from sealane.reduce.partial import Hit, Partial, ShardCounts
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    FREE,
    OPEN,
    QUERY,
    SCROLL,
    CanMatchRequest,
    FetchRequest,
    FreeRequest,
    OpenRequest,
    QueryRequest,
    ScrollRequest,
    ShardTarget,
    WantedDoc,
    WantedDocs,
)
from sealane.search.shard_phases import CLEAR_ALL_SCROLLS, ShardPhases

REALM = Realm(name="native1", type="native")
ALICE, BOB = Subject(name="alice", realm=REALM), Subject(name="bob", realm=REALM)
TARGET = ShardTarget("i", "u", 0, reached=("i",))


class Reader:
    """Opens contexts, and keeps account of what is done in which."""

    def __init__(self) -> None:
        self.open: dict[str, Callable[[str], None]] = {}
        self.used: list[str | None] = []
        self.kept: list[str] = []

    async def open_reader(
        self, uuid: str, shard: int, *, keep_alive_s: float, on_close: Callable[[str], None]
    ) -> str:
        context = f"n:{len(self.open) + 1}"
        self.open[context] = on_close
        return context

    async def keep_reader(self, context: str, keep_alive_s: float) -> None:
        self.kept.append(context)

    async def close_reader(self, context: str) -> bool:
        closed = self.open.pop(context, None)
        if closed is not None:
            closed(context)
        return closed is not None

    async def can_match(self, uuid: str, shard: int, request: ShardSearch) -> bool:
        self.used.append(request.reader)
        return True

    async def search(self, uuid: str, shard: int, request: ShardSearch, ctx: Context) -> Partial:
        self.used.append(request.reader)
        hit = Hit(index="i", id="1", score=None, shard=0, index_uuid="u", sort=[1])
        return Partial(
            hits=[hit], total=None, max_score=None, shards=ShardCounts(total=1, successful=1)
        )

    async def fetch(
        self, uuid: str, shard: int, search: ShardSearch, docs: Sequence[FoundDoc], ctx: Context
    ) -> list[Hit]:
        self.used.append(search.reader)
        return []


class Defaults:
    def max_open_scrolls(self) -> int:
        return 9

    def timeout_ms(self) -> int | None:
        return None

    def max_keep_alive_ms(self) -> int:
        return 60_000


class Phases:
    """The phases over a scripted reader, as somebody asks for them."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.denied = False
        reader: Any = self.reader
        defaults: Any = Defaults()
        self._phases = ShardPhases(
            resolve=lambda names, options, ctx: (),
            limits_of=self._limits_of,
            reader=reader,
            node_id="n",
            defaults=defaults,
        )

    def _limits_of(self, index: str, uuid: str, reached: Sequence[str]) -> IndexLimits | None:
        if self.denied:
            raise SecurityError("denied")
        return None

    async def ask(self, who: Subject, phase: Any, request: Any) -> Any:
        with TaskRegistry("n").start("search", start_ms=0) as task:
            return await self._phases.run(phase, request, Context(task=task, subject=who))

    async def opened(self, who: Subject) -> str:
        """A point in time of one shard."""
        answer = await self.ask(who, OPEN, OpenRequest([TARGET], 1_000))
        context: str = answer.outcomes[0].context
        return context

    async def scrolled(self, who: Subject) -> str:
        request = QueryRequest(b'{"sort":["_doc"]}', 1, [TARGET], keep_ms=1_000, scroll=True)
        answer = await self.ask(who, QUERY, request)
        context: str = answer.outcomes[0].context
        return context


class ClearsAll:
    """Rights that are used to end all scrolls."""

    action = CLEAR_ALL_SCROLLS


@pytest.fixture
def phases() -> Phases:
    return Phases()


def within(context: str) -> ShardTarget:
    return ShardTarget("i", "u", 0, context=context, reached=("i",))


async def test_nobody_reads_in_a_context_of_another(phases: Phases) -> None:
    """X-54, T-3: not the query, nor what it is asked before, nor the documents; and it lives no longer by it."""
    context = await phases.opened(ALICE)
    query = QueryRequest(b"{}", 1, [within(context)], keep_ms=9_000)
    fetch = FetchRequest(b"{}", [WantedDocs(within(context), [WantedDoc(1)])])
    for phase, request in ((QUERY, query), (FETCH, fetch)):
        (outcome,) = (await phases.ask(BOB, phase, request)).outcomes
        assert outcome.error["type"] == "search_context_missing_exception"
    with pytest.raises(Exception, match="No search context found for id"):
        await phases.ask(BOB, CAN_MATCH, CanMatchRequest(b"{}", [within(context)]))
    assert (phases.reader.used, phases.reader.kept) == ([], [])
    for phase, request in ((QUERY, query), (FETCH, fetch)):
        (outcome,) = (await phases.ask(ALICE, phase, request)).outcomes
        assert outcome.error is None
    assert phases.reader.used == [context, context]


async def test_nobody_turns_the_pages_of_another(phases: Phases) -> None:
    """X-54, T-3: the scroll goes on for whoever began it."""
    context = await phases.scrolled(ALICE)
    phases.reader.used.clear()
    answer = await phases.ask(BOB, SCROLL, ScrollRequest([context], 9_000))
    assert answer.outcomes[0].error["type"] == "search_context_missing_exception"
    assert (answer.body, answer.targets) == (b"", [None])
    assert (phases.reader.used, phases.reader.kept) == ([], [])
    answer = await phases.ask(ALICE, SCROLL, ScrollRequest([context], None))
    assert answer.outcomes[0].error is None


async def test_nobody_closes_a_context_of_another(phases: Phases) -> None:
    """T-3: by naming it, after a fetch, or with all scrolls; but who may end all of them ends all."""
    point, scroll = await phases.opened(ALICE), await phases.scrolled(ALICE)
    own = await phases.opened(BOB)
    answer = await phases.ask(BOB, FREE, FreeRequest([point, scroll], all_scrolls=True))
    assert answer.freed == 0
    await phases.ask(BOB, FETCH, FetchRequest(b"{}", [], frees=[point, scroll, own]))
    assert phases.reader.open.keys() == {point, scroll}
    clears_all: Any = ClearsAll()
    with bound(clears_all):
        answer = await phases.ask(BOB, FREE, FreeRequest([], all_scrolls=True))
    assert answer.freed == 1
    assert phases.reader.open.keys() == {point}
    assert (await phases.ask(ALICE, FREE, FreeRequest([point]))).freed == 1


async def test_a_context_is_opened_where_the_index_may_be_read(phases: Phases) -> None:
    """X-54: what names an index by its uuid is judged like what names it; rights that are gone end its use."""
    context, scroll = await phases.opened(ALICE), await phases.scrolled(ALICE)
    phases.denied = True
    (outcome,) = (await phases.ask(ALICE, OPEN, OpenRequest([TARGET], 1_000))).outcomes
    assert outcome.error["type"] == "security_exception"
    assert len(phases.reader.open) == 2
    phases.reader.used.clear()
    (outcome,) = (
        await phases.ask(ALICE, QUERY, QueryRequest(b"{}", 1, [within(context)]))
    ).outcomes
    assert outcome.error["type"] == "security_exception"
    answer = await phases.ask(ALICE, SCROLL, ScrollRequest([scroll], None))
    assert answer.outcomes[0].error["type"] == "security_exception"
    assert phases.reader.used == []
