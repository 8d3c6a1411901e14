"""Whole requests to a small cluster with a remote: what is parsed, searched, merged and shown."""

import asyncio
import logging
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from sealane.query.any_json import dumps
from sealane.testing.in_process import Answer, InProcessCluster, clusters
from tests.fuzz.target import Target
from tests.fuzz.targets.bodies import AGGS, QUERIES, WORDS

_MAPPING: Final = {
    "properties": {
        "t": {"type": "text"},
        "f": {"type": "keyword"},
        "n": {"type": "long"},
        "x": {"type": "double"},
        "d": {"type": "date"},
        "b": {"type": "boolean"},
        "p": {"type": "geo_point"},
        "v": {"type": "dense_vector", "dims": 2},
        "o": {"type": "nested", "properties": {"k": {"type": "keyword"}}},
    }
}
_DOCUMENTS: Final = {
    str(number): {
        "t": f"some text number {number}",
        "f": "abc"[number % 3],
        "n": number,
        "x": number / 3,
        "d": f"2024-01-0{1 + number % 9}",
        "b": number % 2 == 0,
        "p": [number, number / 2],
        "v": [1, number + 1],
        "o": [{"k": "y"}, {"k": "z"}],
    }
    for number in range(7)
}
_ASKED: Final = (
    ("POST", "/i/_search"),
    ("POST", "/i,eu:i/_search"),
    ("POST", "/i,eu:i/_search?ccs_minimize_roundtrips=false"),
    ("POST", "/i/_count"),
    ("POST", "/i/_validate/query?explain=true"),
    ("POST", "/i/_explain/1"),
    ("POST", "/*,*:*/_field_caps?fields=*"),
    ("POST", "/i/_terms_enum"),
    ("POST", "/i/_mget"),
    ("POST", "/i/_msearch"),
    ("POST", "/i/_analyze"),
    ("POST", "/_render/template"),
    ("POST", "/i/_search/template"),
)
"""The first byte of an input says which; the rest is the query string, a line feed, and the body."""


class _Faults(logging.Handler):
    """Errors of ours in the log are findings, whatever the client is told."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(record)


class _Pair:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._faults = _Faults()
        logging.getLogger("sealane").addHandler(self._faults)
        self._cluster = self._loop.run_until_complete(self._start())

    async def _start(self) -> InProcessCluster:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-"))
        local, eu = await self._stack.enter_async_context(clusters(Path(folder), "local", "eu"))
        for each in (local, eu):
            await each.call(
                "PUT", "/i", {"mappings": _MAPPING, "settings": {"number_of_shards": 2}}
            )
            await each.fill("i", _DOCUMENTS)
        local.register(eu)
        return local

    def close(self) -> None:
        logging.getLogger("sealane").removeHandler(self._faults)
        self._loop.run_until_complete(self._stack.aclose())
        self._loop.close()

    def ask(self, method: str, target: str, body: bytes) -> Answer:
        self._faults.found.clear()
        answer = self._loop.run_until_complete(self._cluster.request(method, target, body))
        for record in self._faults.found:
            assert record.exc_info is not None
            text = "".join(traceback.format_exception(record.exc_info[1]))
            raise AssertionError(f"{record.getMessage()}: {text}")
        return answer


@lru_cache(maxsize=1)
def _pair() -> _Pair:
    return _Pair()


def _close() -> None:
    if _pair.cache_info().currsize:
        _pair().close()
        _pair.cache_clear()


def _seeds() -> Iterator[bytes]:
    for number in range(3):
        for query in QUERIES:
            yield bytes((number,)) + b"\n" + orjson.dumps({"query": query, "size": 3})
        for agg in AGGS:
            inner = {"m": {"avg": {"field": "n"}}}
            yield (
                bytes((number,))
                + b"\n"
                + orjson.dumps({"aggs": {"a": agg, "b": {**agg}}, **_OPTIONS})
            )
            if "top_hits" not in agg and "cardinality" not in agg and "percentiles" not in agg:
                yield (
                    bytes((number,)) + b"\n" + orjson.dumps({"aggs": {"a": {**agg, "aggs": inner}}})
                )
    for query in QUERIES[:6]:
        for number in (3, 4, 5):
            yield bytes((number,)) + b"\n" + orjson.dumps({"query": query})
    yield b"\0q=t:text&sort=n:desc&_source=f&track_total_hits=3&pretty\n"
    yield b'\6\n{"index_filter":{"range":{"d":{"gte":"2024-01-02"}}}}'
    yield b'\7\n{"field":"f","string":"a"}'
    yield b'\x08\n{"docs":[{"_id":"1","_source":["f"]},{"_id":"9"}]}'
    yield b'\x09\n{}\n{"query":{"match":{"t":"text"}}}\n{"index":"eu:i"}\n{"size":0}\n'
    yield b'\x0a\n{"text":"Some Text","analyzer":"standard","explain":true}'
    yield b'\x0b\n{"source":"{\\"size\\":\\"{{s}}\\"}","params":{"s":3}}'
    yield b'\x0c\n{"source":{"size":"{{s}}"},"params":{"s":3}}'


_OPTIONS: Final[dict[str, Any]] = {
    "sort": [{"d": "desc"}, {"f": {"missing": "_first"}}],
    "highlight": {"fields": {"t": {}}},
    "fields": ["*"],
    "collapse": {"field": "f"},
    "suggest": {"s": {"text": "txt", "term": {"field": "t"}}},
    "_source": ["t", "o.*"],
    "track_total_hits": True,
}


def _run(data: bytes) -> None:
    method, target = _ASKED[data[0] % len(_ASKED) if data else 0]
    query, _, body = data[1:].partition(b"\n")
    if query:
        target += ("&" if "?" in target else "?") + query.decode("latin-1")
    answer = _pair().ask(method, target, body)
    dumps(answer.body)


TARGETS = (
    Target(
        name="requests",
        run=_run,
        seeds=_seeds,
        refusals=(),
        close=_close,
        words=WORDS,
        max_len=1024,
        share=1,
    ),
)
