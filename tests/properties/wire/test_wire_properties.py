"""Whatever the bytes: the same events however they are cut, and an error rather than a surprise."""

from collections.abc import Callable
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.errors import IllegalArgument
from sealane.wire import Frame, FrameDecoder, Ping, RemoteProtocolError, StreamInput, StreamOutput
from sealane.wire.exceptions import read_error_body
from sealane.wire.families.elasticsearch import read_tcp_request
from sealane.wire.families.foreign import BAN, CANCEL_CHILD
from sealane.wire.families.known import FOREIGN, WIRES
from sealane.wire.frame import PING, encode
from sealane.wire.versions import ELASTICSEARCH_WIRE, OPENSEARCH_WIRE, SEALANE_VERSION
from tests.wire_vectors import RECORDED, VECTORS, recorded

VERSIONS = st.sampled_from([ELASTICSEARCH_WIRE, OPENSEARCH_WIRE, SEALANE_VERSION])
TEXT = st.text(max_size=20)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    version = draw(VERSIONS)
    response = draw(st.booleans())
    features = draw(st.lists(TEXT, max_size=2)) if version == OPENSEARCH_WIRE else None
    return Frame(
        draw(INT64),
        1 if response else 0,
        version,
        action=None if response else draw(st.text(min_size=1, max_size=30)),
        headers=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        response_headers=draw(st.dictionaries(TEXT, st.lists(TEXT, max_size=2), max_size=2)),
        features=None if response else features,
        body=draw(st.binary(max_size=200) | st.just(b"x" * 70_000)),
    )


def shown(events: list) -> list:
    return [
        (type(e), e.reason, e.offset) if isinstance(e, RemoteProtocolError)
        else e if isinstance(e, Frame) else type(e)
        for e in events
    ]  # fmt: skip


@given(frames())
def test_decoding_an_encoded_frame_gives_it_back(frame: Frame) -> None:
    assert FrameDecoder().receive_data(encode(frame)) == [frame]


@given(st.lists(frames() | st.just(None), max_size=4), st.lists(st.integers(1, 300), min_size=1))
@settings(max_examples=60)
def test_any_cut_gives_the_same_events(messages: list[Frame | None], sizes: list[int]) -> None:
    """C-91: frames split at any byte boundary decode the same."""
    stream = b"".join(PING if each is None else encode(each) for each in messages)
    decoder, pos, turn, events = FrameDecoder(), 0, 0, []
    while pos < len(stream):
        size = sizes[turn % len(sizes)] * (100 if len(stream) > 10_000 else 1)
        events += decoder.receive_data(stream[pos : pos + size])
        pos, turn = pos + size, turn + 1
    assert shown(events) == [Ping if each is None else each for each in messages]


FRAMES = {**VECTORS, **{name: recorded(name) for name in RECORDED}}


@given(st.sampled_from(sorted(FRAMES)), st.data())
def test_mutated_frames_raise_or_decode_but_never_surprise(name: str, data: st.DataObject) -> None:
    stream = bytearray(FRAMES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    whole = FrameDecoder().receive_data(stream)
    cut = data.draw(st.integers(0, len(stream)))
    decoder = FrameDecoder()
    assert shown(decoder.receive_data(stream[:cut]) + decoder.receive_data(stream[cut:])) == shown(
        whole
    )
    for event in whole:
        if isinstance(event, Frame):
            read_all_bodies(bytes(event.body))


@given(st.binary(max_size=300))
def test_random_bytes_never_surprise(data: bytes) -> None:
    assert len(FrameDecoder().receive_data(data)) <= 1 + len(data) // 6
    read_all_bodies(data)


@given(st.sampled_from([name for name in RECORDED if "error" not in name]), st.data())
def test_mutated_bodies_raise_or_decode_but_never_surprise(name: str, data: st.DataObject) -> None:
    """Behind a head that is whole, so that each reader sees what is almost its own."""
    (frame,) = FrameDecoder().receive_data(recorded(name))
    assert isinstance(frame, Frame)
    body = bytearray(frame.body)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read_all_bodies(bytes(body[: data.draw(st.integers(0, len(body)))]))


@given(st.integers(0, 4000), st.sampled_from(["elasticsearch", "opensearch"]))
@settings(max_examples=50)
def test_truncated_errors_raise(cut: int, family: str) -> None:
    version = ELASTICSEARCH_WIRE if family == "elasticsearch" else OPENSEARCH_WIRE
    body = recorded(f"error-{family}")[25:]
    try:
        read_error_body(body[: min(cut, len(body) - 1)], version)
    except RemoteProtocolError:
        return
    raise AssertionError("a truncated body was accepted")


def read_all_bodies(body: bytes) -> None:
    readers: list[Callable[[], object]] = [lambda: read_tcp_request(body, 7_170_099)]
    for wire in WIRES.values():
        readers += (
            partial(wire.read_request, body),
            partial(wire.read_error, body),
            partial(wire.read_node_response, body),
            partial(wire.read_cancel, CANCEL_CHILD, body),
            partial(wire.read_cancel, BAN, body),
        )
        for nodes in wire.nodes.values():
            readers += (partial(nodes.read_request, body), partial(nodes.read_response, body))
    readers += [partial(wire.read_tcp_response, body, 8_800_000) for wire in FOREIGN]
    for read in readers:
        try:
            read()
        except (RemoteProtocolError, IllegalArgument):
            pass  # what bad bytes may cause


@given(st.text(max_size=50))
def test_strings_survive(text: str) -> None:
    """C-96: any characters, NUL and those beyond the BMP included."""
    data = StreamOutput().string(text).getvalue()
    source = StreamInput(data + b"tail")
    assert source.string() == text
    assert source.left == 4


@given(st.integers(-(1 << 31), (1 << 31) - 1), INT64)
def test_numbers_survive(small: int, large: int) -> None:
    out = StreamOutput().vint(small).vlong(large).zlong(large).int32(small).int64(large)
    source = StreamInput(out.getvalue())
    assert (source.vint(), source.vlong(), source.zlong()) == (small, large, large)
    assert (source.int32(), source.int64()) == (small, large)
