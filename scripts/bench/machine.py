"""What the figures were measured on, and with what."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path


def facts() -> dict[str, str]:
    """Names and values, in the order of the report."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gigabytes():.0f} GB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "tantivy": metadata.version("tantivy"),
        "sealane": metadata.version("sealane"),
        "wrk": _wrk_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _memory_gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _wrk_version() -> str:
    # Asked for its version, wrk prints it in its first words and ends with code 1.
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return words[1] if len(words) > 1 else "unknown"
