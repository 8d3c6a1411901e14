"""Finds frames in a stream of bytes, however it is cut. Pure: no sockets, no clock.

Bytes arrive by `receive_data`, or without a copy by `get_buffer` and `buffer_updated`; both return
events: frames, pings, and at last a RemoteProtocolError, after which the stream is dead and returns
nothing more. Nothing that the peer announces takes memory before it has been compared with a limit.
Who may send what is left to the channel.
"""

import mmap
from collections.abc import Callable

from sealane.wire.compression import decompress, scheme_of
from sealane.wire.errors import (
    HttpRequestReceived,
    HttpResponseReceived,
    RemoteProtocolError,
    TlsReceived,
    UnsupportedVersion,
)
from sealane.wire.frame import (
    A_PING,
    COMPRESSED,
    HANDSHAKE,
    HEADER,
    HEADER_BEFORE_7_6,
    LENGTH_END,
    MAGIC,
    RESPONSE,
    STATUS_BITS,
    Frame,
    Ping,
    read_variable_header,
)
from sealane.wire.versions import has_variable_header_size, is_readable, refusal

Event = Frame | Ping | RemoteProtocolError

Admit = Callable[[Frame], bool]
"""Told of each frame once its header is there: whether its body is to be read. A body that is not is empty, and
the stream is dead after it. May raise RemoteProtocolError."""

_HTTP_METHODS = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTION", b"PATCH", b"TRACE")
_TLS_RECORDS = (0x15, 0x16)
"""Alert and handshake: what a TLS peer sends first, and what it answers to plain text."""
NOT_HTTP_REPLY = b"This is not an HTTP port"

_BUFFER_MIN, _BUFFER_MAX = 4096, 64 * 1024
"""A connection has a buffer only while it holds part of a frame, so an idle one costs none; one whose
reads fill the small one gets larger ones, until a read is small again."""
_SHOWN = 64
"""Bytes of something that is no frame which its error keeps, for people to recognise it by."""
_LARGE_FRAME = _BUFFER_MAX // 2
"""From this size on a frame is read into memory of its own, which its body then keeps."""
_NO_BUFFER = bytearray()
_NO_VIEW = memoryview(_NO_BUFFER)
_MEBIBYTE = 1024 * 1024
_HUGE_FRAME = _MEBIBYTE
"""From this size on its memory comes from the system, which gives each page when it is written: a
peer that announces much and sends little costs little. A bytearray is written at once. When so much
has come, huge pages follow, several times as fast to get; earlier, one byte would cost 2 MiB."""
_PAGES_OF_OUR_OWN = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_HUGE_PAGES: int = getattr(mmap, "MADV_HUGEPAGE", 0)


