"""Keeps the log readable when strangers can write to it: a port scan must not fill the disk.

What is logged, and at which level, is left to whoever logs.
"""

import logging
from dataclasses import dataclass

_MOST = 20
_WITHIN_S = 60.0
_TEXTS_MAX = 1000


@dataclass(slots=True)
class _Window:
    began_s: float
    passed: int = 0
    left_out: int = 0


class Seldom(logging.Filter):
    """Lets through `most` records of one text, whatever its arguments, in `within_s` seconds. The
    last of them says that more are left out, the next one after that time how many were.

    What other loggers than those under `name` say is the operator's own doing, and stays whole.
    """

    def __init__(self, name: str, most: int = _MOST, within_s: float = _WITHIN_S) -> None:
        super().__init__(name)
        self._most = most
        self._within_s = within_s
        self._windows: dict[tuple[str, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        key = (record.name, str(record.msg))
        window = self._windows.get(key)
        left_out = 0
        if window is None or not 0 <= record.created - window.began_s < self._within_s:
            left_out = window.left_out if window is not None else 0
            if len(self._windows) >= _TEXTS_MAX:
                self._windows.clear()
            window = self._windows[key] = _Window(record.created)
        if window.passed >= self._most:
            window.left_out += 1
            return False
        window.passed += 1
        if left_out:
            _add(record, f"{left_out} like this before it were left out")
        if window.passed == self._most:
            _add(record, f"more like this are left out for {self._within_s:g} seconds")
        return True


def _add(record: logging.LogRecord, note: str) -> None:
    record.msg, record.args = f"{record.getMessage()} ({note})", ()
