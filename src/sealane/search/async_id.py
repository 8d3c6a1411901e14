"""Ids of asynchronous searches: opaque to clients, in the reference's form.

Base64 of two texts, each behind its length: a random id, and the task that runs the search, `node:number`. The node is
where the answer is kept.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Self

from sealane.errors import IllegalArgument
from sealane.model.task import TaskId

_TEXT_MAX = 0x7F
"""The longest text whose length takes one byte. Ids of ours are shorter."""


@dataclass(frozen=True, slots=True)
class AsyncId:
    """`key` is unguessable, `task` the search's own."""

    key: str
    task: TaskId

    def __str__(self) -> str:
        parts = (self.key.encode(), str(self.task).encode())
        packed = b"".join(bytes([len(part)]) + part for part in parts)
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises IllegalArgument for what is no such id."""
        try:
            packed = base64.b64decode(text.encode("ascii"), b"-_", validate=True)
            key, rest = _text(packed)
            task, rest = _text(rest)
            node, _, number = task.rpartition(":")
            if rest or not node or not number.isdigit():
                raise ValueError(task)
            return cls(key, TaskId(node, int(number)))
        except (binascii.Error, ValueError) as error:
            raise IllegalArgument(f"invalid id: [{text}]") from error


def _text(packed: bytes) -> tuple[str, bytes]:
    if not packed or packed[0] > _TEXT_MAX or packed[0] >= len(packed):
        raise ValueError("cut short")
    end = 1 + packed[0]
    return packed[1:end].decode(), packed[end:]
