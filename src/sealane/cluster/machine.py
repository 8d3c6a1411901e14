"""What this process and its machine have and use, as `_nodes/stats` and `_cluster/stats` show it.

Read where it is asked for, from `/proc` where there is one; a figure that cannot be known is left out.
"""

import asyncio
import os
import platform
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealane.clock import Clock

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_ARCHITECTURES = {"x86_64": "amd64"}
"""Names that the reference has others for."""


class Machine:
    """The process, and the machine as it sees it. `data` is the folder whose disk is meant."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._data = data
        self._clock = clock
        self._cpu_s = _cpu_seconds()
        self._asked_at: float | None = None
        self._cpu_percent = 0

    def process(self) -> dict[str, Any]:
        """`cpu.percent` is the share of all processors since the last time that this was asked."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        cpu_s = _cpu_seconds()
        self._measure(cpu_s)
        stats: dict[str, Any] = {"timestamp": self._clock.now_ms()}
        opened = _open_descriptors()
        if opened is not None:
            stats["open_file_descriptors"] = opened
        stats["max_file_descriptors"] = limit
        stats["cpu"] = {"percent": self._cpu_percent, "total_in_millis": int(cpu_s * 1000)}
        memory = _read("/proc/self/statm").split()
        if memory:
            stats["mem"] = {"total_virtual_in_bytes": int(memory[0]) * _PAGE_BYTES}
        return stats

    def os(self) -> dict[str, Any]:
        stats: dict[str, Any] = {"timestamp": self._clock.now_ms()}
        load = _load()
        if load is not None:
            percent = min(100, round(100 * load[0] / (os.cpu_count() or 1)))
            averages = dict(
                zip(("1m", "5m", "15m"), (round(each, 2) for each in load), strict=True)
            )
            stats["cpu"] = {"percent": percent, "load_average": averages}
        memory = _memory()
        if memory:
            stats["mem"] = memory_json(memory.get("MemTotal", 0), memory.get("MemAvailable", 0))
            swap, free = memory.get("SwapTotal", 0), memory.get("SwapFree", 0)
            stats["swap"] = {
                "total_in_bytes": swap,
                "free_in_bytes": free,
                "used_in_bytes": swap - free,
            }
        return stats

    def os_info(self) -> dict[str, Any]:
        """What does not change: processors and names."""
        processors = os.cpu_count() or 1
        architecture = platform.machine()
        return {
            "name": platform.system(),
            "pretty_name": _pretty_name(),
            "arch": _ARCHITECTURES.get(architecture, architecture),
            "available_processors": processors,
            "allocated_processors": len(os.sched_getaffinity(0)),
        }

    def fs(self) -> dict[str, Any]:
        try:
            disk = os.statvfs(self._data)
        except OSError:
            return {"timestamp": self._clock.now_ms()}
        total = {
            "total_in_bytes": disk.f_blocks * disk.f_frsize,
            "free_in_bytes": disk.f_bfree * disk.f_frsize,
            "available_in_bytes": disk.f_bavail * disk.f_frsize,
        }
        return {
            "timestamp": self._clock.now_ms(),
            "total": total,
            "data": [{"path": str(self._data), **total}],
        }

    def _measure(self, cpu_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._asked_at is not None and now > self._asked_at:
            share = (cpu_s - self._cpu_s) / (now - self._asked_at) / (os.cpu_count() or 1)
            self._cpu_percent = max(0, min(100, round(100 * share)))
        self._asked_at, self._cpu_s = now, cpu_s


def memory_json(total: int, available: int) -> dict[str, int]:
    """The object `mem` of machines that have `total` bytes, of which `available` are free to use."""
    used = total - available
    return {
        "total_in_bytes": total,
        "adjusted_total_in_bytes": total,
        "free_in_bytes": available,
        "used_in_bytes": used,
        "free_percent": round(100 * available / total) if total else 0,
        "used_percent": round(100 * used / total) if total else 0,
    }


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system


def _open_descriptors() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # the listing has one of its own
    except OSError:
        return None


def _load() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except OSError:
        return None


def _memory() -> Mapping[str, int]:
    """Bytes by their name in `/proc/meminfo`."""
    pairs = (line.split(":", 1) for line in _read("/proc/meminfo").splitlines())
    return {
        name: int(value.removesuffix("kB")) * 1024
        for name, value in pairs
        if value.strip().endswith("kB")
    }


def _pretty_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
