from collections.abc import AsyncIterator

import pytest

from sealane.clock import RandomIds
from sealane.engine.embedded import search
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.testing.engine_contract import EngineContract
from sealane.testing.fake_engine import FakeEngine, FakeMappings
from sealane.testing.replication_contract import ReplicationContract

from .conftest import Bench, ManualClock


class TestEmbedded(EngineContract, ReplicationContract):
    @pytest.fixture
    def clock(self, bench: Bench) -> ManualClock:
        return bench.clock

    @pytest.fixture
    async def engine(self, bench: Bench) -> AsyncIterator[EmbeddedEngine]:
        bench.searcher = search  # type: ignore[assignment]
        engine = bench.open()
        yield engine
        await engine.close()


class TestFake(EngineContract, ReplicationContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def engine(self, clock: ManualClock) -> AsyncIterator[FakeEngine]:
        engine = FakeEngine(clock=clock, ids=RandomIds(), mappings=FakeMappings())
        yield engine
        await engine.close()
