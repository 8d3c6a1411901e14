"""How busy this machine is, for `_cat/nodes`."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """Percents, and the load averages of 1, 5 and 15 minutes. None where it cannot be known."""

    memory_percent: int | None = None
    """What the process holds of the machine's memory."""
    ram_percent: int | None = None
    cpu_percent: int | None = None
    load: tuple[float, float, float] | None = None


def machine_load() -> NodeLoad:
    """Reads `/proc` where there is one. The CPU figure is the last minute's load over the number of processors."""
    try:
        load = os.getloadavg()
    except OSError:
        return NodeLoad()
    cpu = min(100, round(100 * load[0] / (os.cpu_count() or 1)))
    total, available, resident = _memory_kb()
    if not total:
        return NodeLoad(cpu_percent=cpu, load=load)
    return NodeLoad(
        memory_percent=round(100 * resident / total),
        ram_percent=round(100 * (total - available) / total),
        cpu_percent=cpu,
        load=load,
    )


def _memory_kb() -> tuple[int, int, int]:
    """The machine's memory, what of it is free to use, and what this process holds. Zeros where unknown."""
    machine = _figures(Path("/proc/meminfo"))
    process = _figures(Path("/proc/self/status"))
    return machine.get("MemTotal", 0), machine.get("MemAvailable", 0), process.get("VmRSS", 0)


def _figures(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.endswith("kB"))
    return {name: int(value.removesuffix("kB")) for name, value in pairs}
