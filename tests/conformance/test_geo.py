"""Places: how they are written, found and sorted by. Expected values are the reference's."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
PLACES: dict[str, Json] = {
    "1": {"g": "52.1,4.2"},
    "2": {"g": [4.5, 52.5]},
    "3": {},
    "4": {"g": [{"lat": 1, "lon": 2}, {"lat": 53, "lon": 5}]},
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    """`p` with all places here; with the first two here and the others on `eu`, the index `half`."""
    mappings = {"properties": {"g": {"type": "geo_point"}, "n": {"type": "long"}}}
    halves = [{i: PLACES[i] for i in "12"}, {i: PLACES[i] for i in "34"}]
    for cluster, index, places in (
        (pair.local, "p", PLACES),
        (pair.local, "half", halves[0]),
        (pair.eu, "half", halves[1]),
    ):
        await cluster.call("PUT", f"/{index}", {"mappings": mappings})
        await cluster.fill(index, places)
    return pair


def box(**edges: Any) -> Json:
    return {"geo_bounding_box": {"g": edges}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (box(top_left="53,4", bottom_right="52,5"), "124"),
        (box(top_left=[4, 53], bottom_right={"lat": 52, "lon": 5}), "124"),
        (box(top_right=[5, 53], bottom_left="52,4"), "124"),
        (box(wkt="BBOX (4, 5, 53, 52)"), "124"),
        (box(top_left="u1", bottom_right="u0"), "124"),
        (box(top=53, left=170, bottom=52, right=5), "124"),
        (box(top=54, left=4, bottom=53, right=6), "4"),
        (box(top=54, left=5.0000001, bottom=52, right=6), ""),
        (box(top=2, left=4, bottom=0, right=6), ""),
        ({"geo_distance": {"distance": "100km", "g": "52,4"}}, "12"),
        ({"geo_distance": {"distance": 100, "unit": "km", "g": [4, 52]}}, "12"),
        ({"geo_distance": {"distance": "100km", "g.lat": 52, "g.lon": 4}}, "12"),
        ({"geo_distance": {"distance": "100km", "zz": "52,4", "ignore_unmapped": True}}, ""),
        ({"geo_polygon": {"g": {"points": ["50,3", "54,3", "54,6"]}}}, "124"),
        ({"exists": {"field": "g"}}, "124"),
    ],
)
async def test_places_are_found_in_boxes_circles_and_polygons(
    filled: Pair, query: Json, expected: str
) -> None:
    """A document with several places matches by one of them, not by parts of two."""
    for target in ("/p/_search", "/half,eu:half/_search"):
        answer = await filled.local.call("POST", target, {"query": query})
        assert sorted(hit["_id"] for hit in answer["hits"]["hits"]) == list(expected)
        assert all(hit["_score"] == 1.0 for hit in answer["hits"]["hits"])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (
            {"g": "52,4"},
            [
                ("1", 17626.314191353253),
                ("2", 65189.012702585926),
                ("4", 130175.54129044064),
                ("3", "Infinity"),
            ],
        ),
        (
            {"g": "52,4", "order": "desc", "unit": "km"},
            [
                ("3", "Infinity"),
                ("4", 5674.022597166396),
                ("2", 65.18901270258593),
                ("1", 17.626314191353252),
            ],
        ),
        (
            {"g": ["52,4", "1,2"], "unit": "km"},
            [("4", 0.0), ("1", 17.626314191353252), ("2", 65.18901270258593), ("3", "Infinity")],
        ),
        (
            {"g": [4, 52], "mode": "avg"},
            [
                ("1", 17626.314191353253),
                ("2", 65189.012702585926),
                ("4", 2902099.069228418),
                ("3", "Infinity"),
            ],
        ),
        (
            {"g": "52,4", "distance_type": "plane", "unit": "km"},
            [
                ("1", 17.62632553169459),
                ("2", 65.18938655111141),
                ("4", 130.17854561332706),
                ("3", "Infinity"),
            ],
        ),
    ],
)
async def test_hits_are_sorted_by_distance(
    filled: Pair, sort: Json, expected: list[tuple[str, Any]]
) -> None:
    """To the last digit, over clusters as in one index."""
    body = {"sort": [{"_geo_distance": sort}]}
    for target in ("/p/_search", "/half,eu:half/_search"):
        answer = await filled.local.call("POST", target, body)
        assert [(hit["_id"], hit["sort"][0]) for hit in answer["hits"]["hits"]] == expected


async def test_a_page_by_distance_goes_on_after_the_last(filled: Pair) -> None:
    body = {"sort": [{"_geo_distance": {"g": "52,4"}}], "search_after": [62000]}
    answer = await filled.local.call("POST", "/half,eu:half/_search", body)
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["2", "4", "3"]


async def test_places_are_shown_as_written_and_as_kept(filled: Pair) -> None:
    body = {"fields": ["g"], "docvalue_fields": ["g"], "_source": False, "sort": ["_doc"]}
    answer = await filled.local.call("POST", "/p/_search", {**body, "fields": []})
    assert [hit.get("fields") for hit in answer["hits"]["hits"]] == [
        {"g": ["52.09999996237457, 4.199999934062362"]},
        {"g": ["52.49999997206032, 4.499999983236194"]},
        None,
        {"g": ["0.9999999823048711, 1.9999999646097422", "52.999999984167516, 4.999999953433871"]},
    ]
    del body["docvalue_fields"]
    answer = await filled.local.call("POST", "/p/_search", body)
    assert answer["hits"]["hits"][3]["fields"] == {
        "g": [
            {"coordinates": [2.0, 1.0], "type": "Point"},
            {"coordinates": [5.0, 53.0], "type": "Point"},
        ]
    }


@pytest.mark.parametrize(
    ("value", "reason", "cause"),
    [
        (
            '"1;2"',
            "[1:6] failed to parse field [g] of type [geo_point]",
            "unsupported symbol [;] in geohash [1;2]",
        ),
        ('{"lat":1}', "[1:14] failed to parse field [g] of type [geo_point]", "Required [lon]"),
        (
            '{"lat":91,"lon":2}',
            "[1:23] failed to parse field [g] of type [geo_point]",
            "illegal latitude value [91.0] for g",
        ),
        (
            "[182,1]",
            "[1:12] failed to parse: illegal longitude value [182.0] for g",
            "illegal longitude value [182.0] for g",
        ),
        ("true", "[1:6] failed to parse field [g] of type [geo_point]", "geo_point expected"),
        ('"POINT(1)"', "[1:6] failed to parse field [g] of type [geo_point]", "Invalid WKT format"),
    ],
)
async def test_a_place_that_cannot_be_read_is_refused(
    filled: Pair, value: str, reason: str, cause: str
) -> None:
    answer = await filled.local.request("PUT", "/p/_doc/9", b'{"g":%s}' % value.encode())
    assert answer.status == 400
    assert answer.body["error"]["reason"] == reason
    assert answer.body["error"]["caused_by"]["reason"] == cause


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"geo_distance": {"distance": "1km", "zz": "52,4"}}, "failed to find geo field [zz]"),
        (
            {"geo_distance": {"distance": "1km", "n": "52,4"}},
            "Field [n] is of unsupported type [long] for [geo_distance] query",
        ),
        (
            {"geo_distance": {"distance": "1km", "g": "92,4"}},
            "couldn't validate latitude/ longitude values",
        ),
        ({"geo_distance": {"distance": "0km", "g": "52,4"}}, "distance must be greater than zero"),
        (box(top=52, left=4, bottom=53, right=5), "top is below bottom corner: 52.0 vs. 53.0"),
        (box(top=53, left=4, bottom=52), "right longitude is invalid: NaN"),
        (
            {"term": {"g": "52,4"}},
            "failed to create query: Geometry fields do not support exact searching, use dedicated "
            "geometry queries instead: [g]",
        ),
        (
            {"range": {"g": {"gte": 1}}},
            "failed to create query: Field [g] of type [geo_point] does not support range queries",
        ),
    ],
)
async def test_queries_on_places_that_make_no_sense_are_told(
    filled: Pair, query: Json, reason: str
) -> None:
    answer = await filled.local.request("POST", "/p/_search", {"query": query})
    assert answer.status == 400
    assert answer.body["error"]["root_cause"][0]["reason"] == reason
