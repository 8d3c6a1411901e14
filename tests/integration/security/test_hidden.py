"""Documents and fields that a role, a key or both hide from a search over another cluster, on real sockets."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.security.pair import Pair, remote_indices, secured_pair

PUBLIC: dict[str, Any] = {"query": {"term": {"level": "public"}}}
FEW: dict[str, Any] = {"query": {"range": {"n": {"lt": 3}}}}
NO_SECRETS: dict[str, Any] = {"field_security": {"grant": ["*"], "except": ["secret*"]}}
NO_NUMBERS: dict[str, Any] = {"field_security": {"grant": ["level", "secret"]}}
MODES = ("true", "false")


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """`east` has six documents: the even ones are public."""
    async with secured_pair(tmp_path) as found:
        mapping = {"properties": {"level": {"type": "keyword"}, "secret": {"type": "keyword"}}}
        settings = {"number_of_shards": 2}
        await found.east.make("PUT", "/logs-2", {"mappings": mapping, "settings": settings})
        for number in range(6):
            level = "hidden" if number % 2 else "public"
            body = {"n": number, "level": level, "secret": f"canary{number}"}
            await found.east.make("PUT", f"/logs-2/_doc/{number}?refresh=true", body)
        yield found


async def connect(pair: Pair, **access: Any) -> str:
    """A remote by a key with these limits; its id."""
    wanted = {"search": [{"names": ["logs*"], **access}]}
    key = await pair.key(wanted)
    pair.west.keep(east=key["encoded"])
    await pair.register("east", "proxy", pair.east.remote_cluster)
    return str(key["id"])


async def seen(pair: Pair, user: str, mode: str) -> tuple[list[str], set[str], dict[str, int]]:
    """The documents that a user finds, their fields, and how many values aggregations find."""
    body = {
        "size": 20,
        "sort": ["_doc"],
        "docvalue_fields": ["secret", "n"],
        "aggs": {
            "secret": {"terms": {"field": "secret", "min_doc_count": 0}},
            "n": {"terms": {"field": "n"}},
        },
    }
    target = f"/east:logs-2/_search?ccs_minimize_roundtrips={mode}"
    answer = await pair.west.ask("POST", target, body, user=user)
    assert answer.status == 200, answer.text
    hits = answer.body["hits"]["hits"]
    assert answer.body["hits"]["total"]["value"] == len(hits)
    fields = {name for hit in hits for name in (*hit["_source"], *hit.get("fields", {}))}
    counts = {name: len(found["buckets"]) for name, found in answer.body["aggregations"].items()}
    return sorted(hit["_id"] for hit in hits), fields, counts


async def test_a_role_a_key_and_both_hide_documents_and_fields(pair: Pair) -> None:
    """X-43, X-44, X-45, X-46, X-47: over both modes of execution, and after the key was narrowed and widened."""
    await pair.user("all", **remote_indices("logs*"))
    await pair.user("few", **remote_indices("logs*", **FEW, **NO_NUMBERS))
    key_id = await connect(pair)
    every = [str(number) for number in range(6)]
    for mode in MODES:
        assert await seen(pair, "all", mode) == (
            every,
            {"n", "level", "secret"},
            {"secret": 6, "n": 6},
        )
        assert await seen(pair, "few", mode) == (
            ["0", "1", "2"],
            {"level", "secret"},
            {"secret": 3, "n": 0},
        )
    narrow = {"access": {"search": [{"names": ["logs*"], **PUBLIC, **NO_SECRETS}]}}
    await pair.east.make("PUT", f"/_security/cross_cluster/api_key/{key_id}", narrow)
    for mode in MODES:
        public = (["0", "2", "4"], {"n", "level"}, {"secret": 0, "n": 3})
        assert await seen(pair, "all", mode) == public
        assert await seen(pair, "few", mode) == (["0", "2"], {"level"}, {"secret": 0, "n": 0})
    wide = {"access": {"search": [{"names": ["logs*"]}]}}
    await pair.east.make("PUT", f"/_security/cross_cluster/api_key/{key_id}", wide)
    for mode in MODES:
        assert (await seen(pair, "all", mode))[0] == every


async def test_roles_of_one_user_are_united(pair: Pair) -> None:
    """X-45: what one role hides another may show; the key bounds both."""
    await connect(pair, **FEW)
    first = remote_indices("logs*", **PUBLIC)["remote_indices"]
    third = remote_indices("logs-2", query={"term": {"n": 1}})["remote_indices"]
    await pair.user("two", remote_indices=[*first, *third])
    for mode in MODES:
        found, _, _ = await seen(pair, "two", mode)
        assert found == ["0", "1", "2"]


async def test_nothing_of_what_is_hidden_comes_over(pair: Pair) -> None:
    """T-20: other APIs toward another cluster, suggestions and profiles among them."""
    await connect(pair, **PUBLIC, **NO_SECRETS)
    await pair.user("all", **remote_indices("logs*"))
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/east:logs-2/_field_caps?fields=*", None),
        ("POST", "/east:logs-2/_terms_enum", {"field": "secret"}),
        ("POST", "/east:logs-2/_count", {"query": {"exists": {"field": "secret"}}}),
        ("POST", "/east:logs-2/_search", {"query": {"prefix": {"secret": "can"}}, "size": 9}),
        ("POST", "/east:logs-2/_search?scroll=1m", {"sort": ["secret"], "size": 9}),
        ("POST", "/east:logs-2/_async_search", {"aggs": {"t": {"terms": {"field": "secret"}}}}),
        ("POST", "/east:logs-2/_search", {"profile": True}),
        (
            "POST",
            "/east:logs-2/_search",
            {"suggest": {"s": {"text": "canari0", "term": {"field": "secret"}}}},
        ),
    ]
    for method, target, body in asked:
        for mode in ("", "ccs_minimize_roundtrips=false"):
            joined = f"{target}{'&' if '?' in target else '?'}{mode}" if mode else target
            if mode and "_search" not in target:
                continue
            answer = await pair.west.ask(method, joined, body, user="all")
            assert "canary" not in json.dumps(answer.body), joined
            if body is not None and ("profile" in body or "suggest" in body):
                assert "document level security is enabled" in answer.text
