"""Fields that are mapped after some segments were written: sorted by, paged through and counted like all others."""

import json
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import clusters

Json = dict[str, Any]
EARLY = 3
LATE: list[Json] = [
    {"number": 5, "half": 1.5, "word": "b", "many": [3, 9], "words": ["x", "b"], "zero": 0.0},
    {"number": 2**53 + 1, "half": -0.5, "word": "a", "many": [1, 1, 7], "words": ["c"]},
    {"number": -7, "half": 7.0, "word": "c", "many": 4, "words": ["a", "z"], "zero": -0.0},
]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("number", ["late-2", "late-0", "late-1"]),
        ("half", ["late-1", "late-0", "late-2"]),
        ("word.keyword", ["late-1", "late-0", "late-2"]),
        ("many", ["late-1", "late-0", "late-2"]),
        ("words.keyword", ["late-2", "late-0", "late-1"]),
        ("zero", ["late-2", "late-0"]),
    ],
)
async def test_a_sort_by_a_late_field(tmp_path: Path, field: str, expected: list[str]) -> None:
    """The documents from before lack it: they are last, and pages reach them."""
    async with clusters(tmp_path, "one") as (one,):
        await one.call("PUT", "/i", {"settings": {"refresh_interval": -1}})
        await one.fill("i", {f"early-{at}": {"n": at} for at in range(EARLY)})
        await one.fill("i", {f"late-{at}": {"n": 10 + at} | LATE[at] for at in range(len(LATE))})
        body: Json = {"sort": [{field: {"order": "asc"}}, "n"]}
        whole = (await one.call("POST", "/i/_search", body))["hits"]["hits"]
        ids = [hit["_id"] for hit in whole]
        assert ids[: len(expected)] == expected
        assert sorted(ids) == sorted(
            [f"early-{at}" for at in range(EARLY)] + [f"late-{at}" for at in range(len(LATE))]
        )
        seen: list[str] = []
        page = whole[:1]
        while page:
            seen += [hit["_id"] for hit in page]
            step = {**body, "size": 1, "search_after": page[-1]["sort"]}
            page = (await one.call("POST", "/i/_search", step))["hits"]["hits"]
        assert seen == ids
        down = {"sort": [{field: {"order": "desc", "missing": "_first"}}, "n"], "size": EARLY}
        first = (await one.call("POST", "/i/_search", down))["hits"]["hits"]
        lacking = [at for at in ids if at not in expected]
        assert [hit["_id"] for hit in first] == lacking[:EARLY], json.dumps(first)
