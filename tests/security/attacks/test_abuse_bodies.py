"""T-30: bodies that are short to write and long to read, or that unfold to much."""

import zlib

import msgspec
import orjson
import pytest

from sealane.cluster import published, task_lists
from sealane.cluster.published import FollowRequest
from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.query import decode, parse_search_body
from sealane.query.by_query_body import read_by_query
from sealane.query.located import SCAN_MAX_BYTES, scan
from sealane.remote.transport.messages_phases import QUERY
from sealane.rest.bodies import YAML_MAX_BYTES, yaml_to_json
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.sealane import SEALANE, read_ban
from tests.security.attacks.http_world import http_world
from tests.transport_nodes import until

LONG = SCAN_MAX_BYTES // 8
"""Entries of eight bytes and more: a body above the length that is taken apart."""


# -- YAML ----------------------------------------------------------------------------------------------------------


def test_aliases_do_not_unfold() -> None:
    """A few lines would be gigabytes of JSON."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 12):
        before = b", ".join([b"*a%d" % (number - 1)] * 9)
        lines.append(b"a%d: &a%d [%s]" % (number, number, before))
    with pytest.raises(XContentParseError, match="aliases are not taken"):
        yaml_to_json(b"\n".join(lines))


def test_a_part_that_contains_itself_is_refused() -> None:
    with pytest.raises(XContentParseError):
        yaml_to_json(b"&a [*a]")


@pytest.mark.parametrize("piece", [b"[", b"{", b"- ", b"? ", b"{a: ", b"[["])
def test_deep_yaml_is_refused(piece: bytes) -> None:
    with pytest.raises(XContentParseError):
        yaml_to_json(piece * 5000)


def test_long_yaml_is_refused_unread() -> None:
    with pytest.raises(
        XContentParseError, match=f"exceeds the limit: {YAML_MAX_BYTES} code points"
    ):
        yaml_to_json(b"- a\n" * YAML_MAX_BYTES)


@pytest.mark.parametrize("text", [b"9" * 5000, b"a: !!python/object:os.system x", b"!!x", b"\xff"])
def test_odd_yaml_is_refused(text: bytes) -> None:
    with pytest.raises(XContentParseError, match="malformed YAML"):
        yaml_to_json(text)


def test_what_is_no_alias_may_be_there_twice() -> None:
    assert orjson.loads(yaml_to_json(b"a: [1, []]\nb: [1, []]\nc: {}\nd: {}")) == {
        "a": [1, []],
        "b": [1, []],
        "c": {},
        "d": {},
    }


# -- JSON ----------------------------------------------------------------------------------------------------------


def test_places_are_right_wherever_they_are_asked_for() -> None:
    """Lines are counted from the last place on; one that lies before it is found too."""
    found = scan(b'{"a":\n [1,\n  {"b":2}],\n"c"\n: 3}')
    value = found.value
    assert value.keys_at == {"a": (1, 2), "c": (4, 1)}
    assert value.values_at == {"a": (2, 2), "c": (5, 3)}
    assert value["a"].values_at == [(2, 3), (3, 3)]
    assert value["a"][1].values_at == {"b": (3, 8)}
    assert (value.begin, value.end) == ((1, 1), (5, 4))
    with pytest.raises(XContentParseError, match=r"^\[3:3\] (.|\n)*; line: 3, column: 3\]"):
        scan(b"[1,\n2,\n3 x]")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"query":{"terms":{"f":[' + b'"abcde",' * LONG, r"^\[1:\d{7}\] Expecting value"),
        (b'{"a":[' + b'{"xy":1},' * LONG + b'1],"a":1}', "a field is there twice"),
        (b"[" * (SCAN_MAX_BYTES + 1), "nested too deeply"),
        (b'"\xff"' + b" " * SCAN_MAX_BYTES, "no UTF-8"),
    ],
    ids=["cut", "twice", "deep", "bytes"],
)
def test_a_long_malformed_body_is_refused_at_once(body: bytes, reason: str) -> None:
    """It is not read a second time to say where exactly it is wrong: minutes for a hundred megabytes."""
    with pytest.raises(XContentParseError, match=reason):
        parse_search_body(body)
    with pytest.raises(XContentParseError, match=reason):
        decode(body)


def test_a_long_body_that_is_right_is_read() -> None:
    """Also with escaped characters, of which halves that stand alone become replacement characters."""
    values = b'"abcde",' * LONG + b'"\\ud83d\\ude00","\\ud83d"'
    (query,) = (parse_search_body(b'{"query":{"terms":{"f":[' + values + b"]}}}").query,)
    assert query.values[-2:] == ("\U0001f600", "\ufffd")  # type: ignore[union-attr]


def test_a_mistake_in_a_long_body_is_told() -> None:
    clauses = b'{"term":{"abcdef":1}},' * (SCAN_MAX_BYTES // 16)
    with pytest.raises(ApiError, match="failed to parse field"):
        parse_search_body(b'{"query":{"bool":{"must":[' + clauses + b'{"term":{"y":{}}}]}}}')


@pytest.mark.parametrize("said", ['"ten"', "true", "[1]", "{}"])
def test_a_limit_that_is_no_number(said: str) -> None:
    """The reference takes it for one, and fails with this type."""
    body = f'{{"query":{{"match_all":{{}}}},"max_docs":{said}}}'.encode()
    with pytest.raises(ApiError) as raised:
        read_by_query(body, {}, needs_query=True)
    assert (raised.value.es_type, raised.value.status) == ("class_cast_exception", 500)


@pytest.mark.parametrize(("said", "limit"), [("5", 5), ("5.7", 5), ("1e300", 2**31 - 1)])
def test_a_limit_is_a_whole_number(said: str, limit: int) -> None:
    body = f'{{"query":{{"match_all":{{}}}},"max_docs":{said}}}'.encode()
    assert read_by_query(body, {}, needs_query=True).max_docs == limit


@pytest.mark.parametrize(
    ("text", "shown"), [("a]b", "']' (code 0x5d)"), ("a\u00e9", "'\u00c3' (code 0xc3)")]
)
def test_a_wrapped_query_that_is_no_base64(text: str, shown: str) -> None:
    """The first byte that is wrong is named, as the reference does."""
    with pytest.raises(XContentParseError) as raised:
        parse_search_body(orjson.dumps({"query": {"wrapper": {"query": text}}}))
    assert f"Illegal character {shown} in base64 content" in raised.value.reason


# -- messages between nodes ----------------------------------------------------------------------------------------

DEEP = b"\x91" * 5000 + b"\x01"
"""Arrays in arrays."""


@pytest.mark.parametrize(
    "read",
    [
        SEALANE.read_node_response,
        SEALANE.read_error,
        lambda data: SEALANE.read_request(b"\x7f" + data),
        read_ban,
    ],
)
def test_deep_messages_of_a_node_are_refused(read: object) -> None:
    """Deeper than the reader can go, in a member that nobody asks for: it has to pass over it."""
    for data in (DEEP, b"\x81\xa1y" + DEEP, b"\x94\xa1n\x01\xa1r" + DEEP):
        with pytest.raises(RemoteProtocolError):
            read(data)  # type: ignore[operator]


@pytest.mark.parametrize(
    "read",
    [
        QUERY.read_answer,
        QUERY.read_request,
        task_lists.read_cancel,
        task_lists.read_tasks,
        lambda data: published.decode(FollowRequest, data, "a"),
    ],
)
def test_deep_messages_of_a_cluster_are_refused(read: object) -> None:
    for data in (DEEP, b"\x81\xa1y" + DEEP, b"[" * 5000, b'[{"a":' * 3000):
        with pytest.raises(IllegalArgument, match="malformed message"):
            read(data)  # type: ignore[operator]


def test_the_reader_does_give_up_on_depth() -> None:
    """What the tests above rest on: it raises no error of its own there."""
    with pytest.raises(RecursionError):
        msgspec.msgpack.decode(b"\x81\xa1y" + DEEP, type=FollowRequest)


# -- HTTP ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_a_packed_body_unfolds_to_the_limit_at_most(coding: bytes) -> None:
    """T-29."""
    packer = zlib.compressobj(9, wbits=31 if coding == b"gzip" else 15)
    packed = packer.compress(bytes(100 * 1024 * 1024 + 1)) + packer.flush()
    async with http_world() as world:
        head = b"POST /_echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        head += b"content-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (coding, len(packed))
        assert (await world.exchange(head + packed))[0] == [413]
        assert world.ran == []
        assert await world.is_serving()


async def test_bodies_together_have_room_for_so_much() -> None:
    """T-29: a request whose body finds no room is answered 429, and the room of others is given back when they end."""
    packed = zlib.compress(b"{}" + b" " * 600_000)
    head = (
        b"POST /%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    )
    rest = b"content-encoding: deflate\r\ncontent-length: %d\r\n\r\n" % len(packed)
    async with http_world() as world:
        room = world.app._room
        room._limit = 1_000_000
        _, writer = await world.open()
        writer.write(head % b"_hold" + rest + packed)
        await until(lambda: room.taken > 600_000)
        found, received = await world.exchange(head % b"_echo" + rest + packed)
        assert found == [429]
        assert orjson.loads(received.partition(b"\r\n\r\n")[2])["error"]["type"] == (
            "circuit_breaking_exception"
        )
        world.release.set()
        await until(lambda: room.taken == 0)
        assert (await world.exchange(head % b"_echo" + rest + packed))[0] == [200]
