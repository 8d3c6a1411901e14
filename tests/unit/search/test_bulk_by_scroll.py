"""Page by page, against scripted searches and writes."""

import asyncio
import math
from collections.abc import Sequence

from sealane.cluster.documents import BulkItem, Outcome, Refresh
from sealane.errors import ConnectTransport
from sealane.model.document import OpType, WriteOp, WriteResult
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_search_body
from sealane.reduce.partial import Hit, Partial, ShardCounts, ShardFailure, TotalHits
from sealane.search.bulk_by_scroll import BulkByScroll, Done, Progress, Work
from sealane.search.client_search import ClientSearch
from sealane.search.outcome import SearchOutcome
from sealane.search.pit import Freed
from sealane.search.scroll import ScrollPage
from sealane.testing.simulation import in_virtual_time

BODY = parse_search_body(b"{}")


class Scripted:
    """Searches and scrolls that hand out pages of so many hits; implements Searches and Pages."""

    def __init__(self, *pages: int, failures: Sequence[ShardFailure] = ()) -> None:
        self.pages = list(pages)
        self.total = sum(pages)
        self.failures = list(failures)
        self.closed: list[str] = []
        self.kept_ms: list[int | None] = []
        self.refuses_to_close = False

    @property
    def scrolls(self) -> "Scripted":
        return self

    async def search(self, request: ClientSearch, ctx: Context) -> SearchOutcome:
        return self._page()

    async def next(self, scroll_id: str, keep_ms: int | None, ctx: Context) -> ScrollPage:
        assert scroll_id == "s"
        self.kept_ms.append(keep_ms)
        return ScrollPage(self._page(), BODY)

    async def close(self, scroll_ids: Sequence[str], ctx: Context) -> Freed:
        self.closed += scroll_ids
        if self.refuses_to_close:
            raise ConnectTransport("gone")
        return Freed(1, succeeded=True)

    def _page(self) -> SearchOutcome:
        count = self.pages.pop(0) if self.pages else 0
        answer = Partial(
            hits=[Hit("i", str(n), None, b"{}") for n in range(count)],
            total=TotalHits(self.total),
            max_score=None,
            shards=ShardCounts(1, 1),
            failures=self.failures,
        )
        return SearchOutcome(answer=answer, took_ms=0, scroll_id="s")


class Written:
    def __init__(self) -> None:
        self.batches: list[int] = []

    async def bulk(
        self, items: Sequence[BulkItem], refresh: Refresh, ctx: Context
    ) -> list[Outcome]:
        self.batches.append(len(items))
        result = WriteResult(id="1", result="created", version=1, seq_no=0, primary_term=1)
        return [Outcome("d", "1", result) for _ in items]


def _write(hit: Hit) -> BulkItem:
    return BulkItem(action="index", index="d", op=WriteOp(op=OpType.INDEX, id=hit.id, source=b"{}"))


async def run(
    searches: Scripted, *, max_docs: int | None = None, rate: float = math.inf
) -> tuple[Done, Written]:
    written = Written()
    with TaskRegistry("n").start("reindex", start_ms=0) as task:
        work = Work(
            search=ClientSearch(expressions=("i",), body=BODY, scroll_ms=1000),
            write=_write,
            max_docs=max_docs,
            progress=Progress(requests_per_second=rate),
        )
        done = await BulkByScroll(searches, written).run(work, Context(task=task))
    return done, written


async def test_one_bulk_a_page_until_a_page_is_empty() -> None:
    searches = Scripted(3, 3, 1)
    done, written = await run(searches)
    assert written.batches == [3, 3, 1]
    assert (done.progress.total, done.progress.created, done.progress.batches) == (7, 7, 3)
    assert (done.status, searches.closed) == (200, ["s"])


async def test_nothing_found_is_nothing_written() -> None:
    done, written = await run(Scripted())
    assert (written.batches, done.progress.batches, done.status) == ([], 0, 200)


async def test_the_last_page_is_cut_to_what_is_wanted() -> None:
    done, written = await run(Scripted(3, 3, 3), max_docs=4)
    assert written.batches == [3, 1]
    assert done.progress.total == 4


async def test_a_failure_of_the_search_ends_it_before_anything_is_written() -> None:
    failure = ShardFailure(0, "i", ConnectTransport("gone").to_wire())
    searches = Scripted(3, failures=[failure])
    done, written = await run(searches)
    assert (written.batches, done.search_failures, done.status) == ([], (failure,), 502)
    assert searches.closed == ["s"]


async def test_a_scroll_that_cannot_be_closed_does_not_spoil_the_answer() -> None:
    searches = Scripted(1)
    searches.refuses_to_close = True
    done, _ = await run(searches)
    assert done.status == 200


@in_virtual_time
async def test_a_page_takes_the_time_that_the_rate_gives_it() -> None:
    began = asyncio.get_running_loop().time()
    searches = Scripted(10, 10)
    done, _ = await run(searches, rate=2.0)
    assert asyncio.get_running_loop().time() - began == 10
    assert searches.kept_ms == [6_000, 6_000]  # the scroll's own second, and the wait
    assert done.progress.throttled_ms == 10_000
    assert done.progress.to_json()["requests_per_second"] == 2.0
