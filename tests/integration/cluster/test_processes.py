"""What only a process of its own shows: signals."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from sealane.testing.process import NodeProcess

NOBODY = "127.0.0.1:1"


def test_a_node_that_waits_for_its_master_stops_when_it_is_told_to(tmp_path: Path) -> None:
    """SIGTERM is not put off until the wait for the master is over."""
    log = tmp_path / "log"
    settings = {
        "node.roles": "ingest",
        "discovery.seed_hosts": NOBODY,
        "discovery.initial_state_timeout": "1h",
        "http.port": "0",
        "transport.port": "0",
        "path.data": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "sealane", "start"]
    for key, value in settings.items():
        command += ["-E", f"{key}={value}"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)
    try:
        deadline = time.monotonic() + 30
        while "not in the cluster" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert "stopped before the start was over" in log.read_text()


def test_a_master_that_says_nothing_ends_the_requests_that_wait_for_it(tmp_path: Path) -> None:
    """Its connections hold while it is stopped, so only the missing answers tell."""
    with NodeProcess("one", tmp_path / "d") as data_node:
        quick = {
            "cluster.fault_detection.leader_check.interval": "200ms",
            "cluster.fault_detection.leader_check.timeout": "1s",
        }
        joined = {"node.roles": "ingest", "discovery.seed_hosts": data_node.transport}
        with NodeProcess("one", tmp_path / "g", **joined, **quick) as node:
            assert node.request("GET", "/_cluster/health").status == 200
            data_node.send_signal(signal.SIGSTOP)
            try:
                answer = node.request("GET", "/_cluster/health?master_timeout=1s")
                assert answer.status in (502, 503)
                assert node.request("GET", "/").status == 200
            finally:
                data_node.send_signal(signal.SIGCONT)
            answer = node.request("GET", "/_cluster/health?master_timeout=20s")
            assert answer.body["number_of_nodes"] == 2
