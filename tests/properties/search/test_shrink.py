"""What the union duel does with a request that fails."""

from typing import Any

from tests.properties.search.shrink import shrink


async def test_what_does_not_matter_is_left_out() -> None:
    body = {
        "size": 3,
        "query": {"bool": {"must": [{"term": {"a": 1}}, {"term": {"bad": 2}}], "filter": []}},
        "aggs": {"x": {"avg": {"field": "n"}}},
    }

    async def fails(candidate: dict[str, Any]) -> bool:
        return "'bad'" in repr(candidate)

    assert await shrink(body, fails) == {"query": {"bool": {"must": [{"term": {"bad": 2}}]}}}
