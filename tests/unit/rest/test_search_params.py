"""URL parameters of a search: what each does to the body, and what is refused."""

from typing import Any

import orjson
import pytest

from sealane.errors import ApiError, IllegalArgument
from sealane.model.dsl import TRACK_ALL, TRACK_NONE
from sealane.model.search import IndicesOptions
from sealane.rest.params import parse_params
from sealane.rest.search_params import (
    COUNT_PARAMS,
    SEARCH_PARAMS,
    UNSUGGESTED,
    client_search,
    fold,
    indices_options,
)
from sealane.search.client_search import ClientSearch


def given(**params: str) -> dict[str, Any]:
    return parse_params("/_search", SEARCH_PARAMS, params)


def folded(body: bytes, **params: str) -> Any:
    return orjson.loads(fold(body, given(**params)))


def search(body: bytes = b"", **params: str) -> ClientSearch:
    return client_search(("i",), body, given(**params))


# -- into the body -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "body", "expected"),
    [
        ({"from": "5"}, {"from": 1, "size": 2}, {"from": 5, "size": 2}),
        ({"size": "0"}, {"size": 2}, {"size": 0}),
        ({"version": "true"}, {}, {"version": True}),
        ({"seq_no_primary_term": ""}, {}, {"seq_no_primary_term": True}),
        ({"timeout": "1s"}, {"timeout": "5m"}, {"timeout": "1s"}),
        ({"terminate_after": "7"}, {}, {"terminate_after": 7}),
        ({"track_scores": "false"}, {"track_scores": True}, {"track_scores": False}),
        ({"track_total_hits": "true"}, {}, {"track_total_hits": True}),
        ({"track_total_hits": "false"}, {}, {"track_total_hits": False}),
        ({"track_total_hits": ""}, {}, {"track_total_hits": True}),
        ({"track_total_hits": "12"}, {"track_total_hits": 3}, {"track_total_hits": 12}),
        ({"track_total_hits": "-1"}, {}, {"track_total_hits": -1}),
        ({"sort": "a"}, {"sort": ["b"]}, {"sort": ["a"]}),
        (
            {"sort": "a:desc,b:asc,c"},
            {},
            {"sort": [{"a": {"order": "desc"}}, {"b": {"order": "asc"}}, "c"]},
        ),
        ({"sort": "x:y:desc"}, {}, {"sort": [{"x:y": {"order": "desc"}}]}),
        ({"sort": "a:up,b"}, {}, {"sort": ["b"]}),
        ({"sort": "a:up"}, {"sort": ["b"]}, {"sort": ["b"]}),
        ({"_source": "false"}, {}, {"_source": False}),
        ({"_source": "true"}, {"_source": False}, {"_source": True}),
        ({"_source": "a,b.*"}, {}, {"_source": ["a", "b.*"]}),
        ({"_source_includes": "a,b"}, {}, {"_source": {"includes": ["a", "b"]}}),
        ({"_source_excludes": "a"}, {"_source": "b"}, {"_source": {"includes": "b", "excludes": ["a"]}}),
        (
            {"_source_includes": "a", "_source_excludes": "b"},
            {"_source": {"excludes": ["z"]}},
            {"_source": {"includes": ["a"], "excludes": ["b"]}},
        ),
        ({"_source_exclude_vectors": "true"}, {"size": 1}, {"size": 1}),
        ({"rest_total_hits_as_int": "true"}, {}, {"track_total_hits": True}),
        ({"rest_total_hits_as_int": "true"}, {"track_total_hits": 5}, {"track_total_hits": 5}),
        ({"preference": "_local"}, {"size": 1}, {"size": 1}),
    ],
)  # fmt: skip
def test_parameters_override_the_members_of_the_body(
    params: dict[str, str], body: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert folded(orjson.dumps(body), **params) == expected


def test_without_overriding_parameters_the_body_is_passed_on_as_it_came() -> None:
    raw = b'{ "size" : 1 /* one */ }'
    assert fold(raw, given(preference="x", typed_keys="true")) is raw
    assert fold(b"", {}) == b"{}"


def test_comments_in_the_body_are_no_hindrance() -> None:
    body = b'{"query":{"term":{"k":"// no comment"}} /* but this */ }'
    assert folded(body, size="3") == {"query": {"term": {"k": "// no comment"}}, "size": 3}


@pytest.mark.parametrize("raw", [b"[1]", b"{", b'"text"'])
def test_a_body_that_is_no_object_is_left_to_the_parser(raw: bytes) -> None:
    assert fold(raw, given(size="1")) == raw
    with pytest.raises(ApiError) as plain:
        client_search(("i",), raw, {})
    with pytest.raises(ApiError) as with_parameter:
        client_search(("i",), raw, given(size="1"))
    assert with_parameter.value.to_body() == plain.value.to_body()


# -- beside the body ---------------------------------------------------------------------------------------------


def test_a_search_without_parameters_has_the_references_defaults() -> None:
    wanted = search()
    assert (wanted.body.from_, wanted.body.size) == (0, 10)
    assert wanted.allow_partial_results is None  # each cluster has its own default
    assert wanted.minimize_roundtrips
    assert wanted.request_cache is None
    assert wanted.batched_reduce_size == 512
    assert wanted.options == IndicesOptions()
    assert (wanted.preference, wanted.routing) == (None, ())


def test_each_parameter_beside_the_body_reaches_the_search() -> None:
    wanted = search(
        preference="_local",
        routing="a,b",
        allow_partial_search_results="false",
        batched_reduce_size="2",
        ccs_minimize_roundtrips="false",
        request_cache="true",
        max_concurrent_shard_requests="3",
        pre_filter_shard_size="1",
        search_type="query_then_fetch",
    )
    assert wanted.preference == "_local"
    assert wanted.routing == ("a", "b")
    assert not wanted.allow_partial_results
    assert wanted.batched_reduce_size == 2
    assert not wanted.minimize_roundtrips
    assert wanted.request_cache is True


@pytest.mark.parametrize(
    ("text", "expected"), [("true", TRACK_ALL), ("false", TRACK_NONE), ("-1", TRACK_NONE), ("7", 7)]
)
def test_track_total_hits_as_a_parameter(text: str, expected: int) -> None:
    """S-53."""
    assert search(track_total_hits=text).body.track_total_hits == expected


@pytest.mark.parametrize("text", ["true", "false"])
def test_total_hits_as_an_integer_needs_an_exact_or_no_total(text: str) -> None:
    assert search(rest_total_hits_as_int="true", track_total_hits=text)
    with pytest.raises(IllegalArgument) as error:
        search(rest_total_hits_as_int="true", track_total_hits="100")
    assert error.value.reason == (
        "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got 100"
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("open", (True, False, False)),
        ("closed", (False, True, False)),
        ("open,closed", (True, True, False)),
        ("open,hidden", (True, False, True)),
        ("all", (True, True, True)),
        ("none", (False, False, False)),
    ],
)
def test_expand_wildcards(states: str, expected: tuple[bool, bool, bool]) -> None:
    options = indices_options(given(expand_wildcards=states))
    assert (options.expand_open, options.expand_closed, options.expand_hidden) == expected


