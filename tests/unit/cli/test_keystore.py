"""`sealane keystore`: what is asked, what is printed, what is kept, and with which code it ends."""

import base64
import io
from pathlib import Path

import pytest

from sealane.cli.main import main
from sealane.model.security import Secret
from sealane.security.stores.keystore import Keystore
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile

KEY = "cluster.remote.eu.credentials"
GOOD = base64.b64encode(b"VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw").decode()


class Tool:
    """Runs commands on the keystore of one folder."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.file = KeystoreFile(folder)
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Code, stdout, stderr."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(["keystore", "--conf", str(self.folder), *arguments])
        out, err = self._capsys.readouterr()
        return code, out, err

    def kept(self, password: Secret = NO_PASSWORD) -> Keystore:
        return self.file.open(password).keystore


@pytest.fixture
def tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tool:
    return Tool(tmp_path / "conf", monkeypatch, capsys)


@pytest.fixture
def made(tool: Tool) -> Tool:
    """One whose keystore has been created."""
    assert tool.run("create")[0] == 0
    return tool


def test_create(tool: Tool) -> None:
    """X-100: with a seed, for its owner only; made again only where the answer is yes."""
    assert tool.run("create") == (0, f"Created keystore in {tool.file.path}\n", "")
    assert tool.kept().names() == ["keystore.seed"]
    assert tool.file.path.stat().st_mode & 0o777 == 0o600
    seed = tool.kept()
    question = "A keystore already exists. Overwrite? [y/N]"
    for answer in ("\n", "n\n", "No\n", "what\nn\n"):
        code, out, err = tool.run("create", stdin=answer)
        assert (code, out) == (0, "Exiting without creating keystore.\n")
        assert err.startswith(question)
        assert tool.kept() == seed
    code, _, err = tool.run("create", stdin="")
    assert code == 65
    assert "stdin has ended before an answer to [A keystore already exists. Overwrite?]" in err
    assert tool.kept() == seed
    assert tool.run("create", stdin="y\n")[0] == 0
    assert tool.kept() != seed


def test_create_with_a_password(tool: Tool) -> None:
    """X-100: asked twice; two that differ make nothing."""
    code, _, err = tool.run("create", "-p", stdin="one\ntwo\n")
    assert (code, err) == (65, "sealane keystore create: Passwords are not equal, exiting.\n")
    assert not tool.file.exists()
    assert tool.run("create", "-p", stdin="one\none\n")[0] == 0
    assert tool.kept(Secret("one")).names() == ["keystore.seed"]
    assert tool.run("create", "-p", stdin="\n\ny\n")[0] == 0
    assert not tool.file.has_password(), "an empty one is none"


def test_list_shows_names_alone(made: Tool) -> None:
    """X-100: sorted, one a line, never a value."""
    made.run("add", "--stdin", KEY, "bootstrap.password", stdin=f"{GOOD}\nhush-hush\n")
    assert made.run("list") == (0, f"bootstrap.password\n{KEY}\nkeystore.seed\n", "")


def test_add(made: Tool) -> None:
    """X-100: values in the order of the names."""
    assert made.run("add", "-x", KEY, "bootstrap.password", stdin=f"{GOOD}\nübung \n") == (
        0,
        "",
        "",
    )
    assert made.kept().texts[KEY] == Secret(GOOD)
    assert made.kept().texts["bootstrap.password"] == Secret("übung ")


def test_add_over_a_value(made: Tool) -> None:
    """X-100: asked, unless forced."""
    made.run("add", "-x", "bootstrap.password", stdin="1\n")
    code, out, err = made.run("add", "bootstrap.password", stdin="n\n2\n")
    assert (code, out) == (0, "Exiting without modifying keystore.\n")
    assert err == "Setting bootstrap.password already exists. Overwrite? [y/N]"
    assert made.kept().texts["bootstrap.password"] == Secret("1")
    assert made.run("add", "bootstrap.password", stdin="y\n2\n")[0] == 0
    assert made.kept().texts["bootstrap.password"] == Secret("2")
    assert made.run("add", "-f", "-x", "bootstrap.password", stdin="3\n") == (0, "", "")
    assert made.kept().texts["bootstrap.password"] == Secret("3")


def test_add_without_a_keystore(tool: Tool) -> None:
    """X-100: asked whether to make one; forced, or where stdin holds the value, it is made."""
    code, out, err = tool.run("add", "bootstrap.password", stdin="n\n1\n")
    assert (code, out) == (0, "Exiting without creating keystore.\n")
    assert err == "The keystore does not exist. Do you want to create it? [y/N]"
    assert not tool.file.exists()
    for arguments, stdin in ((["-x"], "1\n"), (["--force"], "1\n"), ([], "y\n1\n")):
        assert tool.run("add", *arguments, "bootstrap.password", stdin=stdin)[0] == 0
        assert tool.kept().names() == ["bootstrap.password", "keystore.seed"]
        tool.file.path.unlink()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("aHVzaA==", "this is not an API key: decoded, it is not [id:secret]"),
        ("hush!", "which is base64"),
        (base64.b64encode(b"id:hush").decode(), "its secret has [4] characters, not [22]"),
        ("", "decoded, it is not [id:secret]"),
    ],
)
def test_credentials_are_judged(made: Tool, value: str, problem: str) -> None:
    """X-100, P7: what is no API key is refused in one line that does not show it; --force takes it."""
    code, out, err = made.run("add", "-x", KEY, stdin=f"{value}\n")
    assert (code, out) == (65, "")
    assert problem in err
    assert err.count("\n") == 1
    assert "hush" not in err
    assert KEY not in made.kept()
    assert made.run("add", "-f", "-x", KEY, stdin=f"{value}\n")[0] == 0
    assert made.kept().texts[KEY] == Secret(value)


def test_a_name_no_node_knows_is_warned_of(made: Tool) -> None:
    """P7: at once, with the nearest that is known, rather than at the next start."""
    code, _, err = made.run("add", "-x", "cluster.remote.eu.credential", stdin="1\n")
    assert code == 0
    assert err == (
        f"warning: unknown secure setting [cluster.remote.eu.credential] did you mean [{KEY}]?; "
        "a node will not start with it\n"
    )


@pytest.mark.parametrize("command", ["add", "add-file"])
def test_names_are_judged(made: Tool, command: str, tmp_path: Path) -> None:
    arguments = ["a b"] if command == "add" else ["a b", str(tmp_path)]
    code, _, err = made.run(command, *arguments, stdin="1\n")
    assert code == 65
    assert "does not match the allowed setting name pattern" in err


def test_nothing_is_kept_where_one_of_several_is_wrong(made: Tool) -> None:
    assert made.run("add", "-x", "bootstrap.password", KEY, stdin="1\nbad\n")[0] == 65
    assert made.run("add", "-x", "bootstrap.password", KEY, stdin="1\n")[0] == 65
    assert made.kept().names() == ["keystore.seed"]


def test_stdin_that_ends_early(made: Tool) -> None:
    code, _, err = made.run("add", "-x", "bootstrap.password", stdin="")
    assert (code, err) == (65, "sealane keystore add: stdin has ended before a value\n")


def test_files(made: Tool, tmp_path: Path) -> None:
    """X-100: bytes as they are; pairs; a file that is not there."""
    (tmp_path / "a").write_bytes(b"\x00\xffhush\n")
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert made.run("add-file", "x.one", a)[0] == 0
    assert made.kept().files["x.one"] == b"\x00\xffhush\n"
    assert made.run("add-file", "x.one")[0] == 64
    assert made.run("add-file", "x.one", a, "x.two")[0] == 64
    code, _, err = made.run("add-file", "-f", "x.one", b)
    assert (code, err) == (74, f"sealane keystore add-file: File [{b}] does not exist\n")
    assert made.run("show", "x.one", "-o", b)[0] == 0
    assert Path(b).read_bytes() == b"\x00\xffhush\n"
    assert Path(b).stat().st_mode & 0o777 == 0o600
    assert made.run("show", "x.one", "-o", b)[0] == 74, "nothing is overwritten"


def test_show(made: Tool) -> None:
    """X-100: the one command that prints a value, to stdout alone."""
    made.run("add", "-x", "bootstrap.password", stdin="hush\n")
    assert made.run("show", "bootstrap.password") == (0, "hush\n", "")


@pytest.mark.parametrize("command", ["show", "remove"])
def test_what_is_not_there(made: Tool, command: str) -> None:
    """X-100: exit code 78."""
    assert made.run(command, "no.such") == (
        78,
        "",
        f"sealane keystore {command}: Setting [no.such] does not exist in the keystore.\n",
    )


def test_remove(made: Tool) -> None:
    made.run("add", "-x", "bootstrap.password", KEY, stdin=f"1\n{GOOD}\n")
    assert made.run("remove", "bootstrap.password", "no.such")[0] == 78
    assert "bootstrap.password" in made.kept(), "all or nothing"
    assert made.run("remove", "bootstrap.password", KEY) == (0, "", "")
    assert made.kept().names() == ["keystore.seed"]


def test_passwords(made: Tool) -> None:
    """X-100: set, needed, changed, and taken away."""
    assert made.run("has-passwd") == (
        1,
        "",
        "sealane keystore has-passwd: keystore is not password-protected\n",
    )
    changed = "Keystore password changed successfully.\n"
    assert made.run("passwd", stdin="one\none\n") == (0, changed, "")
    assert made.run("has-passwd") == (0, "Keystore is password-protected\n", "")
    assert made.run("passwd", stdin="one\na\nb\n")[0] == 65
    assert made.run("list", stdin="one\n") == (0, "keystore.seed\n", "")
    assert made.run("list", stdin="wrong\n") == (
        65,
        "",
        "sealane keystore list: Provided keystore password was incorrect\n",
    )
    assert made.run("add", "-x", "bootstrap.password", stdin="one\n1\n")[0] == 0
    assert made.run("remove", "bootstrap.password", stdin="one\n")[0] == 0
    assert made.run("upgrade", stdin="one\n")[0] == 0
    assert made.run("passwd", stdin="one\n\n\n") == (0, changed, "")
    assert made.run("has-passwd")[0] == 1


@pytest.mark.parametrize("command", ["list", "show a", "remove a", "passwd", "upgrade"])
def test_without_a_keystore(tool: Tool, command: str) -> None:
    """X-100: exit code 65, and what to do."""
    code, out, err = tool.run(*command.split())
    assert (code, out) == (65, "")
    assert f"keystore not found at [{tool.file.path}]. Use 'create' command to create one." in err


def test_has_passwd_without_a_keystore(tool: Tool) -> None:
    assert tool.run("has-passwd")[0] == 1


def test_a_damaged_keystore(made: Tool) -> None:
    made.file.path.write_bytes(b"hush")
    assert made.run("list")[0] == 65
    made.file.path.unlink()
    made.file.path.mkdir()
    assert made.run("list")[0] == 74


def test_while_another_command_runs(made: Tool) -> None:
    with made.file.change():
        code, _, err = made.run("add", "-x", "bootstrap.password", stdin="1\n")
        assert (code, err) == (
            65,
            "sealane keystore add: another command is changing the keystore\n",
        )
        assert made.run("list")[0] == 0


def test_conf_may_come_last(tool: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keystore", "create", "--conf", str(tool.folder)]) == 0
    assert tool.file.exists()


@pytest.mark.parametrize("arguments", [[], ["nope"], ["add"], ["show"], ["show", "a", "b"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["keystore", *arguments])
    assert ended.value.code == 2
    assert "usage: sealane" in capsys.readouterr().err
