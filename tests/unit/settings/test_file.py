"""A node's file and command line."""

from pathlib import Path

import pytest

from sealane.errors import IllegalArgument, SettingsError
from sealane.settings import Settings
from sealane.settings.file import node_settings, parse_file, parse_overrides, read_file


def test_nested_and_dotted_keys_and_scalars_as_written() -> None:
    text = """
    cluster.name: eu
    http:
      port: 9201
    sealane.version.number: 8.10
    xpack.security.enabled: False
    cluster.remote.us:
      seeds: ["10.0.0.1:9300", 10.0.0.2:9300]
    path.logs:
    """
    assert parse_file(text, "x") == Settings(
        {
            "cluster.name": "eu",
            "http.port": "9201",
            "sealane.version.number": "8.10",
            "xpack.security.enabled": "false",
            "cluster.remote.us.seeds": ("10.0.0.1:9300", "10.0.0.2:9300"),
        }
    )


@pytest.mark.parametrize("text", ["", "# only a comment", "---\n"])
def test_an_empty_file_sets_nothing(text: str) -> None:
    assert len(parse_file(text, "x")) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", r"\[f.yml\] is not valid YAML at line 1, column"),
        ("a: 1\na: 2", r"duplicate settings key \[a\] found at line number \[2\]"),
        ("a.b: 1\na:\n  b: 2", r"\[f.yml\] sets \[a.b\] twice"),
        ("- a\n- b", r"\[f.yml\] must hold keys and values"),
        ("just text", r"\[f.yml\] must hold keys and values"),
    ],
)
def test_a_bad_file_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        parse_file(text, "f.yml")


def test_a_list_in_a_list_is_refused() -> None:
    with pytest.raises(SettingsError):
        parse_file("a: [[1]]", "f.yml")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read settings from"):
        read_file(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(SettingsError, match="not valid UTF-8 at byte 3"):
        read_file(tmp_path / "bad.yml")
    (tmp_path / "big.yml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SettingsError, match="larger than 1mb"):
        read_file(tmp_path / "big.yml")
    (tmp_path / "good.yml").write_text("a: 1")
    assert read_file(tmp_path / "good.yml") == Settings({"a": "1"})


def test_the_command_line_wins_and_variables_are_filled_in() -> None:
    merged = node_settings(
        Settings({"a": "file", "b": "${NAME}", "c": ("${NAME}-1", "${NONE:two}")}),
        parse_overrides(["a=line", "d=x=y"]),
        {"NAME": "eu"}.get,
    )
    assert merged == Settings({"a": "line", "b": "eu", "c": ("eu-1", "two"), "d": "x=y"})


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(IllegalArgument, match=r"setting \[a\]: could not resolve placeholder 'NO'"):
        node_settings(Settings({"a": "${NO}"}), Settings(), {}.get)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["a"], r"-E takes key=value, not \[a\]"),
        (["=b"], "-E takes key=value"),
        (["a="], r"setting \[a\] must not be empty"),
        (["a=1", "a=2"], r"setting \[a\] set twice via command line -E"),
    ],
)
def test_a_bad_override_says_what_is_wrong(pairs: list[str], reason: str) -> None:
    with pytest.raises(IllegalArgument, match=reason):
        parse_overrides(pairs)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a,b", "a,b"),
        ("[a, b]", ("a", "b")),
        ('["127.0.0.1:9300"]', ("127.0.0.1:9300",)),
        ("[]", ()),
        ("[::1]", "[::1]"),
        ("[a", "[a"),
    ],
)
def test_an_override_in_brackets_is_a_list(text: str, value: object) -> None:
    assert parse_overrides([f"node.roles={text}"])["node.roles"] == value
