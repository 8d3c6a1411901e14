"""The queries of roles. Errors are the causes that 8.19.0 gave."""

import base64
import json
from typing import Any

import pytest

from sealane.errors import ApiError, RefusedUnderLimits
from sealane.model import dsl
from sealane.model.security import Realm, Subject
from sealane.query import parse_search_body
from sealane.query.role_query import (
    check_role_query,
    refuse_with_hidden_documents,
    visible_query,
)

ANN = Subject(
    name="ann",
    realm=Realm(name="native", type="native"),
    roles=("r1", "r2"),
    full_name='Ann "A" B',
    metadata={"level": "p0", "several": ["p0", "p1"]},
)
LOOKUP: dict[str, Any] = {"terms": {"a": {"index": "x", "id": "1", "path": "p"}}}
NO_LOOKUP = {
    "type": "illegal_argument_exception",
    "reason": "terms query with terms lookup isn't supported as part of a role query",
}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "{}",
            {
                "type": "x_content_parse_exception",
                "reason": "[1:2] expected [FIELD_NAME] with value a query name or 'template' but found "
                "[END_OBJECT] instead",
            },
        ),
        (
            "[1]",
            {
                "type": "x_content_parse_exception",
                "reason": "[1:1] expected [START_OBJECT] but found [START_ARRAY] instead",
            },
        ),
        (
            '{"foo":{}}',
            {
                "type": "parsing_exception",
                "reason": "unknown query [foo]",
                "line": 1,
                "col": 8,
                "caused_by": {
                    "type": "named_object_not_found_exception",
                    "reason": "[1:8] unknown field [foo]",
                },
            },
        ),
        (
            '{"bool":{"foo":1}}',
            {"type": "x_content_parse_exception", "reason": "[1:10] [bool] unknown field [foo]"},
        ),
        (json.dumps(LOOKUP), NO_LOOKUP),
        (json.dumps({"constant_score": {"filter": LOOKUP}}), NO_LOOKUP),
        (json.dumps({"nested": {"path": "a", "query": LOOKUP}}), NO_LOOKUP),
        (json.dumps({"bool": {"must_not": [LOOKUP]}}), NO_LOOKUP),
    ],
)
def test_what_is_wrong_with_a_query_is_told_before_it_is_used(text: str, cause: Any) -> None:
    with pytest.raises(ApiError) as raised:
        check_role_query(text)
    assert raised.value.to_cause() == cause


def test_a_lookup_that_is_wrapped_up_is_found_too() -> None:
    """Nothing would be looked up for a role: what it excludes would be visible."""
    wrapped = base64.b64encode(json.dumps(LOOKUP).encode()).decode()
    for _ in range(2):
        wrapper = {"wrapper": {"query": wrapped}}
        with pytest.raises(ApiError, match="terms lookup"):
            check_role_query(json.dumps({"bool": {"must_not": wrapper}}))
        wrapped = base64.b64encode(b"/* within */" + json.dumps(wrapper).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        '{"match_all":{}}',
        '{"range":{"d":{"gte":"now-1d"}}}',
        '{"term":{"n":"abc"}}',
        '{"terms":{"terms":["a"]}}',
        '{"match":{"wrapper":{"query":"text"}}}',
        '{"more_like_this":{"fields":["a"],"like":[{"_index":"a","_id":"1"}]}}',
        '{"template":{"id":"nothing"}}',
        '{"template":{}}',
        '{"template":{"source":"x {{"}}',
    ],
)
def test_the_rest_is_told_where_it_is_used(text: str) -> None:
    check_role_query(text)


def query(*sides: tuple[str, ...], subject: Subject = ANN) -> dsl.Query:
    return visible_query(tuple(tuple(each.encode() for each in side) for side in sides), subject)


A, B, C = ('{"term":{"f":"%s"}}' % each for each in "abc")  # noqa: UP031
AS_QUERY = {each: dsl.Term(field="f", value=each) for each in "abc"}


def test_any_query_of_each_side() -> None:
    """X-43, X-45: roles of one side are united, sides are intersected."""
    assert query((A,)) == AS_QUERY["a"]
    united = dsl.Bool(should=(AS_QUERY["a"], AS_QUERY["b"]), minimum_should_match="1")
    assert query((A, B)) == united
    assert query((A, B), (C,)) == dsl.Bool(filter=(united, AS_QUERY["c"]))


def test_a_side_without_queries_sees_nothing() -> None:
    assert query((A,), ()) == dsl.MatchNone()


def test_a_template_is_filled_in_for_each_user() -> None:
    source = {
        "terms": {"f": ["{{_user.username}}", "{{_user.full_name}}", "{{_user.metadata.level}}"]}
    }
    text = json.dumps({"template": {"source": source}})
    assert query((text,)) == dsl.Terms(field="f", values=("ann", 'Ann "A" B', "p0"))
    bob = Subject(name="bob", realm=ANN.realm)
    assert query((text,), subject=bob) == dsl.Terms(field="f", values=("bob", "", ""))
    as_text = '{"terms":{"f":{{#toJson}}_user.roles{{/toJson}}}}'
    assert query((json.dumps({"template": {"source": as_text}}),)) == dsl.Terms(
        field="f", values=("r1", "r2")
    )


def test_parameters_do_not_stand_in_for_the_user() -> None:
    template = {
        "source": {"terms": {"f": ["{{_user.username}}", "{{x}}"]}},
        "params": {"x": "y", "_user": {"username": "root"}},
    }
    found = query((json.dumps({"template": template}),))
    assert found == dsl.Terms(field="f", values=("ann", "y"))


def test_a_user_cannot_write_the_query() -> None:
    """What a user's data says is text in the query, whatever it looks like."""
    mallory = Subject(name='x"]}},{"match_all":{}}', realm=ANN.realm)
    text = json.dumps({"template": {"source": '{"terms":{"f":["{{_user.username}}"]}}'}})
    assert query((text,), subject=mallory) == dsl.Terms(field="f", values=(mallory.name,))


@pytest.mark.parametrize(
    ("template", "type_"),
    [
        ({"source": '{"foo":{}}'}, "parsing_exception"),
        ({"source": "x {{"}, "script_exception"),
        ({"source": LOOKUP}, "illegal_argument_exception"),
        ({"source": '{"template":{"source":{"match_all":{}}}}'}, "parsing_exception"),
        ({"id": "nothing"}, "resource_not_found_exception"),
        ({}, "x_content_parse_exception"),
    ],
)
def test_a_template_without_sense_shows_nothing(template: Any, type_: str) -> None:
    with pytest.raises(ApiError) as raised:
        query((json.dumps({"template": template}),), (A,))
    assert raised.value.es_type == type_


@pytest.mark.parametrize(
    "body",
    [b'{"profile":true}', b'{"suggest":{"s":{"text":"a","term":{"field":"f"}}}}'],
)
def test_what_a_search_may_not_ask_for(body: bytes) -> None:
    with pytest.raises(RefusedUnderLimits) as raised:
        refuse_with_hidden_documents(parse_search_body(body))
    assert raised.value.status == 400
    assert raised.value.es_type == "security_exception"
    refuse_with_hidden_documents(parse_search_body(b'{"size":1}'))
