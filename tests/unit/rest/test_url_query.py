"""`?q=` and the parameters that belong to it."""

import orjson
import pytest

from sealane.errors import IllegalArgument
from sealane.rest.search_params import fold
from sealane.rest.url_query import check_url_query, refuse_lost_options, url_query


def test_it_takes_the_place_of_the_bodys_query() -> None:
    folded = orjson.loads(fold(b'{"query": {"match_all": {}}, "size": 3}', {"q": "a b", "df": "t"}))
    assert folded == {"query": {"query_string": {"query": "a b", "default_field": "t"}}, "size": 3}


def test_options_are_those_of_query_string() -> None:
    params = {"q": "x", "analyzer": "stop", "lenient": True, "default_operator": "AND"}
    assert url_query(params) == {
        "query_string": {
            "query": "x",
            "analyzer": "stop",
            "lenient": True,
            "default_operator": "AND",
        }
    }


def test_options_alone_are_refused() -> None:
    check_url_query({"q": "x", "df": "t"}, "/_search")
    with pytest.raises(IllegalArgument) as error:
        check_url_query({"lenient": True, "df": "t"}, "/i/_search")
    assert error.value.reason == (
        "request [/i/_search] contains parameters [df, lenient] but missing query string parameter 'q'."
    )
    with pytest.raises(
        IllegalArgument, match=r"contains unrecognized parameters: \[df\], \[lenient\]"
    ):
        refuse_lost_options({"lenient": True, "df": "t"}, "/i/_validate/query")
