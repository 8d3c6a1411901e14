"""Bad input on every port: a clear answer, nothing lost, and the node goes on."""

import json
import os
import random
import socket
import struct
from collections.abc import Iterator

import pytest

from sealane.testing.process import NodeProcess

from .conftest import Fill


@pytest.fixture
def node(europe: NodeProcess, index: str, fill: Fill) -> Iterator[NodeProcess]:
    """A node with one document, which must still be there, and answer, afterwards."""
    fill(europe, index, [{"n": 1, "s": "text"}])
    yield europe
    assert europe.call("POST", f"/{index}/_count")["count"] >= 1


def error_of(
    node: NodeProcess, method: str, path: str, body: object, status: int
) -> dict[str, str]:
    answer = node.request(method, path, body)
    assert answer.status == status, answer.body
    error: dict[str, str] = answer.body["error"]
    return error


def test_malformed_json(node: NodeProcess, index: str) -> None:
    error = error_of(node, "POST", f"/{index}/_search", '{"query": {"match_all": {}', 400)
    assert error["type"] in (
        "x_content_parse_exception",
        "parsing_exception",
        "x_content_e_o_f_exception",
    )


def test_a_bulk_keeps_the_good_lines(node: NodeProcess, index: str) -> None:
    lines = (
        b'{"index":{"_id":"a"}}\n{"n":2}\n'
        b'{"index":{"_id":"b"}}\n{"n":"not a number"}\n'
        b'{"index":{"_id":"c"}}\n{"n":3}\n'
    )
    answer = node.request("POST", f"/{index}/_bulk?refresh=true", lines)
    assert answer.status == 200
    assert answer.body["errors"] is True
    assert [item["index"]["status"] for item in answer.body["items"]] == [201, 400, 201]
    error = answer.body["items"][1]["index"]["error"]
    assert error["type"] == "document_parsing_exception"
    assert node.call("POST", f"/{index}/_count")["count"] == 3


def test_a_malformed_bulk_line_is_named(node: NodeProcess, index: str) -> None:
    error = error_of(node, "POST", f"/{index}/_bulk", b'{"index":{}}\n{"n":1}\n[1]\n{}\n', 400)
    assert "[3]" in error["reason"]


def test_a_document_of_the_wrong_type(node: NodeProcess, index: str) -> None:
    error = error_of(node, "PUT", f"/{index}/_doc/9", {"n": "abc"}, 400)
    assert error["type"] == "document_parsing_exception"


def test_an_unknown_query_is_named(node: NodeProcess, index: str) -> None:
    error = error_of(node, "POST", f"/{index}/_search", {"query": {"mtch": {"s": "x"}}}, 400)
    assert error["reason"] == "unknown query [mtch] did you mean [match]?"


def test_an_unknown_aggregation_is_named(node: NodeProcess, index: str) -> None:
    aggs = {"a": {"trms": {"field": "n"}}}
    error = error_of(node, "POST", f"/{index}/_search", {"aggs": aggs}, 400)
    assert error["reason"].startswith("Unknown aggregation type [trms]")


def test_an_unknown_index(node: NodeProcess) -> None:
    assert (
        error_of(node, "GET", "/absent/_search", None, 404)["type"] == "index_not_found_exception"
    )


def test_an_unknown_parameter_names_the_nearest(node: NodeProcess, index: str) -> None:
    error = error_of(node, "GET", f"/{index}/_search?preferenc=3", None, 400)
    assert error["reason"] == (
        f"request [/{index}/_search] contains unrecognized parameter: [preferenc] -> did you mean [preference]?"
    )


def test_settings_that_mix_the_modes(node: NodeProcess) -> None:
    """C-14."""
    mixed = {"cluster.remote.x.mode": "proxy", "cluster.remote.x.seeds": ["127.0.0.1:9300"]}
    error = error_of(node, "PUT", "/_cluster/settings", {"persistent": mixed}, 400)
    assert "cannot be used with the configured" in error["reason"]


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        (
            "127.0.0.1",
            "remote hosts need to be configured as [host:port], found [127.0.0.1] instead",
        ),
        ("[::1]", None),
        ("[2001:db8::1:9300", None),
        ("127.0.0.1:notaport", None),
        ("127.0.0.1:0", None),
        ("127.0.0.1:70000", None),
        ("http://127.0.0.1:9200", None),
    ],
)
def test_a_bad_seed(node: NodeProcess, seed: str, reason: str | None) -> None:
    """C-7, C-8, C-9, C-10, C-11."""
    settings = {"persistent": {"cluster.remote.x.seeds": [seed]}}
    error = error_of(node, "PUT", "/_cluster/settings", settings, 400)
    if reason is not None:
        assert error["reason"] == reason
    assert "x" not in node.call("GET", "/_remote/info")


def test_an_http_server_at_a_transport_port_is_told_apart(node: NodeProcess) -> None:
    """A remote's seed that is somebody's HTTP port: the search says so at once, not after 30 s."""
    settings = {
        "cluster.remote.web.seeds": [node.http],
        "cluster.remote.web.skip_unavailable": False,
    }
    node.call("PUT", "/_cluster/settings", {"persistent": settings})
    answer = node.request("POST", "/web:x/_search", {})
    node.call("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.web.*": None}})
    assert answer.status >= 500
    assert "HTTP port" in json.dumps(answer.body)


def test_an_http_request_at_the_transport_port(node: NodeProcess) -> None:
    """C-94."""
    assert (
        _talk(node.transport, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n") == b"This is not an HTTP port"
    )


def test_a_frame_at_the_http_port(node: NodeProcess) -> None:
    answer = _talk(node.http, b"ES" + struct.pack(">i", 100) + bytes(100))
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("port", ["http", "transport"])
def test_random_bytes(node: NodeProcess, port: str) -> None:
    chance = random.Random(4711)
    for size in (1, 6, 7, 23, 100, 5000):
        _talk(getattr(node, port), chance.randbytes(size))


def test_a_frame_that_announces_two_gigabytes(node: NodeProcess) -> None:
    """C-93: closed before memory is taken."""
    before = _resident_kb(node)
    head = b"ES" + struct.pack(">i", 2**31 - 1) + bytes(17)
    assert _talk(node.transport, head) == b""
    assert _resident_kb(node) - before < 50_000


def test_ten_thousand_nested_bools(node: NodeProcess, index: str) -> None:
    body = '{"query":' + '{"bool":{"must":' * 10_000 + '{"match_all":{}}' + "}}" * 10_000 + "}"
    error_of(node, "POST", f"/{index}/_search", body, 400)


def test_a_body_over_the_limit(node: NodeProcess, index: str) -> None:
    host, _, port = node.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        head = f"POST /{index}/_bulk HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
        client.sendall((head + f"content-length: {200 * 1024 * 1024}\r\n\r\n").encode())
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_client_that_goes_away_in_mid_request(node: NodeProcess, index: str) -> None:
    host, _, port = node.http.rpartition(":")
    for cut in (10, 60, 120):
        request = (
            f"POST /{index}/_search HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            'content-length: 27\r\n\r\n{"query":{"match_all":{}}}\n'
        ).encode()
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(request[:cut])


def _talk(address: str, sent: bytes) -> bytes:
    """What the port answers to `sent` until it closes, or to the end of what we send."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := client.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass  # closing on bytes it did not read is its right
        return received


def _resident_kb(node: NodeProcess) -> int:
    with open(f"/proc/{node.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
