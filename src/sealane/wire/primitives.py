"""The value types of the stream format, as a reader over one body and a writer that grows one.

Layout: docs/wire-protocol.md. Every length is checked against the bytes that are left before memory
is taken, so a body of n bytes can never make the reader allocate more than a small multiple of n.
What the values mean is left to the families.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeVar

from sealane.wire.errors import LocalProtocolError, RemoteProtocolError

_T = TypeVar("_T")
_K = TypeVar("_K")
_V = TypeVar("_V")

_SHORT = struct.Struct(">h")
_INT = struct.Struct(">i")
_LONG = struct.Struct(">q")
_FLOAT = struct.Struct(">f")
_DOUBLE = struct.Struct(">d")

_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))
TIME_UNITS = ("nanos", "micros", "ms", "s", "m", "h", "d")


class StreamInput:
    """Reads one body from its start to its end. Raises RemoteProtocolError on anything that does
    not fit."""

    __slots__ = ("_data", "_pos")

    def __init__(self, data: bytes | bytearray | memoryview, pos: int = 0) -> None:
        self._data = data if type(data) is bytes else bytes(data)
        self._pos = pos

    @property
    def pos(self) -> int:
        return self._pos

    @property
    def left(self) -> int:
        return len(self._data) - self._pos

    def raw(self, count: int) -> bytes:
        """The next `count` bytes as they are."""
        start = self._pos
        if count < 0 or count > len(self._data) - start:
            raise RemoteProtocolError(
                f"need [{count}] bytes but only [{len(self._data) - start}] are left", start
            )
        self._pos = start + count
        return self._data[start : self._pos]

    def rest(self) -> bytes:
        return self.raw(self.left)

    def finish(self, what: str) -> None:
        """Demands that the body has been read to its end: a field misread shows here."""
        if self.left:
            raise RemoteProtocolError(
                f"[{what}] not fully read, [{self.left}] bytes left", self._pos
            )

    # -- numbers -----------------------------------------------------------------------------------

    def byte(self) -> int:
        """An unsigned byte."""
        if self._pos >= len(self._data):
            raise RemoteProtocolError("need [1] bytes but only [0] are left", self._pos)
        value = self._data[self._pos]
        self._pos += 1
        return value

    def signed_byte(self) -> int:
        value = self.byte()
        return value - 256 if value > 127 else value

    def boolean(self) -> bool:
        value = self.byte()
        if value > 1:
            raise RemoteProtocolError(
                f"unexpected byte [0x{value:02x}] for a boolean", self._pos - 1
            )
        return value == 1

    def optional_boolean(self) -> bool | None:
        value = self.byte()
        if value > 2:
            raise RemoteProtocolError(
                f"unexpected byte [0x{value:02x}] for an optional boolean", self._pos - 1
            )
        return None if value == 2 else value == 1

    def int16(self) -> int:
        return int(_SHORT.unpack(self.raw(2))[0])

    def int32(self) -> int:
        return int(_INT.unpack(self.raw(4))[0])

    def int64(self) -> int:
        return int(_LONG.unpack(self.raw(8))[0])

    def float32(self) -> float:
        return float(_FLOAT.unpack(self.raw(4))[0])

    def float64(self) -> float:
        return float(_DOUBLE.unpack(self.raw(8))[0])

    def vint(self) -> int:
        """A 32-bit number, 7 bits a byte; a negative one takes five bytes."""
        value = self._groups(5, 32, "vint")
        return value - (1 << 32) if value >= 1 << 31 else value

    def vlong(self) -> int:
        value = self._groups(10, 64, "vlong")
        return value - (1 << 64) if value >= 1 << 63 else value

    def zlong(self) -> int:
        value = self._groups(10, 64, "zlong")
        return (value >> 1) ^ -(value & 1)

    def _groups(self, bytes_max: int, bits: int, what: str) -> int:
        start, value, shift = self._pos, 0, 0
        while True:
            group = self.byte()
            value |= (group & 0x7F) << shift
            if not group & 0x80:
                break
            shift += 7
            if shift >= 7 * bytes_max:
                raise RemoteProtocolError(f"[{what}] is longer than [{bytes_max}] bytes", start)
        if value >> bits:
            raise RemoteProtocolError(f"[{what}] does not fit into [{bits}] bits", start)
        return value

    def count(self) -> int:
        """The length of what follows: never negative, never more items than bytes are left."""
        start = self._pos
        value = self.vint()
        if value < 0 or value > len(self._data) - self._pos:
            raise RemoteProtocolError(
                f"length [{value}] does not fit into the [{self.left}] bytes left", start
            )
        return value

    # -- text and bytes ----------------------------------------------------------------------------

    def string(self) -> str:
        """Counted in UTF-16 units, each written as one to three bytes; see StreamOutput.string."""
        units = self.count()
        start = self._pos
        head = self._data[start : start + units]
        if head.isascii():
            self._pos = start + units
            return head.decode("ascii")
        end, missing = start, units
        while missing:
            # Each unit has one lead byte, so `missing` units need at least `missing` further bytes.
            chunk = self._data[end : end + missing]
            if len(chunk) < missing:
                raise RemoteProtocolError(f"string of [{units}] units is cut off", start)
            missing -= len(chunk.translate(None, _CONTINUATION_BYTES))
            end += len(chunk)
        while end < len(self._data) and self._data[end] & 0xC0 == 0x80:
            end += 1
        self._pos = end
        try:
            text = self._data[start:end].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as wrong:
            raise RemoteProtocolError("string is not valid UTF-8", start + wrong.start) from None
        # Halves of one character arrive apart; a half without its other half becomes a replacement
        # character.
        joined = text.encode("utf-16-le", "surrogatepass")
        if len(joined) != 2 * units:
            raise RemoteProtocolError(
                f"string has [{len(joined) // 2}] units instead of [{units}]", start
            )
        return joined.decode("utf-16-le", "replace")

    def text(self) -> str:
        """Counted in bytes by a fixed int, UTF-8 proper."""
        start = self._pos
        try:
            return self.raw(self.int32()).decode("utf-8")
        except UnicodeDecodeError:
            raise RemoteProtocolError("text is not valid UTF-8", start) from None

    def block(self) -> bytes:
        return self.raw(self.count())

    # -- containers --------------------------------------------------------------------------------

    def optional(self, read: Callable[[], _T]) -> _T | None:
        return read() if self.boolean() else None

    def array(self, read: Callable[[], _T]) -> list[_T]:
        return [read() for _ in range(self.count())]

    def strings(self) -> list[str]:
        return self.array(self.string)

    def mapping(self, key: Callable[[], _K], value: Callable[[], _V]) -> dict[_K, _V]:
        return {key(): value() for _ in range(self.count())}

    def time_value(self) -> tuple[int, str]:
        """An amount and its unit, one of TIME_UNITS."""
        amount, unit = self.zlong(), self.byte()
        if unit >= len(TIME_UNITS):
            raise RemoteProtocolError(f"unknown time unit [{unit}]", self._pos - 1)
        return amount, TIME_UNITS[unit]

    def task_id(self) -> tuple[str, int] | None:
        """The parent task, None when the request has none."""
        node = self.string()
        return (node, self.int64()) if node else None


class StreamOutput:
    """Grows one body. Every method returns the writer, so that fields in a row read as a row."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def getvalue(self) -> bytes:
        return bytes(self._data)

    def raw(self, data: bytes | bytearray | memoryview) -> Self:
        self._data += data
        return self

    # -- numbers -----------------------------------------------------------------------------------

    def byte(self, value: int) -> Self:
        """One byte; -128 to 255."""
        self._data.append(value & 0xFF)
        return self

    def boolean(self, value: bool) -> Self:
        return self.byte(1 if value else 0)

    def optional_boolean(self, value: bool | None) -> Self:
        return self.byte(2 if value is None else 1 if value else 0)

    def int16(self, value: int) -> Self:
        return self.raw(_SHORT.pack(value))

    def int32(self, value: int) -> Self:
        return self.raw(_INT.pack(value))

    def int64(self, value: int) -> Self:
        return self.raw(_LONG.pack(value))

    def float32(self, value: float) -> Self:
        return self.raw(_FLOAT.pack(value))

    def float64(self, value: float) -> Self:
        return self.raw(_DOUBLE.pack(value))

    def vint(self, value: int) -> Self:
        if not -(1 << 31) <= value < 1 << 31:
            raise LocalProtocolError(f"[{value}] is no 32-bit number")
        return self._groups(value & 0xFFFFFFFF)

    def vlong(self, value: int) -> Self:
        if not -(1 << 63) <= value < 1 << 63:
            raise LocalProtocolError(f"[{value}] is no 64-bit number")
        return self._groups(value & 0xFFFFFFFFFFFFFFFF)

    def zlong(self, value: int) -> Self:
        if not -(1 << 63) <= value < 1 << 63:
            raise LocalProtocolError(f"[{value}] is no 64-bit number")
        return self._groups((value << 1 ^ value >> 63) & 0xFFFFFFFFFFFFFFFF)

    def _groups(self, value: int) -> Self:
        data = self._data
        while value > 0x7F:
            data.append(value & 0x7F | 0x80)
            value >>= 7
        data.append(value)
        return self

    # -- text and bytes ----------------------------------------------------------------------------

    def string(self, value: str) -> Self:
        """UTF-16 units, each as UTF-8 would write it alone: a character beyond the BMP is two units
        of three bytes."""
        if value.isascii():
            return self.vint(len(value)).raw(value.encode("ascii"))
        units = value.encode("utf-16-le", "surrogatepass")
        self.vint(len(units) // 2)
        if max(value) <= "\uffff":
            return self.raw(value.encode("utf-8", "surrogatepass"))
        for low, high in zip(units[::2], units[1::2], strict=True):
            self.raw(chr(low | high << 8).encode("utf-8", "surrogatepass"))
        return self

    def text(self, value: str) -> Self:
        data = value.encode("utf-8")
        return self.int32(len(data)).raw(data)

    def block(self, value: bytes) -> Self:
        return self.vint(len(value)).raw(value)

    # -- containers --------------------------------------------------------------------------------

    def optional(self, value: _T | None, write: Callable[[_T], object]) -> Self:
        if value is None:
            return self.boolean(False)
        self.boolean(True)
        write(value)
        return self

    def array(self, values: Sequence[_T], write: Callable[[_T], object]) -> Self:
        self.vint(len(values))
        for value in values:
            write(value)
        return self

    def strings(self, values: Sequence[str]) -> Self:
        return self.array(values, self.string)

    def mapping(
        self,
        values: Mapping[_K, _V],
        key: Callable[[_K], object],
        value: Callable[[_V], object],
    ) -> Self:
        self.vint(len(values))
        for each, item in values.items():
            key(each)
            value(item)
        return self

    def time_value(self, amount: int, unit: str) -> Self:
        return self.zlong(amount).byte(TIME_UNITS.index(unit))

    def task_id(self, parent: tuple[str, int] | None) -> Self:
        if parent is None:
            return self.string("")
        return self.string(parent[0]).int64(parent[1])