class FrameDecoder:
    """The receiving half of one connection's protocol."""

    __slots__ = (
        "_admit",
        "_buffer",
        "_dead",
        "_end",
        "_large",
        "_large_filled",
        "_large_head",
        "_large_map",
        "_large_unseen",
        "_offset",
        "_room",
        "_start",
        "_view",
        "frame_max_bytes",
        "header_max_bytes",
    )

    def __init__(
        self,
        *,
        frame_max_bytes: int = 100 * _MEBIBYTE,
        header_max_bytes: int = 65536,
        admit: Admit | None = None,
    ) -> None:
        """Both limits may be changed later, for the frames that begin then."""
        self.frame_max_bytes = frame_max_bytes
        self.header_max_bytes = header_max_bytes
        self._admit = admit
        self._large_unseen = False
        """Whether the header of the large frame that comes has yet to be shown to `admit`."""
        self._large_head: tuple[Frame, int] | None = None
        """Once it has been."""
        self._buffer, self._view = _NO_BUFFER, _NO_VIEW
        self._room = _BUFFER_MIN
        self._start = self._end = 0
        self._large: memoryview | None = None
        self._large_filled = 0
        self._large_map: mmap.mmap | None = None
        """Of a large frame that has not earned huge pages yet."""
        self._offset = 0
        self._dead = False

    @property
    def held(self) -> int:
        """Bytes of a large frame that has not come whole yet."""
        return 0 if self._large is None else self._large_filled

    def receive_data(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """The events that `data` completes."""
        events: list[Event] = []
        rest = memoryview(data)
        while rest and not self._dead:
            room = self.get_buffer(len(rest))
            taken = min(len(room), len(rest))
            room[:taken] = rest[:taken]
            events += self.buffer_updated(taken)
            rest = rest[taken:]
        return events

    def get_buffer(self, size_hint: int) -> memoryview:
        """Where the next bytes go; never empty. Valid until the next call of any method."""
        if self._large is not None:
            return self._large[self._large_filled :]
        if self._end == len(self._buffer):
            self._make_room()
        return self._view[self._end :]

    def _make_room(self) -> None:
        waiting = self._end - self._start
        if not self._end:
            self._buffer = bytearray(self._room)
            self._view = memoryview(self._buffer)
        elif self._start >= len(self._buffer) // 2:
            self._buffer[:waiting] = self._buffer[self._start : self._end]
        else:
            grown = bytearray(min(4 * len(self._buffer), _BUFFER_MAX))
            grown[:waiting] = self._view[self._start : self._end]
            self._buffer, self._view = grown, memoryview(grown)
        self._start, self._end = 0, waiting

    def buffer_updated(self, count: int) -> list[Event]:
        """The events that the `count` bytes written into the last buffer complete."""
        if self._dead:
            return []
        events: list[Event] = []
        try:
            if self._large is not None:
                self._large_filled += count
                if self._large_unseen:
                    refused = self._look_at_large()
                    if refused is not None:
                        return [refused]
                if self._large_map is not None and self._large_filled >= _HUGE_FRAME:
                    _advise_huge_pages(self._large_map)
                    self._large_map = None
                if self._large_filled == len(self._large):
                    large, self._large = self._large, None
                    events.append(self._finish_large(large))
                    self._offset += len(large)
            else:
                self._end += count
                if self._end == len(self._buffer):
                    self._room = min(4 * self._room, _BUFFER_MAX)
                elif count < _BUFFER_MIN:
                    self._room = _BUFFER_MIN
                self._cut(events)
        except RemoteProtocolError as wrong:
            self._dead = True
            wrong.offset += self._offset
            events.append(wrong)
        return events

    def _cut(self, events: list[Event]) -> None:
        view, end = self._view, self._end
        start = self._start
        while end - start >= LENGTH_END:
            size = self._frame_size(view, start)
            if end - start < size:
                if size >= _LARGE_FRAME:
                    refused = self._begin_large(size)
                    if refused is not None:
                        events.append(refused)
                    return
                break
            if size == LENGTH_END:
                events.append(A_PING)
            else:
                events.append(self._read_frame(view, start, size, keep=False))
            start += size
            self._start = start
            self._offset += size
            if self._dead:
                return
        if start == end:
            self._drop_buffer()

    def _drop_buffer(self) -> None:
        self._buffer, self._view = _NO_BUFFER, _NO_VIEW
        self._start = self._end = 0

    def _frame_size(self, view: memoryview, start: int) -> int:
        """The size of the frame that begins at `start`, everything included. Raises if none begins
        there."""
        if view[start : start + 2] != MAGIC:
            raise _not_a_frame(bytes(view[start : min(start + _SHOWN, self._end)]))
        length = int.from_bytes(view[start + 2 : start + LENGTH_END], "big", signed=True)
        if length == -1:
            return LENGTH_END
        if length <= 0:
            raise RemoteProtocolError(f"invalid data length: {length}", 2)
        if length > self.frame_max_bytes:
            raise RemoteProtocolError(
                f"transport content length received [{format_bytes(length)}] "
                f"exceeded [{format_bytes(self.frame_max_bytes)}]",
                2,
            )
        if length < HEADER_BEFORE_7_6.size - LENGTH_END:
            raise RemoteProtocolError(f"frame of [{length}] bytes is too short for its header", 2)
        return LENGTH_END + length

    def _begin_large(self, size: int) -> Frame | None:
        """Like `_look_at_large`, of what has come already."""
        have = self._end - self._start
        if size >= _HUGE_FRAME:
            pages = mmap.mmap(-1, size, flags=_PAGES_OF_OUR_OWN)
            large = memoryview(pages)
            self._large_map = pages if _HUGE_PAGES else None
        else:
            large = memoryview(bytearray(size))
        large[:have] = self._view[self._start : self._end]
        self._large, self._large_filled = large, have
        self._large_unseen = self._admit is not None
        self._drop_buffer()
        return self._look_at_large() if self._large_unseen else None

    def _look_at_large(self) -> Frame | None:
        """Shows the header of a frame that has not come whole, once that is there. The frame without its body
        where that is not to be read."""
        large, filled, admit = self._large, self._large_filled, self._admit
        assert large is not None
        assert admit is not None
        if filled < HEADER.size:
            return None
        version = HEADER_BEFORE_7_6.unpack_from(large)[4]
        if has_variable_header_size(version):
            header_size = int.from_bytes(large[19:23], "big", signed=True)
            if filled < min(len(large), HEADER.size + max(0, header_size)):
                if header_size > self.header_max_bytes:
                    raise self._header_too_large(header_size)
                return None
        elif filled < len(large):
            return None
        self._large_unseen = False
        self._large_head = head = self._read_head(large, 0, len(large))
        if admit(head[0]):
            return None
        self._dead, self._large = True, None
        return head[0]

    def _finish_large(self, large: memoryview) -> Frame:
        head, self._large_head = self._large_head, None
        if head is None:
            return self._read_frame(large, 0, len(large), keep=True)
        return self._read_body(head[0], large[head[1] :], keep=True)

    def _read_frame(self, view: memoryview, start: int, size: int, *, keep: bool) -> Frame:
        """The frame in `view[start:start + size]`. With `keep` its body is a view of the same
        memory, else a copy."""
        frame, body_at = self._read_head(view, start, size)
        if self._admit is not None and not self._admit(frame):
            self._dead = True
            return frame
        return self._read_body(frame, view[start + body_at : start + size], keep=keep)

    def _read_body(self, frame: Frame, body: memoryview, *, keep: bool) -> Frame:
        if frame.status & COMPRESSED:
            frame.body = decompress(body, self.frame_max_bytes)
            frame.scheme = scheme_of(body)
        else:
            frame.body = body if keep else bytes(body)
        return frame

    def _read_head(self, view: memoryview, start: int, size: int) -> tuple[Frame, int]:
        """The frame without its body, and where that begins."""
        _, _, request_id, status, version = HEADER_BEFORE_7_6.unpack_from(view, start)
        _check_header(status, version)
        frame = Frame(request_id, status, version, size=size)
        if has_variable_header_size(version):
            return frame, HEADER.size + self._variable_header(frame, view, start, size)
        if status & COMPRESSED:
            raise RemoteProtocolError("compressed frame in a version before 7.6.0", 14)
        return frame, self._old_variable_header(frame, view, start, size)

    def _header_too_large(self, size: int) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"variable header of [{size}] bytes exceeds [{self.header_max_bytes}]", 19
        )

    def _variable_header(self, frame: Frame, view: memoryview, start: int, size: int) -> int:
        if size < HEADER.size:
            raise RemoteProtocolError(
                f"frame of [{size - LENGTH_END}] bytes is too short for its header", 2
            )
        header_size = int.from_bytes(view[start + 19 : start + 23], "big", signed=True)
        if not 0 <= header_size <= size - HEADER.size:
            raise RemoteProtocolError(f"variable header of [{header_size}] bytes does not fit", 19)
        if header_size > self.header_max_bytes:
            raise self._header_too_large(header_size)
        taken = read_variable_header(frame, bytes(view[start + 23 : start + 23 + header_size]))
        if taken != header_size:
            raise RemoteProtocolError(
                f"variable header read [{taken}] of [{header_size}] bytes", 23
            )
        return header_size

    def _old_variable_header(self, frame: Frame, view: memoryview, start: int, size: int) -> int:
        room = min(size, HEADER_BEFORE_7_6.size + self.header_max_bytes)
        data = bytes(view[start + HEADER_BEFORE_7_6.size : start + room])
        return HEADER_BEFORE_7_6.size + read_variable_header(frame, data)


