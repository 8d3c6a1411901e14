"""Two clusters with an index of which documents and fields are hidden, and indices that never had them.

Documents that are hidden say `canary`, and their numbers hold 77700; fields that are hidden say `raven`, and 66600.
Wherever one of these shows for whom it is hidden, something leaked.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sealane.errors import SecurityError
from sealane.model.access import bound, current_access
from sealane.model.security import FieldGrant, FieldLimits, IndexLimits
from sealane.testing.in_process import InProcessCluster, clusters
from tests.conformance.conftest import Noon

Json = dict[str, Any]

HIDES: Json = {
    "documents": IndexLimits(queries=((b'{"term": {"kind": "open"}}',),)),
    "fields": IndexLimits(
        fields=FieldLimits(((FieldGrant(excepted=("secret*", "*.secret")),),)),
    ),
    "both": IndexLimits(
        queries=((b'{"range": {"secret_n": {"lt": 700000}}}',),),
        fields=FieldLimits(((FieldGrant(excepted=("secret*", "*.secret")),),)),
    ),
}
"""What is hidden. With both, a hidden field decides which documents are."""

TEXT: Json = {"type": "text", "fields": {"raw": {"type": "keyword"}}}
VECTOR: Json = {"type": "dense_vector", "dims": 2, "similarity": "l2_norm"}
MAPPING: Json = {
    "properties": {
        "kind": {"type": "keyword"},
        "title": TEXT,
        "n": {"type": "long"},
        "price": {"type": "double"},
        "at": {"type": "date"},
        "tags": {"type": "keyword"},
        "flag": {"type": "boolean"},
        "place": {"type": "geo_point"},
        "addr": {"type": "ip"},
        "vec": VECTOR,
        "comp": {"type": "completion"},
        "code": {"type": "keyword", "ignore_above": 3},
        "obj": {"properties": {"open": {"type": "keyword"}, "secret": {"type": "keyword"}}},
        "items": {
            "type": "nested",
            "properties": {
                "name": {"type": "keyword"},
                "price": {"type": "long"},
                "note": {"type": "text"},
                "secret": {"type": "keyword"},
            },
        },
        "secret": {"type": "keyword"},
        "secret_text": TEXT,
        "secret_n": {"type": "long"},
        "secret_at": {"type": "date"},
        "secret_flag": {"type": "boolean"},
        "secret_place": {"type": "geo_point"},
        "secret_addr": {"type": "ip"},
        "secret_vec": VECTOR,
        "secret_comp": {"type": "completion"},
        "secret_code": {"type": "keyword", "ignore_above": 3},
        "secret_alias": {"type": "alias", "path": "secret"},
        "open_alias": {"type": "alias", "path": "secret"},
    }
}
DOCUMENTS = 10
_OF_DOCUMENTS, _OF_FIELDS = r"canary|7770\d", r"raven|6660\d"
_LEAKS = {
    "documents": re.compile(_OF_DOCUMENTS),
    "fields": re.compile(_OF_FIELDS),
    "both": re.compile(f"{_OF_DOCUMENTS}|{_OF_FIELDS}"),
}


def document(number: int, place: str) -> Json:
    """Every third document is hidden, and says so in each of its values."""
    shut = number % 3 == 2
    word = "canary" if shut else ("red", "green", "blue")[number % 2]
    n = (777000 if shut else 0) + number + (0 if place == "l" else DOCUMENTS)
    secret = f"{'canary-' if shut else ''}raven{number}{place}"
    return {
        "kind": "canary-shut" if shut else "open",
        "title": f"quick {word} fox {word}{number}",
        "n": n,
        "price": n + 0.5,
        "at": f"2024-{'12' if shut else '01'}-1{number}T10:00:00Z",
        "tags": [f"{word}-{number}", f"{word}-all"],
        "flag": shut,
        "place": {"lat": 60.0 if shut else number, "lon": number},
        "addr": f"{'99' if shut else '10'}.0.0.{number}",
        "vec": [50.0, 50.0] if shut else [1.0, number + (0.0 if place == "l" else 0.25)],
        "comp": f"{word} entry {number}{place}",
        "code": f"{word}-long" if number % 4 == 0 else "abc",
        "obj": {"open": f"{word}{number}", "secret": secret},
        "items": [
            {"name": f"{word}-a", "price": n, "note": f"small {word} note", "secret": secret},
            {"secret": secret},
            {"name": f"{word}-b", "price": n + 1, "note": f"large {word} note"},
        ],
        "secret": secret,
        "secret_text": f"{'canary ' if shut else ''}raven text {number}",
        "secret_n": (777000 if shut else 666000) + number,
        "secret_at": f"2020-02-1{number}",
        "secret_flag": True,
        "secret_place": {"lat": 70.0 + number, "lon": 7.0},
        "secret_addr": f"88.0.0.{number}",
        "secret_vec": [9.0, number + (0.0 if place == "l" else 0.25)],
        "secret_comp": f"{'canary ' if shut else ''}raven entry {number}",
        "secret_code": "raven-long",
    }


def without_fields(value: Any) -> Any:
    """A document as it would be had nobody written what is hidden."""
    if isinstance(value, dict):
        return {
            name: without_fields(member)
            for name, member in value.items()
            if not name.startswith("secret")
        }
    return [without_fields(each) for each in value] if isinstance(value, list) else value


def stored(hides: str, place: str) -> dict[str, Json]:
    """What an index holds that never had what is hidden."""
    found = {}
    for number in range(DOCUMENTS):
        made = document(number, place)
        if hides != "fields" and made["kind"] != "open":
            continue
        found[f"{place}{number}"] = made if hides == "documents" else without_fields(made)
    return found


class LimitedAccess:
    """May do all, and sees of `docs` what its limits leave."""

    action = "indices:data/read/search"

    def __init__(self, limits: IndexLimits) -> None:
        self._limits = limits

    is_granted = True

    def allows(self, name: str) -> bool:
        return True

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        return self._limits if any(name.startswith("docs") for name in names) else None

    def exceeds(self, name: str, other: str) -> bool:
        return False

    def denial(self, names: Sequence[str]) -> SecurityError:
        return SecurityError(f"{names} is denied")

    def acting(self, action: str) -> "LimitedAccess":
        return self


class World:
    """The clusters, and the same questions of whom something is hidden from and of whom nothing is."""

    def __init__(self, local: InProcessCluster, eu: InProcessCluster, hides: str) -> None:
        self.local = local
        self.eu = eu
        self.hides = hides
        self._access = LimitedAccess(HIDES[hides])

    async def limited(self, method: str, target: str, body: Any = None) -> tuple[int, str]:
        """Of the index that has everything, with something hidden. What is said three times is in the answer once."""
        with bound(self._access):
            answer = await self.local.request(method, target, body)
        return answer.status, _told(answer.body)

    async def bare(self, method: str, target: str, body: Any = None) -> tuple[int, str]:
        """The same of the index that lacks what is hidden."""
        if isinstance(body, bytes):
            body = body.replace(b"docs", b"bare")
        else:
            body = json.loads(json.dumps(body).replace("docs", "bare"))
        answer = await self.local.request(method, target.replace("docs", "bare"), body)
        return answer.status, _told(answer.body).replace("bare", "docs")


def leaks(text: str, hides: str) -> bool:
    return _LEAKS[hides].search(text) is not None


def _told(body: Any) -> str:
    return json.dumps(body, sort_keys=True)


def answered(told: str) -> Any:
    """An answer without what differs from one run to the next, also which cluster's mistake is told first."""
    found = json.loads(told)
    if isinstance(found, dict) and "error" in found:
        found = json.loads(told.replace("eu:docs", "docs"))
    return _plain(found)


