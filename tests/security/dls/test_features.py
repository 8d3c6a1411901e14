"""Every feature of a search, asked by somebody from whom documents, fields or both are hidden.

What comes back must be what an index answers that never had them, and nothing of what is hidden may be in it.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.security.dls.features import FEATURES, NAMES, SUGGESTIONS, WAYS
from tests.security.dls.world import HIDES, World, answered, leaks, unscored, world


async def differences(there: World, path: str, features: dict[str, Any]) -> list[str]:
    """The features that answer otherwise than an index that never had what is hidden, or that leak."""
    found = []
    for name, body in features.items():
        status, told = await there.limited("POST", path, body)
        expected = await there.bare("POST", path, body)
        ours, theirs = answered(told), answered(expected[1])
        if there.hides != "fields":
            ours, theirs = unscored(ours), unscored(theirs)
        if leaks(told, there.hides):
            found.append(f"{name}: leaks: {told[:600]}")
        elif (status, ours) != (expected[0], theirs):
            found.append(f"{name}: {ours}\n  instead of {theirs}")
    return found


@pytest.mark.parametrize("hides", HIDES)
@pytest.mark.parametrize("way", WAYS)
async def test_a_search_tells_nothing_of_what_is_hidden(
    tmp_path: Path, way: str, hides: str
) -> None:
    """X-43, X-44, X-46, T-20: here and in another cluster, in both modes of execution."""
    async with world(tmp_path, hides, shards=2) as there:
        assert await differences(there, WAYS[way], FEATURES) == []


@pytest.mark.parametrize("way", WAYS)
async def test_suggestions_come_from_fields_that_are_visible(tmp_path: Path, way: str) -> None:
    """X-44, T-20: term, phrase and completion suggestions."""
    bodies = {name: {"size": 0, "suggest": {"s": body}} for name, body in SUGGESTIONS.items()}
    async with world(tmp_path, "fields", shards=1) as there:
        assert await differences(there, WAYS[way], bodies) == []


_FEW = (
    "query: everything",
    "aggregation: terms without documents",
    "sort by a hidden field",
    "fields",
)


@pytest.mark.parametrize("hides", HIDES)
async def test_it_does_not_matter_by_which_name_an_index_is_reached(
    tmp_path: Path, hides: str
) -> None:
    """T-18: its own name, an alias, a pattern, a date, all of them at once."""
    few = {name: FEATURES[name] for name in _FEW}
    async with world(tmp_path, hides, shards=1) as there:
        for name in NAMES:
            assert await differences(there, f"/{name}/_search", few) == []


async def test_what_is_hidden_would_show_without_limits(tmp_path: Path) -> None:
    """The questions above do reach what is hidden: most answers are others where nothing is."""
    async with world(tmp_path, "both", shards=1) as there:
        different = 0
        for body in FEATURES.values():
            whole = (await there.local.request("POST", "/docs/_search", body)).body
            bare = (await there.local.request("POST", "/bare/_search", body)).body
            different += whole.get("hits") != bare.get("hits") or whole.get(
                "aggregations"
            ) != bare.get("aggregations")
        assert different > len(FEATURES) * 0.8