def _advise_huge_pages(memory: mmap.mmap) -> None:
    try:
        memory.madvise(_HUGE_PAGES)
    except OSError:
        pass  # a kernel built without them; small pages serve as well, slower


def _check_header(status: int, version: int) -> None:
    if status & ~STATUS_BITS:
        raise RemoteProtocolError(f"unknown status bits [{status & 0xFF:#x}]", 14)
    handshake, response = bool(status & HANDSHAKE), bool(status & RESPONSE)
    if not is_readable(version, handshake=handshake, response=response):
        what = "handshake message" if handshake else "message"
        raise UnsupportedVersion(refusal(what, version), 15)


def _not_a_frame(head: bytes) -> RemoteProtocolError:
    """What something else is, by its first bytes: six at least."""
    if head.startswith(_HTTP_METHODS):
        return HttpRequestReceived("received HTTP request on transport port", reply=NOT_HTTP_REPLY)
    if head.startswith(b"HTTP"):
        return HttpResponseReceived(
            "received HTTP response on transport port, ensure that transport port (not HTTP port) "
            "of a remote node is specified in the configuration"
        )
    shown = ",".join(f"{byte:x}" for byte in head[:4])
    if head[0] in _TLS_RECORDS and head[1] == 3:
        return TlsReceived(
            f"SSL/TLS request received but SSL/TLS is not enabled on this node, got ({shown})"
        )
    return RemoteProtocolError(
        f"invalid internal transport message format, got ({shown})", received=head
    )


def format_bytes(count: int) -> str:
    """A size as the reference prints it: `2gb`, `1.5mb`, `10b`."""
    for unit, factor in (("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)):
        if count >= factor:
            tenths = 10 * count // factor
            return f"{tenths // 10}{unit}" if tenths % 10 == 0 else f"{tenths / 10}{unit}"
    return f"{count}b"
