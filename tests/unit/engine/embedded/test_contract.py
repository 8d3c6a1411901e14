from collections.abc import AsyncIterator

import pytest

from sealane.clock import RandomIds, SystemClock
from sealane.engine.embedded import search
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.testing.engine_contract import EngineContract
from sealane.testing.fake_engine import FakeEngine, FakeMappings

from .conftest import Bench


class TestEmbedded(EngineContract):
    @pytest.fixture
    async def engine(self, bench: Bench) -> AsyncIterator[EmbeddedEngine]:
        bench.searcher = search  # type: ignore[assignment]
        engine = bench.open()
        yield engine
        await engine.close()


class TestFake(EngineContract):
    @pytest.fixture
    async def engine(self) -> AsyncIterator[FakeEngine]:
        engine = FakeEngine(clock=SystemClock(), ids=RandomIds(), mappings=FakeMappings())
        yield engine
        await engine.close()
