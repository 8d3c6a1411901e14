"""How a body comes in, how an answer goes out: media types, encodings, shapes."""

import gzip

import pytest

from sealane.errors import IllegalArgument
from sealane.rest import Request, Response, json_response
from tests.unit.rest.fakes import Client, World, assert_error, route

VENDOR = "application/vnd.elasticsearch+json"


async def echo(request: Request) -> Response:
    return json_response({"got": request.body.decode()})


# -- media types -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/unknown"]
)
async def test_an_unknown_content_type_is_a_406(client: Client, content_type: str) -> None:
    answer = await client("POST", "/a/_doc", b"{}", headers={"content-type": content_type})
    assert answer.status == 406
    assert answer.json == {
        "error": f"Content-Type header [{content_type}] is not supported",
        "status": 406,
    }


@pytest.mark.parametrize(
    ("headers", "which", "cause"),
    [
        ({"content-type": "foo"}, "Content-Type", "invalid media-type [foo]"),
        (
            {"content-type": "foo/bar; a=b=c"},
            "Content-Type",
            "invalid parameters for header [foo/bar; a=b=c]",
        ),
        ({"accept": "foo"}, "Accept", "invalid media-type [foo]"),
        (
            {"content-type": f"{VENDOR};compatible-with=8"},
            "Accept, Content-Type",
            "A compatible version is required on both Content-Type and Accept headers if either one has "
            f"requested a compatible version. Accept=null, Content-Type={VENDOR};compatible-with=8",
        ),
        (
            {"accept": f"{VENDOR};compatible-with=6"},
            "Accept, Content-Type",
            "Accept version must be either version 8 or 7, but found 6. "
            f"Accept={VENDOR};compatible-with=6",
        ),
    ],
)
async def test_media_type_headers_must_make_sense(
    client: Client, headers: dict[str, str], which: str, cause: str
) -> None:
    answer = await client("POST", "/a/_doc", b"{}", headers=headers)
    error = assert_error(
        answer,
        400,
        "media_type_header_exception",
        f"Invalid media-type value on headers [{which}]",
    )
    assert error["caused_by"]["reason"] == cause


@pytest.mark.parametrize("media", [VENDOR, "application/json;q=0.5"])
async def test_what_the_accept_header_names_is_what_the_answer_is_called(
    client: Client, media: str
) -> None:
    answer = await client("GET", "/_cluster/health", headers={"accept": media})
    assert answer.headers["content-type"] == media


async def test_a_query_string_that_cannot_be_decoded_is_refused(client: Client) -> None:
    for text, problem in (
        ("%zz", "invalid escape sequence `%zz' at index 0 of: %zz"),
        ("%2", "partial escape sequence at end of string: %2"),
    ):
        answer = await client("GET", f"/_cluster/health?a={text}")
        error = assert_error(
            answer,
            400,
            "bad_parameter_exception",
            f"java.lang.IllegalArgumentException: {problem}",
        )
        assert error["caused_by"]["reason"] == problem


@pytest.mark.parametrize("version", ["8", "9"])
async def test_a_vendored_media_type_is_echoed(client: Client, version: str) -> None:
    media = f"{VENDOR}; compatible-with={version}"
    answer = await client(
        "POST", "/a/_doc", b"{}", headers={"content-type": media, "accept": media}
    )
    assert answer.status == 201
    assert answer.headers["content-type"] == f"{VENDOR};compatible-with={version}"


