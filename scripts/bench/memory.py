"""Resident memory of a server with all it started, from /proc."""

from pathlib import Path

_PROC = Path("/proc")
_KIBIBYTE = 1024


def resident_megabytes(pid: int, proc: Path = _PROC) -> float:
    """Of the process and its descendants, in 10^6 bytes. 0 on a system without /proc."""
    children: dict[int, list[int]] = {}
    for status in proc.glob("[0-9]*/status"):
        parent = _field(status, "PPid")
        if parent is not None:
            children.setdefault(parent, []).append(int(status.parent.name))
    total_kibibytes, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        total_kibibytes += _field(proc / str(process) / "status", "VmRSS") or 0
        waiting += children.get(process, [])
    return total_kibibytes * _KIBIBYTE / 1e6


def _field(status: Path, name: str) -> int | None:
    """A number of a status file; None when the process has ended or has no such field."""
    try:
        lines = status.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return None
