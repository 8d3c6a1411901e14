"""What is decided by a frame's header, before its body is read."""

import pytest

from sealane.wire import Frame, FrameDecoder
from sealane.wire.compression import compress
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.frame import COMPRESSED, encode
from sealane.wire.versions import SEALANE_VERSION


def frame(action: str, body: bytes = b"", status: int = 0) -> bytes:
    headers = {"who": action}
    return encode(Frame(7, status, SEALANE_VERSION, action=action, headers=headers, body=body))


class Judge:
    """Refuses the action `no`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, seen: Frame) -> bool:
        assert seen.body == b""
        assert seen.action is not None
        self.asked.append(seen.action)
        return seen.action != "no"


@pytest.mark.parametrize("size", [0, 100, 40_000, 3_000_000])
@pytest.mark.parametrize("step", [7, 1000, 10_000_000])
def test_each_frame_is_judged_once_however_it_comes(size: int, step: int) -> None:
    judge = Judge()
    decoder = FrameDecoder(admit=judge)
    data = frame("one", b"x" * size) + frame("two", b"y")
    found = [
        event
        for start in range(0, len(data), step if size < 1_000_000 else max(step, 100_000))
        for event in decoder.receive_data(
            data[start : start + (step if size < 1_000_000 else max(step, 100_000))]
        )
    ]
    assert judge.asked == ["one", "two"]
    assert [len(each.body) for each in found if isinstance(each, Frame)] == [size, 1]


def test_what_is_refused_is_not_unpacked_and_nothing_follows() -> None:
    """X-29: a body that would not even unpack is not looked at."""
    decoder = FrameDecoder(admit=Judge())
    [refused] = decoder.receive_data(frame("no", b"not compressed", COMPRESSED) + frame("one"))
    assert isinstance(refused, Frame)
    assert (refused.action, bytes(refused.body)) == ("no", b"")
    assert decoder.receive_data(frame("one")) == []


def test_a_large_frame_is_refused_when_its_header_is_there() -> None:
    """T-32: the rest is not waited for, and what was kept of it is let go."""
    decoder = FrameDecoder(admit=Judge())
    data = frame("no", b"x" * 2_000_000)
    assert decoder.receive_data(data[:10]) == []
    [refused] = decoder.receive_data(data[10:500])
    assert isinstance(refused, Frame)
    assert decoder.held == 0
    assert decoder.receive_data(data[500:]) == []


def test_a_header_that_is_too_long_is_not_waited_for() -> None:
    decoder = FrameDecoder(admit=Judge(), header_max_bytes=100)
    headers = {"who": "x" * 5000}
    data = encode(Frame(7, 0, SEALANE_VERSION, action="one", headers=headers, body=b"x" * 100_000))
    [wrong] = decoder.receive_data(data[:30])
    assert isinstance(wrong, RemoteProtocolError)
    assert "exceeds [100]" in wrong.reason


def test_compressed_bodies_of_those_let_in() -> None:
    decoder = FrameDecoder(admit=Judge())
    body = compress(b"x" * 10_000, "deflate")
    [found] = decoder.receive_data(frame("one", body, COMPRESSED))
    assert isinstance(found, Frame)
    assert bytes(found.body) == b"x" * 10_000
