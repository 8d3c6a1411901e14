"""Clients that write to leaders, and know what must be there afterwards.

Each owns its ids, so what an acknowledged write left behind cannot be changed by anybody else. A write of which no
acknowledgement came is looked up: it has happened or not, and nothing else may be there.
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from scripts.chaos.replication.world import Place

Source = dict[str, Any]
NOT_EXTERNAL: Final = 0
_IDS: Final = 1500
_ROUTES: Final = 5
_BULK_MAX: Final = 80
_LARGE_TEXT: Final = 60_000
_LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Known:
    """A document as its last write was acknowledged, or found."""

    version: int
    seq_no: int
    term: int
    source: Source


@dataclass(frozen=True, slots=True)
class Write:
    """One operation. `source` is what will be there, None for a deletion; `part` is what an update sends of it."""

    id: str
    source: Source | None
    part: Source | None = None
    external: int = NOT_EXTERNAL

    @property
    def routing(self) -> str | None:
        return routing_of(self.id)

    @property
    def parameters(self) -> dict[str, str]:
        """Of its request; in a bulk, of its action."""
        found = {} if self.routing is None else {"routing": self.routing}
        if self.external != NOT_EXTERNAL:
            found |= {"version": str(self.external), "version_type": "external"}
        return found


def routing_of(id: str) -> str | None:
    """A third of the documents have one."""
    number = int(id.rpartition("-")[2]) if "-" in id else 1
    return f"r{number % _ROUTES}" if number % 3 == 0 else None


@dataclass(slots=True)
class Writer:
    """Writes to one index. `problems` are acknowledged writes that were not found; `generated` are the documents whose
    ids the node made, by id, `maybe` the marks of those of which it is not known whether they are there.
    """

    name: str
    place: Place
    index: str
    chance: random.Random
    known: dict[str, Known | None] = field(default_factory=dict)
    external: dict[str, int] = field(default_factory=dict)
    generated: dict[str, Known] = field(default_factory=dict)
    maybe: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    numbers: int = 0

    async def write_until(self, until: float, think_s: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self.write()
            await asyncio.sleep(self.chance.uniform(0, 2 * think_s))

    async def write(self) -> None:
        """One request."""
        kind = self.chance.random()
        if kind < 0.1:
            await self._generate()
        elif kind < 0.45:
            ids = {self._id() for _ in range(self.chance.randint(2, _BULK_MAX))}
            await self._bulk([self._planned(each) for each in sorted(ids)])
        else:
            await self._one(self._planned(self._id()))

    def _id(self) -> str:
        kind = "x" if self.chance.random() < 0.15 else "d"
        return f"{self.name}{kind}-{self.chance.randrange(_IDS)}"

    def _source(self) -> Source:
        self.numbers += 1
        source: Source = {"n": self.numbers, "by": self.name, "kind": self.chance.choice("abcd")}
        if self.chance.random() < 0.01:
            source["long"] = "lorem " * (self.chance.randrange(_LARGE_TEXT) // 6)
        if self.chance.random() < 0.002:
            source[f"field_{self.chance.randrange(40)}"] = self.chance.random()
        return source

    def _planned(self, id: str) -> Write:
        now = self.known.get(id)
        if id.startswith(f"{self.name}x"):
            version = self.external.get(id, 0) + self.chance.randint(1, 5)
            self.external[id] = version
            source = None if self.chance.random() < 0.2 else self._source()
            return Write(id, source, external=version)
        kind = self.chance.random()
        if kind < 0.2:
            return Write(id, None)
        if kind < 0.5 and now is not None:
            part = {"n": self._source()["n"], f"part_{self.chance.randrange(5)}": self.numbers}
            return Write(id, {**now.source, **part}, part)
        return Write(id, self._source())

    async def _one(self, write: Write) -> None:
        parameters = "&".join(f"{key}={value}" for key, value in write.parameters.items())
        path, method, body = f"_doc/{write.id}", "PUT", write.source
        if write.source is None:
            method = "DELETE"
        elif write.part is not None:
            path, method, body = f"_update/{write.id}", "POST", {"doc": write.part}
        try:
            answer = await self.place.ask(method, f"/{self.index}/{path}?{parameters}", body)
        except (OSError, TimeoutError):
            await self._look(write)
            return
        await self._take(write, answer.status, answer.body)

    async def _bulk(self, writes: list[Write]) -> None:
        lines = []
        for write in writes:
            action = {"_id": write.id, **write.parameters}
            if write.source is None:
                lines.append(json.dumps({"delete": action}))
            elif write.part is not None:
                lines += [json.dumps({"update": action}), json.dumps({"doc": write.part})]
            else:
                lines += [json.dumps({"index": action}), json.dumps(write.source)]
        body = ("\n".join(lines) + "\n").encode()
        try:
            answer = await self.place.ask("POST", f"/{self.index}/_bulk", body)
        except (OSError, TimeoutError):
            items: list[Any] = []
        else:
            items = answer.body["items"] if answer.status == 200 else []
        for number, write in enumerate(writes):
            if not items:
                await self._look(write)
                continue
            ((_, item),) = items[number].items()
            await self._take(write, item["status"], item)

    async def _generate(self) -> None:
        source = self._source()
        mark = f"{self.name}/{source['n']}"
        source["mark"] = mark
        try:
            answer = await self.place.ask("POST", f"/{self.index}/_doc", source)
        except (OSError, TimeoutError):
            self.maybe.add(mark)
            return
        if answer.status != 201:
            self.maybe.add(mark)
            return
        body = answer.body
        self.counts["create"] += 1
        self.generated[body["_id"]] = Known(
            body["_version"], body["_seq_no"], body["_primary_term"], source
        )

    async def _take(self, write: Write, status: int, item: Any) -> None:
        if status in (200, 201):
            self._done(write, item)
        elif status == 404 and write.source is None and item.get("result") == "not_found":
            if self.known.get(write.id) is not None:
                self.problems.append(f"{self.index}/{write.id} was acknowledged and is not there")
            self.known[write.id] = None
            self.counts["delete of none"] += 1
        else:
            await self._look(write)

    def _done(self, write: Write, item: Any) -> None:
        if write.source is None:
            self.known[write.id] = None
            self.counts["delete"] += 1
            return
        self.known[write.id] = Known(
            item["_version"], item["_seq_no"], item["_primary_term"], write.source
        )
        self.counts["update" if write.part is not None else str(item["result"])] += 1

    async def _look(self, write: Write) -> None:
        """Waits until the node tells whether that write has happened."""
        self.counts["without an answer"] += 1
        routing = "" if write.routing is None else f"?routing={write.routing}"
        while True:
            try:
                answer = await self.place.ask("GET", f"/{self.index}/_doc/{write.id}{routing}")
            except (OSError, TimeoutError):
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            if answer.status == 200 or (answer.status == 404 and "found" in answer.body):
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        self._found(write, answer.body)

    def _found(self, write: Write, body: Any) -> None:
        before = self.known.get(write.id)
        if not body["found"]:
            if write.source is not None and before is not None:
                self.problems.append(f"{self.index}/{write.id} was acknowledged and is lost")
            self.known[write.id] = None
            return
        now = Known(body["_version"], body["_seq_no"], body["_primary_term"], body["_source"])
        if now != before and now.source != write.source:
            was = None if before is None else before.source.get("n")
            self.problems.append(
                f"{self.index}/{write.id} is neither as it was ({was}) nor as it was written: {now}"
            )
        self.known[write.id] = now
