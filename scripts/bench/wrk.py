"""The load generator: `wrk`, told by a small Lua script to send the variants in turn, and its
report."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.workloads import Workload

_SCRIPT = """
local bodies = {{
{bodies}
}}
local requests = {{}}
local next_one = 0

init = function(arguments)
  local headers = {{ ["Content-Type"] = "application/json"{authorization} }}
  for number, body in ipairs(bodies) do
    requests[number] = wrk.format("POST", "{path}", headers, body)
  end
end

request = function()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
"""
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
_PERCENTILE = re.compile(r"^\s+(\d+)(?:\.\d+)?%\s+([\d.]+)(us|ms|s|m|h)$", re.MULTILINE)
_REQUESTS = re.compile(r"^\s+(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_BAD_STATUS = re.compile(r"^\s+Non-2xx or 3xx responses: (\d+)$", re.MULTILINE)
_SOCKET_ERRORS = re.compile(
    r"^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$", re.MULTILINE
)


class WrkError(Exception):
    """There is no wrk, or it did not measure what it was asked to."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


def require() -> None:
    """Raises `WrkError` when wrk is not installed."""
    if shutil.which("wrk") is None:
        raise WrkError("the benchmark needs wrk (Debian: apt-get install wrk)")


def run(
    url: str,
    expression: str,
    workload: Workload,
    *,
    connections: int,
    seconds: float,
    authorization: str | None = None,
) -> Load:
    """Loads `expression` at the node `url` for a while; each request shows `authorization`, where
    there is one. Raises `WrkError` when a request failed."""
    with tempfile.TemporaryDirectory(prefix="sealane-wrk-") as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(lua_script(f"/{expression}/_search", workload, authorization))
        done = subprocess.run(
            [
                "wrk",
                # One thread keeps 16 connections busy, and leaves the cores to the servers.
                "--threads=1",
                f"--connections={connections}",
                f"--duration={max(1, round(seconds))}s",
                "--timeout=30s",
                "--latency",
                f"--script={script}",
                url,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise WrkError(f"wrk ended with code {done.returncode}: {(done.stderr or done.stdout)}")
    return parse(done.stdout)


def lua_script(path: str, workload: Workload, authorization: str | None = None) -> str:
    """JSON's escapes are Lua's but for two, which the bodies therefore must not need."""
    lines = []
    for body in workload.bodies:
        quoted = json.dumps(body, ensure_ascii=False)
        if "\\u" in quoted or "\\/" in quoted:
            raise ValueError(f"cannot be written as a Lua string: {body}")
        lines.append(f"  {quoted},")
    shown = "" if authorization is None else f", Authorization = {json.dumps(authorization)}"
    return _SCRIPT.format(bodies="\n".join(lines), path=path, authorization=shown)


def parse(report: str) -> Load:
    """Reads what `wrk --latency` prints.

    Raises `WrkError` when a request was answered with an error or not at all, or when the report is
    not one.
    """
    bad = _BAD_STATUS.search(report)
    if bad is not None:
        raise WrkError(f"{bad[1]} answers had an error status")
    broken = _SOCKET_ERRORS.search(report)
    if broken is not None:
        connect, read, write, timeout = broken.groups()
        raise WrkError(
            f"socket errors: connect {connect}, read {read}, write {write}, timeout {timeout}"
        )
    percentiles = {
        int(percent): float(value) * _MICROSECONDS[unit]
        for percent, value, unit in _PERCENTILE.findall(report)
    }
    requests, rate = _REQUESTS.search(report), _RATE.search(report)
    if requests is None or rate is None or not {50, 99} <= set(percentiles):
        raise WrkError(f"not a report of wrk: {report[:500]}")
    return Load(
        requests=int(requests[1]),
        per_second=float(rate[1]),
        p50_ms=percentiles[50] / 1e3,
        p99_ms=percentiles[99] / 1e3,
    )
