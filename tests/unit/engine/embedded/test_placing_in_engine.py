"""Searches whose like has been short run on the loop, others on the executor."""

import threading
from collections.abc import Callable

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.view import ShardView
from sealane.query import parse_search_body
from sealane.reduce.partial import Partial
from sealane.testing.engine_contract import INDEX, config, context

from .conftest import Bench, CountingSearcher


class Threads(CountingSearcher):
    """Keeps the threads it was called on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    def search_shard(
        self, view: ShardView, request: ShardSearch, check: Callable[[], None]
    ) -> Partial:
        self.seen.append(threading.current_thread() is threading.main_thread())
        return super().search_shard(view, request, check)


async def test_the_second_search_of_a_shape_runs_on_the_loop(bench: Bench) -> None:
    bench.searcher = searcher = Threads()
    engine = bench.open()
    await engine.open_index(config(), new=True)
    for word in ("a", "b"):
        body = parse_search_body(f'{{"query":{{"match":{{"f":"{word}"}}}}}}'.encode())
        request = ShardSearch(index_name="i", body=body, size=10, now_ms=0)
        await engine.search(INDEX, 0, request, context())
    assert searcher.seen == [False, True]
    await engine.close()
