"""Whatever goes wrong is one line on standard error and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopt.cli.run import run
from iopt.partition import methods
from tests.cli.conftest import Iopt

PLAN = ("plan", "net.json", "--cluster", "mixed2")
SMALL = ("plan", "net.json", "--cluster", "small.yaml")

BAD = {
    "unknown model 'vgg12'": ("plan", "vgg12", "--cluster", "cal4"),
    "nope.json: cannot be read": ("plan", "nope.json", "--cluster", "cal4"),
    "net.pt2: cannot be read: there is no such file": ("plan", "net.pt2", "--cluster", "cal4"),
    "code.pt2: reading a .pt2 file can run code": ("plan", "code.pt2", "--cluster", "cal4"),
    "my.nets:build needs the shape of its input": ("plan", "my.nets:build", "--cluster", "cal4"),
    "net.json is for an input of 1x3x8x8, which cannot be changed": (*PLAN, "--input", "1x3x9x9"),
    "input shape '3x': expected": (*PLAN, "--input", "3x"),
    "cal5: neither a preset nor a file; did you mean 'cal4'?": ("plan", "net.json", "--cluster", "cal5"),
    "folder.pt2: cannot be read: it is a folder": ("plan", "folder.pt2", "--cluster", "cal4"),
    "expected a preset or a file, got '' (presets: cal4, ": ("plan", "net.json", "--cluster", ""),
    "net.json: cannot be written: it is the file that MODEL names": (*PLAN, "-o", "net.json"),
    "net.json: cannot be written: it is the file that MODEL names; choose": ("graph", "net.json", "-o", "./net.json"),
    "small.yaml: cannot be written: it is the file that --cluster": (*SMALL, "-o", "small.yaml"),
    "link.json: cannot be written: it is the file that --cluster names; choose": (*SMALL, "-o", "link.json"),
    "slow.yaml: devices[0].compute: expected a compute rate from 1 kFLOP/s to 1e6 TFLOP/s, got '1e-9 FLOP/s'": (
        *("plan", "net.json", "--cluster", "slow.yaml"),
    ),
    "home.yaml: cannot be read: there is no such file": ("compare", "net.json", "--cluster", "home.yaml"),
    "net.json: ": ("compare", "net.json", "--cluster", "net.json"),
    "unknown method 'mlp'; did you mean 'milp'?": (*PLAN, "--method", "mlp"),
    "time limit is 0.0; expected a number of seconds above zero": (*PLAN, "--time-limit", "0"),
    "time limit is nan; expected a number of seconds above zero": (*PLAN, "--time-limit", "nan"),
    "gap is 1.5; expected": (*PLAN, "--gap", "1.5"),
    "Invalid value for '--gap': ": (*PLAN, "--gap", "much"),
    "Invalid value for '--memory': 'all' is not one of 'live', 'runtime', 'paper'": (*PLAN, "--memory", "all"),
    "Missing option '--cluster' (try 'iopt plan --help')": ("plan", "net.json"),
    "Missing argument 'MODEL' (try 'iopt compare --help')": ("compare", "--cluster", "cal4"),
    "No such option: --frob (try 'iopt plan --help')": (*PLAN, "--frob"),
    "No such command 'frobnicate' (try 'iopt --help')": ("frobnicate",),
    "gone.json: cannot be read: there is no such file": ("show", "gone.json"),
    "net.json: schema: expected 'iopt/partition-plan/1', got 'iopt/graph/1'": ("check", "net.json"),
    "small.yaml: not JSON: line 2": ("show", "small.yaml"),
    "missing/net.json: cannot be written: there is no folder": ("graph", "net.json", "-o", "missing/net.json"),
    "cluster 'campus': network.links: expected none, since partition plans assume a link between every two devices": (
        *("plan", "net.json", "--cluster", "campus"),
    ),
    "cal: neither a preset nor a file": ("clusters", "cal"),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line(iopt: Iopt, message: str) -> None:
    Path("code.pt2").write_bytes(b"")
    Path("folder.pt2").mkdir()
    Path("link.json").symlink_to("small.yaml")
    Path("slow.yaml").write_text(Path("small.yaml").read_text().replace("1 MFLOP/s", "1e-9 FLOP/s"))
    code, out, err = iopt(*BAD[message])
    assert (code, out) == (2, "")
    assert err.startswith(f"iopt: {message}")
    assert err.count("\n") == 1


def test_a_bug_is_one_line_with_a_hint(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(*_: object) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(methods, "solve", solve)
    code, _, err = iopt(*PLAN)
    assert code == 1
    assert err == "iopt: this is a bug in iopt: ZeroDivisionError: a b (run it with --debug for the traceback)\n"
    for arguments in (("--debug", *PLAN), (*PLAN, "--debug")):
        with pytest.raises(ZeroDivisionError):
            run(arguments)


def test_an_interrupt_is_one_line(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(methods, "solve", solve)
    assert iopt(*PLAN) == (130, "", "iopt: interrupted\n")


def test_a_full_disk_is_no_bug(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(methods, "solve", solve)
    code, _, err = iopt(*PLAN)
    assert code == 2
    assert err == "iopt: the operating system refuses: [Errno 28] No space left on device\n"
