from collections.abc import Callable
from pathlib import Path

import pytest

from sealane.clock import RandomIds
from sealane.engine.base import ShardSearch
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.view import ShardView
from sealane.reduce.partial import Partial, ShardCounts, TotalHits
from sealane.testing.fake_engine import FakeMappings


class ManualClock:
    """Wall time that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms


class CountingSearcher:
    """Answers every search with the number of documents in the view."""

    def __init__(self) -> None:
        self.views: list[ShardView] = []

    def cached(self, view: ShardView, request: ShardSearch) -> Partial | None:
        return None

    def search_shard(
        self, view: ShardView, request: ShardSearch, check: Callable[[], None]
    ) -> Partial:
        check()
        self.views.append(view)
        total = TotalHits(view.searcher.num_docs)
        return Partial(hits=[], total=total, max_score=None, shards=ShardCounts(1, 1, 0, 0))


class Bench:
    """An engine that can be opened again over the same folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock()
        self.mappings = FakeMappings()
        self.searcher = CountingSearcher()

    def open(self) -> EmbeddedEngine:
        return EmbeddedEngine(
            self.path,
            clock=self.clock,
            ids=RandomIds(),
            mappings=self.mappings,
            searcher=self.searcher,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "engine")