@pytest.mark.parametrize(
    "accept", ["text/html", "*/*", "text/html,application/xhtml+xml", "text/plain, */*; q=0.01"]
)
async def test_an_accept_header_that_asks_for_nothing_we_have_gets_json(
    client: Client, accept: str
) -> None:
    answer = await client("GET", "/_cluster/health", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"


async def test_yaml_comes_in_and_goes_out(client: Client) -> None:
    answer = await client(
        "PUT", "/a/_doc/1", b"a: 1\n", headers={"content-type": "application/yaml"}
    )
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.text.startswith('---\n_index: "a"\n_id: "1"\n')
    found = await client("GET", "/a/_doc/1?format=yaml")
    assert found.text.endswith("found: true\n_source:\n  a: 1\n")


# -- how an answer looks -----------------------------------------------------------------------------------------


async def test_pretty_and_filter_path(client: Client) -> None:
    answer = await client("GET", "/_remote/info?pretty&filter_path=*.seeds,rb.connected")
    assert answer.text == (
        '{\n  "rb" : {\n    "connected" : true,\n    "seeds" : [\n      "127.0.0.1:9301"\n    ]\n'
        "  }\n}\n"
    )


async def test_errors_are_pretty_but_never_filtered(client: Client) -> None:
    answer = await client("GET", "/none?pretty&filter_path=took")
    assert answer.status == 404
    assert answer.text.startswith('{\n  "error" : {\n    "root_cause" : [\n      {\n')


async def test_error_trace_adds_stack_traces(client: Client) -> None:
    error = (await client("GET", "/none?error_trace")).json["error"]
    assert "IndexNotFound" in error["stack_trace"]
    assert "stack_trace" in error["root_cause"][0]


async def test_the_opaque_id_comes_back_and_trace_headers_reach_the_handler() -> None:
    seen: dict[str, str] = {}

    async def handler(request: Request) -> Response:
        seen.update(request.ctx.headers)
        return json_response({})

    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with World().serve([route(handler)]) as client:
        answer = await client(
            "GET", "/_test", headers={"X-Opaque-Id": "abc", "traceparent": parent}
        )
    assert answer.headers["x-opaque-id"] == "abc"
    assert seen == {
        "X-Opaque-Id": "abc",
        "traceparent": parent,
        "trace.id": "0af7651916cd43dd8448eb211c80319c",
    }


async def test_a_client_that_takes_gzip_gets_it(client: Client) -> None:
    answer = await client("GET", "/_cluster/health", headers={"accept-encoding": "gzip, br"})
    assert answer.headers["content-encoding"] == "gzip"
    assert b'"cluster_name":"esa"' in gzip.decompress(answer.body)


async def test_an_unexpected_fault_shows_only_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Response:
        raise KeyError("a secret")

    async with World().serve([route(broken)]) as client:
        answer = await client("GET", "/_test")
    assert_error(
        answer, 500, "exception", "internal error [KeyError]; the node's log has the details"
    )
    assert "a secret" in caplog.text


@pytest.mark.parametrize("query", ["", "?pretty", "?format=yaml", "?error_trace=true"])
async def test_an_error_that_echoes_a_lone_surrogate_is_still_an_error_in_json(query: str) -> None:
    async def echo(request: Request) -> Response:
        raise IllegalArgument("value [\ud800x]").with_metadata(index="\udfff")

    async with World().serve([route(echo)]) as client:
        answer = await client("GET", f"/_test{query}")
    assert answer.status == 400
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert b"value [\\uD800x]" in answer.body
    assert b"\\uDFFF" in answer.body


async def test_an_answer_that_echoes_a_lone_surrogate_is_written_as_its_escape() -> None:
    async def echo(request: Request) -> Response:
        return json_response({"name": "\ud800"})

    async with World().serve([route(echo)]) as client:
        assert (await client("GET", "/_test")).body == b'{"name":"\\uD800"}'


# -- bodies ------------------------------------------------------------------------------------------------------


async def test_a_body_may_come_in_parts_and_compressed(client: Client) -> None:
    body = gzip.compress(b'{"a":5}')
    answer = await client("PUT", "/a/_doc/1", body, headers={"content-encoding": "gzip"}, chunks=3)
    assert answer.status == 201
    assert (await client("GET", "/a/_source/1")).body == b'{"a":5}'


@pytest.mark.parametrize(
    ("body", "headers", "closes"),
    [
        (b"x" * 101, {}, False),
        (b"x" * 101, {"content-length": "0"}, True),
        (gzip.compress(b" " * 101), {"content-encoding": "gzip"}, True),
    ],
)
async def test_a_body_over_the_limit_is_a_413(
    body: bytes, headers: dict[str, str], closes: bool
) -> None:
    """Announced or not, and by its size once decompressed."""
    async with World().serve(max_content_length=100) as client:
        for chunks in (1, 2):
            answer = await client("PUT", "/a/_doc/1", body, headers=headers, chunks=chunks)
            assert (answer.status, answer.body) == (413, b"")
            assert ("connection" in answer.headers) is closes


@pytest.mark.parametrize("body", [b"nogzip", gzip.compress(b'{"a":1}')[:-9]])
async def test_a_body_that_is_not_the_gzip_it_says_is_as_good_as_none(
    client: Client, body: bytes
) -> None:
    answer = await client("PUT", "/a/_doc/1", body, headers={"content-encoding": "gzip"})
    assert_error(answer, 400, "parse_exception", "request body is required")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"d\xe5oc":{}}', "[1:5] Invalid UTF-8 middle byte 0x6f"),
        (b'{"d\xff":1}', "[1:4] Invalid UTF-8 start byte 0xff"),
        (b'{"doc":{"a\x80":1}}', "[1:11] Invalid UTF-8 start byte 0x80"),
        (b'{"doc":{"a":"\xe5oc"}}', "[1:15] Invalid UTF-8 middle byte 0x6f"),
    ],
)
@pytest.mark.parametrize(
    ("method", "target"), [("POST", "/rest_a/_update/1"), ("PUT", "/rest_a"), ("POST", "/_mget")]
)
async def test_a_body_that_is_not_utf_8_is_refused(
    method: str, target: str, body: bytes, reason: str
) -> None:
    async with World().serve() as client:
        answer = await client(method, target, body)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "x_content_parse_exception"
    assert answer.json["error"]["reason"].startswith(reason)


@pytest.mark.parametrize(
    "encoding",
    ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
async def test_json_may_come_in_any_unicode_encoding(encoding: str) -> None:
    async with World().serve() as client:
        answer = await client("PUT", "/rest_a/_doc/1", '{"a":"\u00e9"}'.encode(encoding))
        assert answer.status == 201
        source = await client("GET", "/rest_a/_source/1")
    assert source.body == '{"a":"\u00e9"}'.encode()


@pytest.mark.parametrize("body", [b"{\0\x00\xd8}\0", b"\xff\xfe{", b"\0\0\0\0", b"\0"])
async def test_bytes_in_no_encoding_are_refused(body: bytes) -> None:
    async with World().serve() as client:
        answer = await client("POST", "/_mget", body)
    assert answer.status == 400
    assert answer.json["error"]["type"].startswith("x_content")