def test_the_other_options_for_indices() -> None:
    """S-19, S-20: they are part of the request, and so travel to every cluster."""
    options = search(ignore_unavailable="true", allow_no_indices="false").options
    assert options == IndicesOptions(ignore_unavailable=True, allow_no_indices=False)


# -- refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("from", "-1", "[from] parameter cannot be negative but was [-1]"),
        ("size", "-1", "[size] parameter cannot be negative, found [-1]"),
        ("size", "ten", "Failed to parse int parameter [size] with value [ten]"),
        ("from", "", "Failed to parse int parameter [from] with value []"),
        ("size", "2147483648", "Failed to parse int parameter [size] with value [2147483648]"),
        ("version", "yes", "Failed to parse value [yes] as only [true] or [false] are allowed."),
        ("terminate_after", "-1", "terminateAfter must be > 0"),
        (
            "track_total_hits",
            "-2",
            "[track_total_hits] parameter must be positive or equals to -1, got -2",
        ),
        ("batched_reduce_size", "1", "batchedReduceSize must be >= 2"),
        ("max_concurrent_shard_requests", "0", "maxConcurrentShardRequests must be >= 1"),
        ("pre_filter_shard_size", "0", "preFilterShardSize must be >= 1"),
        ("search_type", "nope", "No search type for [nope]"),
    ],
)
def test_a_bad_value_is_refused(name: str, text: str, reason: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        given(**{name: text})
    assert error.value.reason == reason


def test_an_unknown_wildcard_state_is_refused() -> None:
    with pytest.raises(IllegalArgument) as error:
        search(expand_wildcards="open,ajar")
    assert error.value.reason == "No valid expand wildcard value [ajar]"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("preferenc", "preference"), ("typed_key", "typed_keys"), ("sor", "sort")],
)
def test_an_unknown_parameter_is_refused_with_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        given(**{name: "1"})
    assert error.value.reason == (
        f"request [/_search] contains unrecognized parameter: [{name}] -> did you mean [{meant}]?"
    )


NOT_BUILT = (
    "docvalue_fields", "force_synthetic_source", "include_named_queries_score", "stored_fields",
)  # fmt: skip


@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_cannot_be_honoured_is_refused_rather_than_ignored(name: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        given(**{name: "1"})
    assert error.value.reason == f"parameter [{name}] is not supported by this version"


def test_a_suggestion_by_parameters() -> None:
    raw = fold(b"{}", {"suggest_field": "t", "suggest_text": "quik", "suggest_size": 1})
    assert orjson.loads(raw)["suggest"] == {
        "t": {"text": "quik", "term": {"field": "t", "size": 1}}
    }


@pytest.mark.parametrize("name", ["suggest_text", "suggest_mode", "suggest_size"])
def test_a_suggestion_needs_a_field(name: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        client_search(("a",), b"", {name: "1"})
    assert error.value.reason == (
        f"request [/a/_search] contains parameters [{name}] but missing 'suggest_field' parameter."
    )


def test_a_count_takes_no_page() -> None:
    with pytest.raises(IllegalArgument, match=r"unrecognized parameter: \[size\]"):
        parse_params("/_count", COUNT_PARAMS, {"size": "1"})
    assert parse_params("/_count", COUNT_PARAMS, {"min_score": "1.5"}) == {"min_score": 1.5}


def test_parameters_only_looked_for_when_given_are_not_suggested() -> None:
    """`sizes` stays alone, `sorts` does not."""
    near_sorts = " -> did you mean any of [sort, stats]?"
    for name, hint in (("sizes", ""), ("sorts", near_sorts)):
        with pytest.raises(IllegalArgument) as raised:
            parse_params("/a/_search", SEARCH_PARAMS, {name: "1"}, UNSUGGESTED)
        assert raised.value.reason == (
            f"request [/a/_search] contains unrecognized parameter: [{name}]{hint}"
        )