def unscored(answer: Any) -> Any:
    """Scores are by the statistics of all documents, as in the reference: those that are hidden too."""
    if isinstance(answer, dict):
        return {
            name: unscored(member)
            for name, member in answer.items()
            if name not in ("_score", "max_score", "_explanation", "explanation", "score")
        }
    return [unscored(each) for each in answer] if isinstance(answer, list) else answer


_VARYING = frozenset(
    (
        "took",
        "took_ms",
        "_scroll_id",
        "pit_id",
        "index_uuid",
        "_seq_no",
        "_version",
        "profile",
        "id",
    )
)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: sorted(map(_told, _plain(member))) if name == "failed_shards" else _plain(member)
            for name, member in value.items()
            if name not in _VARYING
        }
    if isinstance(value, float):
        return round(value, 9)
    return [_plain(each) for each in value] if isinstance(value, list) else value


@asynccontextmanager
async def world(folder: Path, hides: str, shards: int) -> AsyncIterator[World]:
    async with clusters(folder, "local", "eu", clock=Noon(), guard=current_access) as (local, eu):
        local.register(eu)
        for cluster in (local, eu):
            place = cluster.name[0]
            for index in ("docs", "bare"):
                body = {"mappings": MAPPING, "settings": {"number_of_shards": shards}}
                await cluster.call("PUT", f"/{index}", body)
            whole = {f"{place}{number}": document(number, place) for number in range(DOCUMENTS)}
            await cluster.fill("docs", whole)
            await cluster.fill("bare", stored(hides, place))
            for index in ("docs", "bare"):
                for alias in (f"{index}_too", f"{index}-2026.11.22"):
                    await cluster.call("PUT", f"/{index}/_alias/{alias}")
        yield World(local, eu, hides)
