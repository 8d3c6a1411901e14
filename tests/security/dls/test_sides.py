"""Several roles, a key and whoever made it: what each shows is united or intersected."""

from pathlib import Path

import pytest

from sealane.model.access import bound
from sealane.model.security import FieldGrant, FieldLimits, IndexLimits
from tests.security.dls.world import LimitedAccess, world

RED = b'{"term": {"tags": "red-all"}}'
GREEN = b'{"term": {"tags": "green-all"}}'
FIRST = b'{"range": {"n": {"lt": 2}}}'
WITHOUT_OBJ = FieldGrant(excepted=("obj.*", "secret*"))
TITLE_AND_OBJ = FieldGrant(grant=("title", "obj.*"), excepted=("obj.secret",))


def limits(
    *queries: tuple[bytes, ...], fields: tuple[tuple[FieldGrant, ...], ...] = ()
) -> IndexLimits:
    return IndexLimits(queries=queries, fields=FieldLimits(fields) if fields else None)


@pytest.mark.parametrize(
    ("limited", "ids"),
    [
        (limits((RED,)), ["l0", "l4", "l6"]),
        (limits((RED, GREEN)), ["l0", "l1", "l3", "l4", "l6", "l7", "l9"]),
        (limits((RED,), (FIRST,)), ["l0"]),
        (limits((RED, GREEN), (FIRST,)), ["l0", "l1"]),
        (limits((FIRST,), (RED, GREEN)), ["l0", "l1"]),
        (limits((RED,), (GREEN,)), []),
        (limits((RED,), ()), []),
    ],
)
async def test_documents_of_roles_and_keys(
    tmp_path: Path, limited: IndexLimits, ids: list[str]
) -> None:
    """X-43, X-45: queries of roles on one index are united, those of a key and its user intersected."""
    async with world(tmp_path, "documents", shards=2) as there:
        body = {"size": 30, "sort": ["n"], "_source": False}
        for path in ("docs", "docs_too"):
            with bound(LimitedAccess(limited)):
                answer = await there.local.call("POST", f"/{path}/_search", body)
            assert [hit["_id"] for hit in answer["hits"]["hits"]] == ids


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        (((WITHOUT_OBJ,),), {"title", "n", "tags", "items"}),
        (((TITLE_AND_OBJ,),), {"title", "obj"}),
        (((WITHOUT_OBJ, TITLE_AND_OBJ),), {"title", "n", "tags", "items", "obj"}),
        (((WITHOUT_OBJ,), (TITLE_AND_OBJ,)), {"title"}),
        (((TITLE_AND_OBJ,), (FieldGrant(grant=("n",)),)), set()),
    ],
)
async def test_fields_of_roles_and_keys(
    tmp_path: Path, fields: tuple[tuple[FieldGrant, ...], ...], seen: set[str]
) -> None:
    """X-44: the same of fields: in sources, columns, aggregations and capabilities."""
    async with world(tmp_path, "fields", shards=1) as there:
        asked = ("title", "n", "tags", "items", "obj")
        with bound(LimitedAccess(limits(fields=fields))):
            body = {
                "size": 1,
                "sort": ["n"],
                "_source": list(asked),
                "docvalue_fields": ["n", "tags"],
                "aggs": {
                    "n": {"value_count": {"field": "n"}},
                    "t": {"value_count": {"field": "tags"}},
                },
            }
            answer = await there.local.call("POST", "/docs/_search", body)
            caps = await there.local.call("GET", f"/docs/_field_caps?fields={','.join(asked)}")
        hit = answer["hits"]["hits"][0]
        assert set(hit["_source"]) == seen
        assert "secret" not in hit["_source"].get("obj", {})
        assert set(hit.get("fields", {})) == seen & {"n", "tags"}
        assert hit["sort"] == ([0] if "n" in seen else [2**63 - 1])
        counts = [answer["aggregations"][each]["value"] > 0 for each in ("n", "t")]
        assert counts == ["n" in seen, "tags" in seen]
        assert set(caps["fields"]) - {"obj", "items"} == seen - {"obj", "items"}


@pytest.mark.parametrize(
    ("grant", "found"), [(("p#x",), 1), (("p#*",), 1), (("p",), 0), (("p", "x"), 0)]
)
async def test_a_field_with_several_columns_is_visible_or_not(
    tmp_path: Path, grant: tuple[str, ...], found: int
) -> None:
    """X-44: whatever its name looks like: the columns of a place go with its field, and with no other one."""
    async with world(tmp_path, "fields", shards=1) as there:
        mapping = {"properties": {"p": {"type": "keyword"}, "p#x": {"type": "geo_point"}}}
        await there.local.call("PUT", "/docs_places", {"mappings": mapping})
        await there.local.fill("docs_places", {"1": {"p": "a", "p#x": [7, 70]}})
        box = {"top_left": [0, 89], "bottom_right": [20, 0]}
        with bound(LimitedAccess(limits(fields=((FieldGrant(grant=grant),),)))):
            query = {"query": {"geo_bounding_box": {"p#x": box}}}
            counted = await there.local.call("POST", "/docs_places/_count", query)
        assert counted["count"] == found
