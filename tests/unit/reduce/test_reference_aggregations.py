"""Aggregations over four shards' documents, and what Elasticsearch 8.19.0 answered over the same documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from sealane.query import parse_search_body
from sealane.reduce import merge_aggs, render_aggs
from tests.unit.reduce.collector import collect_tree

RECORDED = json.loads(Path(__file__).with_name("reference_aggregations.json").read_text("utf-8"))
SHARDS = list(RECORDED["documents"].values())


@pytest.mark.parametrize("two_levels", [False, True], ids=["shards", "clusters"])
@pytest.mark.parametrize(
    ("body", "expected"), RECORDED["answers"], ids=range(len(RECORDED["answers"]))
)
def test_answers_as_the_reference(body: str, expected: object, two_levels: bool) -> None:
    """The same answer whether shards merge at once, or by cluster first."""
    specs = parse_search_body(body.encode()).aggs
    trees = [collect_tree(specs, documents) for documents in SHARDS]
    if two_levels:
        trees = [
            merge_aggs(specs, trees[:2], final=False),
            merge_aggs(specs, trees[2:], final=False),
        ]
    answer = render_aggs(specs, merge_aggs(specs, trees, final=True), typed_keys=True)
    if two_levels:
        answer, expected = _without_errors(answer), _without_errors(expected)
    assert answer == expected


def _without_errors(value: Any) -> Any:
    """Without the bounds of cut terms, which rightly depend on how often they were merged."""
    if isinstance(value, dict):
        return {
            name: _without_errors(each)
            for name, each in value.items()
            if name != "doc_count_error_upper_bound"
        }
    return [_without_errors(each) for each in value] if isinstance(value, list) else value
