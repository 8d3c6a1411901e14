"""The programs find what the servers need, and say clearly what is missing."""

import pytest
from scripts.peer_servers import PeersUnavailableError, find_jdk
from scripts.peers.duel import chosen
from scripts.sealane_pair import ready_line
from scripts.server_process import ServerFailedError, ServerProcess


def jdk(folder, version):
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch()
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_java_home_is_taken_when_it_suits(tmp_path):
    home = jdk(tmp_path / "mine", "21.0.2")
    jdk(tmp_path / "jvm" / "seventeen", "17.0.1")
    assert find_jdk({"JAVA_HOME": str(home)}, (tmp_path / "jvm",)) == home


def test_else_the_oldest_installed_one_that_suits(tmp_path):
    old = jdk(tmp_path / "old", "11.0.3")
    jdk(tmp_path / "jvm" / "a", "25.0.1")
    wanted = jdk(tmp_path / "jvm" / "b", "17.0.15")
    jdk(tmp_path / "jvm" / "c", "21")
    assert find_jdk({"JAVA_HOME": str(old)}, (tmp_path / "jvm",)) == wanted


def test_without_a_jdk_the_error_says_what_to_install(tmp_path):
    jdk(tmp_path / "jvm" / "a", "1.8.0")
    with pytest.raises(PeersUnavailableError, match=r"JDK from 17 to 23.*openjdk-17"):
        find_jdk({}, (tmp_path / "jvm",))


def test_the_ready_line_is_found_among_logs_once_it_is_whole(tmp_path):
    output = tmp_path / "log"
    output.write_text('[INFO] starting\n{"event":"ready","http":"127.0.0.1:1')
    assert ready_line(output) == {}
    output.write_text('[INFO] starting\n{"event":"ready","http":"127.0.0.1:1"}\n')
    assert ready_line(output) == {"event": "ready", "http": "127.0.0.1:1"}


def test_a_server_that_ends_early_fails_with_its_last_words(tmp_path):
    server = ServerProcess(["sh", "-c", "echo no space left; exit 3"], output=tmp_path / "log")
    with pytest.raises(ServerFailedError, match="code 3:\nno space left"):
        server.wait_until(lambda: False, timeout_s=30, progress=lambda waited: None)
    server.stop()


def test_a_chosen_step_brings_its_whole_sequence_along():
    names = [request.name for request in chosen("document/update-noop")]
    assert "document/create-index" in names
    assert "document/update-noop" in names
    assert not any(name.startswith(("query/", "index/")) for name in names)


def test_a_sample_is_even_over_all_families():
    plain = [request for request in chosen(sample=300) if not request.setup]
    families = {request.name.split("/")[0] for request in plain}
    assert {"query", "sort", "metric", "bucket", "clusters", "bad"} <= families
    assert len(plain) <= 300
