"""Each check finds what it is there for: executors that are wrong in one way each."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files
from pathlib import Path
from string import Template

import pytest

from tocsin.cli.executor_new import words_for
from tocsin.errors import ConfigError
from tocsin.executors.checking.suite import check_executor
from tocsin.executors.checking.verdict import Result, Verdict

DEADLINE_S = 3.0
TOP = "import msgspec\n"
WAIT = "        self._sink.write(self._text.encode())\n"
START = "        text = config.text\n"
CANCEL = "        self._cancelled.set()\n"


def package(folder: Path, name: str = "executor", old: str = "", new: str = "") -> Path:
    """The package that `tocsin executor new` makes, with one change to one of its modules."""
    words = words_for("say")
    made = folder / words["package"]
    made.mkdir(parents=True)
    for module in ("executor", "specimen"):
        text = files("tocsin.cli.new_executor").joinpath(f"{module}.py.in").read_text()
        text = Template(text).substitute(words)
        if module == name:
            assert old in text, f"the template has no {old!r} any more"
            text = text.replace(old, new)
        (made / f"{module}.py").write_text(text)
    (made / "__init__.py").touch()
    return made / "executor.py"


def found(path: Path | str, check: str) -> Result:
    """What one check comes to, after all that stands before it."""
    results = list(check_executor(str(path), only=[check], deadline_s=DEADLINE_S))
    return next(result for result in results if result.check == check)


@pytest.mark.parametrize(
    ("check", "old", "new", "happened"),
    [
        ("imports", TOP, "import no_such_module\n", "ModuleNotFoundError: No module named"),
        ("imports", TOP, "import sys; sys.exit(3)\n", "SystemExit: 3 ("),
        ("imports", TOP, "import os; os._exit(7)\n", "it ended: exit code 7"),
        ("imports", TOP, "import ctypes; ctypes.string_at(0)\n", "it ended: SIGSEGV\nFile "),
        ("imports", TOP, "import time; time.sleep(600)\n", "it hangs\nFile "),
        ("imports", TOP, "print('rubbish'); import msgspec\n", "it prints 'rubbish\\n'"),
        ("imports", TOP, "import os; os.close(1); os.close(2); import msgspec\n", "Errno 9"),
        ("imports", TOP, "import os; os.closerange(3, 999)\n", "it ended: "),
        ("imports", TOP, "import msgspec, oh, no!\n", "SyntaxError: invalid syntax ("),
        ("imports", "class Say:", "class Shy:\n    pass\nclass Say(Shy", "SyntaxError"),
        ("imports-light", TOP, "import msgspec, asyncio\n", "it loads asyncio"),
        ("class", '"say"', '"two words"', "its `name` is 'two words'"),
        ("class", '"say"', '"timeout"', "is a key of every job"),
        ("class", '= "text"', '= "txet"', "its `main_key`, 'txet', is no key"),
        ("class", '"prints a text, after a while"', '""', "its `summary` is not one line"),
        ("class", ", forbid_unknown_fields=True", "", "its schema takes unknown keys"),
        ("class", "] = Config", "] = int  # type: ignore", "its `config` is no msgspec.Struct"),
        ("class", "port: ClassVar[int] = 1", "port = 99", "version 99 of the port"),
        (
            "methods",
            "    async def start",
            "    def start(self, order, config, sink): pass\n    async def begin",
            "its start is not async",
        ),
        ("methods", "config: Config, sink: Sink", "config: Config", "too many positional"),
        ("methods", "class Say:", "class Say:\n    def __init__(self, it): pass", "TypeError"),
        ("described", 'Meta(description="what is printed")', "Meta()", "text has none"),
        ("unknown-key", ", forbid_unknown_fields=True", "", "it is taken"),
    ],
)
def test_what_is_found_without_running(
    tmp_path: Path, check: str, old: str, new: str, happened: str
) -> None:
    """A class that is wrong, or does something else than be imported."""
    result = found(package(tmp_path, "executor", old, new), check)
    assert result.verdict is Verdict.FAILED, str(result)
    assert happened in result.happened
    assert result.expected


HEALTH = """
    async def health(self):
        from tocsin.execution import Health
        yield Health(available=False, message="no toner")

    async def start"""


@pytest.mark.parametrize(
    ("check", "module", "old", "new", "happened"),
    [
        ("published", "executor", "\n    async def start", HEALTH, "no toner"),
        ("specimen", "specimen", "SPECIMEN = Specimen(", "SPECIMEN = dict(", "there is no"),
        ("specimen", "specimen", "SPECIMEN = Specimen(", "SPECIMEN = list(", "TypeError"),
        ("blocks", "specimen", '{"text": "done"}', '{"txet": "done"}', "unknown field `txet`"),
        ("blocks", "specimen", '{"text": "done"}', '{"text": 5}', "Expected `str`, got `int`"),
    ],
)
def test_what_is_found_of_a_specimen(
    tmp_path: Path, check: str, module: str, old: str, new: str, happened: str
) -> None:
    """A specimen that is none, or does not fit; an executor that is not available."""
    result = found(package(tmp_path, module, old, new), check)
    assert result.verdict is not Verdict.PASSED
    assert happened in result.happened


@pytest.mark.parametrize(
    ("check", "old", "new", "happened"),
    [
        ("success", WAIT, "        1 / 0\n", "it failed: ZeroDivisionError"),
        ("success", WAIT, "        import os; os._exit(9)\n", "exit code 9"),
        ("success", WAIT, "        import ctypes; ctypes.string_at(0)\n", "SIGSEGV\nFile "),
        ("success", WAIT, "        import sys; sys.exit(1)\n", "it failed: SystemExit: 1"),
        ("success", WAIT, "        return None\n", "gave NoneType in place of an Outcome"),
        ("success", WAIT, "        import time; time.sleep(600)\n", "it is stuck\nFile "),
        ("output", WAIT, WAIT + WAIT, "it is b'hello\\nhello\\n'"),
        ("output", WAIT, "        self._sink.stdout.write_text(self._text)\n", "has 644"),
        (
            "output-appended",
            WAIT,
            "        self._sink.stdout.write_text(self._text)\n",
            "it is b'hello\\n'",
        ),
        ("failure", 'message="there is nothing to print"', "", "it is ''"),
        ("failure", "if not self._text:", "if False:", "it succeeded"),
        ("refusal", "if config.file is not None:", "if False:", "it began, and then"),
        ("exception", WAIT, "        try:\n    " + WAIT + "        except OSError: pass\n", "lost"),
        ("timeout", CANCEL, "        pass\n", "nothing"),
        ("cancel", CANCEL, "        pass\n", "nothing"),
        ("cancel", "Outcome(Status.CANCELLED)", "Outcome(Status.SUCCEEDED)", "it succeeded"),
        (
            "secret",
            START,
            START + "        import sys; print(order.env, file=sys.stderr, flush=True)\n",
            "it is in the host's log",
        ),
        (
            "secret",
            START,
            START + "        with open(sink.stdout, 'a') as it: it.write(str(order.env))\n",
            "it is in its output",
        ),
        ("never-blocks", WAIT, WAIT + "        import time; time.sleep(1.2)\n", "one took 1.2"),
        (
            "leaves-nothing",
            START,
            START + "        import os; os.open(os.devnull, os.O_RDONLY)\n",
            "100 descriptors more",
        ),
        (
            "leaves-nothing",
            START,
            START + "        self.__dict__.setdefault('all', []).append(b'x' * (1 << 20))\n",
            "MiB of memory more",
        ),
        (
            "leaves-nothing",
            START,
            START + "        self.__dict__.setdefault('all', []).append("
            "asyncio.create_task(asyncio.sleep(3600)))\n",
            "are not over",
        ),
        (
            "leaves-nothing",
            START,
            START + "        import threading\n        threading.Thread("
            "target=threading.Event().wait, daemon=True).start()\n",
            "threads more",
        ),
    ],
)
def test_what_is_found_by_running(
    tmp_path: Path, check: str, old: str, new: str, happened: str
) -> None:
    """A run that does not do as it should."""
    result = found(package(tmp_path, "executor", old, new), check)
    assert result.verdict is Verdict.FAILED, str(result)
    assert happened in result.happened


def test_a_flood_that_is_held_in_memory(tmp_path: Path) -> None:
    """An executor that gathers its output before it writes it is found out."""
    size = "(64 << 20 if self._text == 'x' else 1)"
    path = package(tmp_path, "executor", WAIT, f"        self._sink.write(b'x' * {size})\n")
    specimen = path.with_name("specimen.py")
    text = specimen.read_text()
    specimen.write_text(text.replace("    fail=", '    flood={"text": "x"},\n    fail='))
    result = found(path, "huge-output")
    assert result.verdict is Verdict.FAILED
    assert result.hint == "write to the sink piece by piece"


def test_without_a_specimen(tmp_path: Path) -> None:
    """Nothing is run, and it is said how that is changed."""
    path = package(tmp_path)
    path.with_name("specimen.py").unlink()
    results = {result.check: result for result in check_executor(str(path))}
    assert results["specimen"].verdict is Verdict.LEFT_OUT
    assert "SPECIMEN = Specimen(" in results["specimen"].hint
    assert "success" not in results


def test_what_follows_a_first_failure_is_left_out(tmp_path: Path) -> None:
    """Where no run succeeds nothing else is tried, and each check says why."""
    path = package(tmp_path, "executor", WAIT, "        1 / 0\n")
    results = {result.check: result for result in check_executor(str(path))}
    assert results["success"].verdict is Verdict.FAILED
    assert results["cancel"].verdict is Verdict.LEFT_OUT
    assert results["cancel"].happened == "`success` did not pass"


def test_where_an_executor_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a package, a project, a module on the path, and with its class."""
    path = package(tmp_path / "src")
    (tmp_path / "pyproject.toml").write_text(
        '[project.entry-points."tocsin.executors"]\nsay = "tocsin_say.executor:Say"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    for module in (
        str(path), f"{path}:Say", ".", str(tmp_path), "src/tocsin_say/executor.py",
        "tocsin_say.executor", "tocsin_say.executor:Say",
    ):  # fmt: skip
        assert found(module, "success").verdict is Verdict.PASSED, module
    assert "it has none" in found("src/tocsin_say", "imports").happened
    assert "there is none" in found("tocsin_say.executor:Shy", "imports").happened
    assert found("no_such_module", "imports").hint.startswith("install it, or name its folder")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("./nothing", "there is nothing at"),
        (".", "is no package"),
        ("./empty", "names no executor"),
        ("./two", "has several executors"),
        ("./broken", "Expected '=' after a key"),
    ],
)
def test_paths_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, says: str
) -> None:
    """A path that leads to no executor says what was looked for."""
    two = '[project.entry-points."tocsin.executors"]\na = "a:A"\nb = "b:B"\n'
    for folder, text in (("empty", ""), ("two", two), ("broken", "oh no")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=says):
        check_executor(path)


def test_an_unknown_check() -> None:
    """A check that does not exist is refused, and the nearest is named."""
    with pytest.raises(ConfigError, match="no check 'sucess'") as caught:
        check_executor("shell", only=["sucess"])
    assert "success" in caught.value.hint


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, and no process, of a check that failed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    found(package(tmp_path, "executor", CANCEL, "        pass\n"), "cancel")
    assert list((tmp_path / "tmp").iterdir()) == []
    shutil.rmtree(tmp_path / "tmp")
    mark = f"{os.sep}{tmp_path.name}"
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(mark.encode() in command for command in commands)
