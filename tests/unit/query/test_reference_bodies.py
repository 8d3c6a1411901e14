"""Search bodies, and what Elasticsearch 8.19.0 answered to each: nothing where it accepted it."""

import json
from pathlib import Path

import pytest

from sealane.errors import ApiError
from sealane.query import parse_search_body

CASES = json.loads(Path(__file__).with_name("reference_bodies.json").read_text("utf-8"))


@pytest.mark.parametrize(("body", "expected"), CASES, ids=range(len(CASES)))
def test_answers_as_the_reference(body: str, expected: object) -> None:
    try:
        parse_search_body(body.encode())
        answer = None
    except ApiError as error:
        answer = error.to_body()
    assert answer == expected
