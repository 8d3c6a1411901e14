"""What a query looks for, as highlighting needs it."""

from typing import Any

import pytest

from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.state import state_of
from sealane.engine.embedded.search.wanted import wanted_terms
from sealane.query import parse_query
from tests.unit.engine.search.shards import NOW_MS, shard

WORDS = ("quick", "quack", "brown", "fox", "foxes", "lazy", "al", "alpha")


def _wanted(query: dict[str, Any]) -> dict[str, list[list[set[str]]]]:
    """For each field and each of its words or phrases: which of the words each place takes."""
    view = shard([{"title": " ".join(WORDS), "tag": "alpha", "body": "fox"}])
    found = wanted_terms(parse_query(query), Scope(state_of(view), "i", NOW_MS))
    return {
        path: [[{w for w in WORDS if place.matches(w)} for place in each.places] for each in words]
        for path, words in found.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"term": {"tag": "alpha"}}, {"tag": [[{"alpha"}]]}),
        ({"match": {"title": "Quick fox"}}, {"title": [[{"quick"}], [{"fox"}]]}),
        ({"match": {"title": {"query": "quik", "fuzziness": 1}}}, {"title": [[{"quick"}]]}),
        ({"match_phrase": {"title": "quick fox"}}, {"title": [[{"quick"}, {"fox"}]]}),
        ({"match_phrase_prefix": {"title": "lazy fo"}}, {"title": [[{"lazy"}, {"fox", "foxes"}]]}),
        ({"prefix": {"title": "qu"}}, {"title": [[{"quick", "quack"}]]}),
        ({"wildcard": {"title": "qu?ck"}}, {"title": [[{"quick", "quack"}]]}),
        ({"regexp": {"title": "fox(es)?"}}, {"title": [[{"fox", "foxes"}]]}),
        (
            {
                "bool": {
                    "must": [{"term": {"tag": "al"}}],
                    "must_not": [{"match": {"title": "fox"}}],
                }
            },
            {"tag": [[{"al"}]]},
        ),
        (
            {"query_string": {"query": 'title:(fox* -lazy) "brown fox"', "fields": ["body"]}},
            {"title": [[{"fox", "foxes"}]], "body": [[{"brown"}, {"fox"}]]},
        ),
        (
            {"simple_query_string": {"query": "fo* -lazy brown", "fields": ["title"]}},
            {"title": [[{"fox", "foxes"}], [{"brown"}]]},
        ),
        (
            {"multi_match": {"query": "fox", "fields": ["title", "body"]}},
            {"title": [[{"fox"}]], "body": [[{"fox"}]]},
        ),
        ({"range": {"n": {"gt": 1}}}, {}),
        ({"match": {"nowhere": "fox"}}, {}),
    ],
)
def test_words_by_field(query: dict[str, Any], expected: dict[str, list[list[set[str]]]]) -> None:
    assert _wanted(query) == expected
