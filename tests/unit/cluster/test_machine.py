"""Figures of the process and its machine."""

import os
from pathlib import Path

from sealane.cluster.machine import Machine, memory_json


class Clock:
    def now_ms(self) -> int:
        return 7


async def test_figures_have_the_references_names(tmp_path: Path) -> None:
    machine = Machine(tmp_path, Clock())
    process = machine.process()
    assert process["timestamp"] == 7
    assert 0 < process["open_file_descriptors"] <= process["max_file_descriptors"]
    assert process["mem"]["total_virtual_in_bytes"] > 0
    assert 0 <= machine.process()["cpu"]["percent"] <= 100
    memory = machine.os()["mem"]
    assert memory["free_in_bytes"] + memory["used_in_bytes"] == memory["total_in_bytes"]
    disk = machine.fs()
    assert disk["data"][0]["path"] == str(tmp_path)
    assert disk["total"]["free_in_bytes"] <= disk["total"]["total_in_bytes"]
    assert machine.os_info()["available_processors"] == os.cpu_count()


async def test_an_open_file_is_counted(tmp_path: Path) -> None:
    machine = Machine(tmp_path, Clock())
    before = machine.process()["open_file_descriptors"]
    with (tmp_path / "f").open("w"):
        assert machine.process()["open_file_descriptors"] == before + 1


def test_memory_of_no_machine_is_zero() -> None:
    assert memory_json(0, 0)["free_percent"] == 0
    assert memory_json(200, 50)["used_percent"] == 75


async def test_a_disk_that_cannot_be_asked_is_left_out(tmp_path: Path) -> None:
    assert Machine(tmp_path / "gone", Clock()).fs() == {"timestamp": 7}
