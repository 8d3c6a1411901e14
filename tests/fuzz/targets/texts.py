"""Small languages inside requests: URLs, names, query strings, templates, dates, numbers with units, ids."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.names import check_alias_name, check_index_name
from sealane.cluster.task_lists import read_task_id
from sealane.errors import ApiError
from sealane.model.dates import check_format, parse_date, resolve_date_math
from sealane.model.expressions import BadExpression, parse_expression
from sealane.model.lucene_regexp import regexp
from sealane.model.patterns import matches
from sealane.model.task import TaskId
from sealane.query.lucene_syntax import parse_syntax
from sealane.query.mustache import render
from sealane.remote.address import parse_address
from sealane.rest.filter_path import FilterPath
from sealane.rest.media import negotiate
from sealane.rest.percent import decode_component
from sealane.rest.query_string import parse_query
from sealane.search.async_id import AsyncId
from sealane.settings.units import parse_bytes, parse_time
from tests.fuzz.target import Target

_NOW_MS: Final = 1_700_000_000_000


def _text(data: bytes) -> str:
    """Bytes as a header or a URL has them where they are no UTF-8."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _pattern(text: str) -> None:
    pattern, _, name = text.partition("\n")
    matches(pattern, name)


def _regexp(text: str) -> None:
    expression, _, term = text.partition("\n")
    regexp(expression, used_in="fuzz").fullmatch(term)


def _date(text: str) -> None:
    fmt, _, date = text.partition("\n")
    if fmt:
        check_format(fmt)
        parse_date(date, fmt)
    else:
        resolve_date_math(date, _NOW_MS, round_up=True)


def _template(text: str) -> None:
    render(text, {"a": 1, "b": ["x", {"c": "d"}], "e": {"f": True}, "g": ""})


def _filter(text: str) -> None:
    FilterPath(text).apply({"hits": {"hits": [{"_id": "1", "_source": {"a": {"b": 1}}}]}})


_SMALL: Final[tuple[tuple[Callable[[str], Any], tuple[str, ...]], ...]] = (
    (parse_query, ("a=1&b=%20c+d;e", "q=%F0%9F%98%80")),
    (lambda text: decode_component(text, text), ("/a%2Fb", "%zz")),
    (_filter, ("hits.hits._source.a", "-hits.**._id,**.b", "*.h*ts")),
    (lambda text: negotiate(text, text, True), ("application/json; charset=utf-8", "a/b;q=1, */*")),
    (
        lambda text: resolve_date_name(text, _NOW_MS),
        ("<logs-{now/d}>", "<a-{now/M{yyyy.MM|+01:00}}>"),
    ),
    (check_index_name, ("logs-1", ".a")),
    (check_alias_name, ("a",)),
    (read_task_id, ("node:12",)),
    (parse_address, ("127.0.0.1:9300", "[::1]:9300", "host:1")),
    (lambda text: parse_time(text, "t"), ("10s", "1.5h", "-1")),
    (lambda text: parse_bytes(text, "b"), ("10kb", "1.5gb", "50%")),
    (AsyncId.read, (str(AsyncId("key", TaskId("node", 5))),)),
    (_pattern, ("a*b\naxb",)),
)
"""The first byte of an input says which of them reads the rest."""


def _small_seeds() -> Iterator[bytes]:
    for number, (_, texts) in enumerate(_SMALL):
        for text in texts:
            yield bytes((number,)) + text.encode()


def _run_small(data: bytes) -> None:
    _SMALL[data[0] % len(_SMALL) if data else 0][0](_text(data[1:]))


def _of_text(run: Callable[[str], Any]) -> Callable[[bytes], None]:
    def run_text(data: bytes) -> None:
        run(_text(data))

    return run_text


_DATES: Final = (
    "\nnow-1d/d",
    "\n2024-01-02T03:04:05.678Z||+1M/w",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX\n2024-01-02T03:04:05.678+01:00",
    "epoch_millis||strict_date_optional_time\n1700000000000",
    "uuuu-'W'ww-e[ HH:mm]\n2024-W01-3",
    "basic_week_date_time\n2024W013T030405.678Z",
)

TARGETS = (
    Target(
        name="small_texts",
        run=_run_small,
        seeds=_small_seeds,
        refusals=(ApiError,),
        words=(b"%2e", b"**", b"<{now", b"}>", b"::", b"\n"),
        max_len=1024,
        share=6,
    ),
    Target(
        name="query_strings",
        run=_of_text(parse_syntax),
        seeds=lambda: (
            b"a AND (b OR c~2) -d:[1 TO 5}",
            b'"a b"~3^2 +x:/re+x/ NOT *y? && z || !w',
            b"f:(>=10 AND <20) \\u0041 a\\:b _exists_:c",
        ),
        refusals=(ApiError,),
        words=(b" AND ", b" OR ", b"[", b" TO ", b"}", b"/", b"^2", b"~", b"\\", b"(", b":"),
        max_len=1024,
        share=3,
    ),
    Target(
        name="regular_expressions",
        run=_of_text(_regexp),
        seeds=lambda: (b"(a|b)*c&~(d)\nabac", b"[a-z]{2,5}<1-50>@#\nab", b'"x."\\d+\nx.1'),
        refusals=(ApiError,),
        words=(b"{1,100}", b"(.*)", b"~(", b"&", b"<0-99>", b"\n"),
        max_len=256,
        share=2,
    ),
    Target(
        name="templates",
        run=_of_text(_template),
        seeds=lambda: (
            b'{"q":"{{a}}","s":{{#toJson}}b{{/toJson}}}',
            b"{{#b}}{{c}}{{.}}{{/b}}{{^g}}x{{/g}}{{{a}}}{{! c }}{{=<% %>=}}<%a%>",
            b"{{#join}}b{{/join}}{{#url}}{{a}}{{/url}}{{b.1.c}}",
        ),
        refusals=(ApiError,),
        words=(b"{{#", b"}}", b"{{/", b"{{=", b"join delimiter='", b"{{&"),
        max_len=1024,
        share=3,
    ),
    Target(
        name="dates",
        run=_of_text(_date),
        seeds=lambda: (each.encode() for each in _DATES),
        refusals=(ApiError,),
        words=(b"||", b"/d", b"now", b"yyyy", b"[", b"]", b"'", b"SSSSSSSSS", b"e+9"),
        max_len=256,
        share=3,
    ),
    Target(
        name="expressions",
        run=_of_text(parse_expression),
        seeds=lambda: (
            b"doc['a'].value * Math.log(2 + params.x) > 1 ? _score : 0",
            b"cosineSimilarity(params.v, 'f') + 1.0",
        ),
        refusals=(BadExpression, ApiError),
        words=(b"doc['", b"'].value", b"&&", b"? ", b"(", b"params."),
        max_len=512,
        share=2,
    ),
)
