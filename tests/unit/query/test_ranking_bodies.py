"""How rescorers, suggestions, neighbours and retrievers are read."""

import pytest

from sealane.errors import ApiError
from sealane.model import dsl
from sealane.query import parse_search_body


def parsed(raw: str) -> dsl.SearchBody:
    return parse_search_body(raw.encode())


def test_a_rescorer_and_its_defaults() -> None:
    (found,) = parsed('{"rescore":{"query":{"rescore_query":{"match_all":{}}}}}').rescore
    assert found == dsl.Rescore(query=dsl.MatchAll())
    assert (found.window_size, found.score_mode) == (10, dsl.RescoreMode.TOTAL)


def test_several_rescorers() -> None:
    one = '{"window_size":"3","query":{"rescore_query":{"match_all":{}},"score_mode":"AVG"}}'
    found = parsed(f'{{"rescore":[{one},{one}]}}').rescore
    assert [(each.window_size, each.score_mode.value) for each in found] == [(3, "avg")] * 2


def test_suggestions_share_a_text() -> None:
    body = parsed(
        '{"suggest":{"text":"a","x":{"term":{"field":"f","sort":"FREQUENCY"}},'
        '"y":{"text":"b","phrase":{"field":"f"}},"z":{"regex":"c","completion":{"field":"f"}}}}'
    )
    x, y, z = body.suggest
    assert body.suggest_only
    assert isinstance(x, dsl.TermSuggestion)
    assert isinstance(y, dsl.PhraseSuggestion)
    assert isinstance(z, dsl.CompletionSuggestion)
    assert (x.text, y.text, z.text, z.is_regex) == ("a", "b", "c", True)
    assert x.spelling.order is dsl.SuggestOrder.FREQUENCY
    assert y.generators == (dsl.Generator(field="f", spelling=dsl.Spelling()),)


@pytest.mark.parametrize("more", ['"query":{"match_all":{}}', '"aggs":{"a":{"max":{"field":"n"}}}'])
def test_suggestions_beside_something(more: str) -> None:
    body = parsed(f'{{"suggest":{{"x":{{"text":"a","term":{{"field":"f"}}}}}},{more}}}')
    assert not body.suggest_only


@pytest.mark.parametrize(
    ("size", "shard_size", "per_shard"), [(5, None, 5), (2, None, 5), (9, None, 9), (9, 3, 3)]
)
def test_how_many_options_a_shard_gives(size: int, shard_size: int | None, per_shard: int) -> None:
    suggestion = dsl.Suggestion(name="s", field="f", size=size, shard_size=shard_size)
    assert suggestion.per_shard() == per_shard


def test_neighbours_take_what_they_leave_out_from_the_size() -> None:
    clause = '{"field":"v","query_vector":[1,"2",3.5]}'
    (found,) = parsed(f'{{"size":7,"knn":{clause}}}').knn
    assert (found.vector, found.k, found.num_candidates) == ((1.0, 2.0, 3.5), 7, 10)
    assert parsed(f'{{"knn":[{clause},{clause}]}}').knn[1].k == 10
    with pytest.raises(ApiError, match=r"\[k\] must be greater than 0"):
        parsed(f'{{"size":0,"knn":{clause}}}')


def test_vectors_may_be_bytes() -> None:
    (found,) = parsed('{"knn":{"field":"v","query_vector":"01ff7f","k":1}}').knn
    assert found.vector == (1.0, -1.0, 127.0)


@pytest.mark.parametrize(
    "raw", ['{"knn":[]}', '{"query":{"match_all":{}}}', '{"collapse":{"field":"k"}}']
)
def test_searches_of_one_stage(raw: str) -> None:
    assert not parsed(raw).has_stages


@pytest.mark.parametrize(
    "raw",
    [
        '{"knn":{"field":"v","query_vector":[1],"k":1}}',
        '{"retriever":{"standard":{}}}',
        '{"collapse":{"field":"k","inner_hits":{"name":"x"}}}',
    ],
)
def test_searches_of_several_stages(raw: str) -> None:
    assert parsed(raw).has_stages


def test_a_tree_of_retrievers() -> None:
    body = parsed(
        '{"retriever":{"rrf":{"rank_constant":20,"retrievers":[{"standard":{"query":'
        '{"match_all":{}}}},{"linear":{"retrievers":[{"weight":2,"normalizer":"minmax",'
        '"retriever":{"knn":{"field":"v","query_vector":[1],"k":1,"num_candidates":2}}}]}}]}}}'
    )
    retriever = body.retriever
    assert isinstance(retriever, dsl.RrfRetriever)
    assert (retriever.constant, retriever.window) == (20, 10)
    plain, linear = retriever.children
    assert plain == dsl.PlainRetriever(search=b'{"query":{"match_all":{}}}')
    assert isinstance(linear, dsl.LinearRetriever)
    assert (linear.weights, linear.normalizers) == ((2.0,), (dsl.Normalizer.MINMAX,))


def test_retrievers_nest_only_so_deep() -> None:
    raw = '{"standard":{}}'
    for _ in range(12):
        raw = f'{{"rrf":{{"retrievers":[{raw}]}}}}'
    with pytest.raises(ApiError, match="maximum allowed depth"):
        parsed(f'{{"retriever":{raw}}}')


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (
            '{"retriever":{"rrf":{"retrievers":[{"standard":{"terminate_after":1}}]}}}',
            "Validation Failed: 1: [terminate_after] cannot be used in children of compound retrievers;",
        ),
        (
            '{"retriever":{"linear":{"retrievers":[{"retriever":{"standard":{}},"weight":-1}]}}}',
            "[1:77] [linear] failed to parse field [weight]",
        ),
        ('{"suggest":{"s":1}}', "[suggest] does not support [s]"),
        ('{"suggest":{"s":[]}}', "unexpected token [START_ARRAY] after [s]"),
        (
            '{"suggest":{"s":{"phrase":{"field":"t","smoothing":{"bla":{}}}}}}',
            "suggester[phrase] doesn't support object field [bla]",
        ),
        (
            '{"suggest":{"s":{"phrase":{"field":"t","highlight":{"pre_tag":"<b>"}}}}}',
            "Pre and post tag must both be null or both not be null.",
        ),
        (
            '{"suggest":{"s":{"completion":{"field":"t","size":0}}}}',
            "[1:51] [completion] failed to parse field [size]",
        ),
        ('{"rescore":["x"]}', "unexpected token [END_ARRAY] after [null]"),
    ],
)
def test_what_is_wrong_is_told(raw: str, reason: str) -> None:
    with pytest.raises(ApiError) as raised:
        parsed(raw)
    assert raised.value.reason == reason
