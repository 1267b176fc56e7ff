"""Whatever goes wrong is one line on standard error and an exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from iopt.graph import file as graph_file
from iopt.tiling import Problem, save, save_host, solve
from iopt.tiling.files.host_file import Machine
from tests.cli.conftest import Iopt
from tests.cli.tiling.conftest import DEEP, FLAT, host_of
from tests.instances import chain, conv

DEEP_PLAN = ("plan", "deep.json")
BY_HAND = ("evaluate", "deep.json")

BAD = {
    "unknown model 'yolov2-61'": ("plan", "yolov2-61"),
    "gone.json: cannot be read: there is no such file": ("plan", "gone.json"),
    "deep.json is for an input of 1x3x24x32, which cannot be changed": (*DEEP_PLAN, "--input", "1x3x9x9"),
    "--memory: missing unit: expected a size such as '1 GiB', got '20'": (*DEEP_PLAN, "--memory", "20"),
    "--memory: expected a size from 1 B to 8192 TiB, got '0 B'": (*DEEP_PLAN, "--memory", "0 B"),
    "--memory: unknown unit 'MBi': expected a size such as '1 GiB', got '20 MBi'; did you mean 'Mbit' or 'MB'?": (
        *(*DEEP_PLAN, "--memory", "20 MBi"),
    ),
    "--bias: missing unit": (*DEEP_PLAN, "--predictor", "mafat", "--bias", "31"),
    "missing option '--bias'; expected a size such as '31 MiB'": (*DEEP_PLAN, "--predictor", "mafat"),
    "bias_bytes goes with the predictor 'mafat'": (*DEEP_PLAN, "--bias", "31 MiB"),
    "missing option '--host'; expected a file of `iopt tile profile -o`": (*DEEP_PLAN, "--objective", "latency"),
    "overhead limits the objective 'memory'; the objective is 'macs'": (
        *(*DEEP_PLAN, "--overhead", "1.1", "--objective", "macs"),
    ),
    "overhead is -1.0; expected a factor above zero": (*DEEP_PLAN, "--overhead", "-1"),
    "max_tiles is 0; expected a whole number from 1 to 64": (*DEEP_PLAN, "--max-tiles", "0"),
    "max_groups is 0; expected a whole number, 1 or more": (*DEEP_PLAN, "--max-groups", "0"),
    "max_groups is for the method 'exact'; the method is 'milp'": (*DEEP_PLAN, "--max-groups", "2", "--method", "milp"),
    "time limit is 0.0; expected": (*DEEP_PLAN, "--time-limit", "0"),
    "time limit is -1.0; expected": ("compare", "deep.json", "--time-limit", "-1"),
    "time_limit_s is for the method 'milp'; the method is 'exact'": (*DEEP_PLAN, "--time-limit", "60"),
    "bottom is for the method 'mafat'; the method is 'exact'": (*DEEP_PLAN, "--bottom", "2x2"),
    "fallback is for the method 'mafat'; the method is 'milp'": (*DEEP_PLAN, "--method", "milp", "--fallback"),
    "unknown method 'mafatt'; did you mean 'mafat'?": (*DEEP_PLAN, "--method", "mafatt"),
    "Invalid value for '--predictor': 'full' is not one of 'lean', 'torch',": (*DEEP_PLAN, "--predictor", "full"),
    "Invalid value for '--weights': 'w.pt' is not one of 'resident', 'streamed' or 'none'; a file of weights": (
        *(*DEEP_PLAN, "--weights", "w.pt"),
    ),
    "No such option: --weights-file": (*DEEP_PLAN, "--weights-file", "w.pt"),
    "No such option: --weights (Possible options: --weights-file)": ("run", "config.json", "--weights", "streamed"),
    "crop 'rim' is darknet's; the predictor 'lean' is of an executor": (*DEEP_PLAN, "--crop", "rim"),
    "deep.json: cannot be written: it is the file that MODEL names": (*DEEP_PLAN, "-o", "deep.json"),
    "host.json: cannot be written: it is the file that --host names": (
        *(*DEEP_PLAN, "--host", "host.json", "-o", "host.json"),
    ),
    "config.json: cannot be written: it is the file that CONFIGURATION names": (
        *(*BY_HAND, "config.json", "-o", "config.json"),
    ),
    "graph 'branchy': operator 'op1' writes an early exit; tiling is for networks with one output": (
        "plan",
        "branchy.json",
    ),
    "--max-tiles is for searches; a configuration by hand says its own tiles and reuse": (
        *(*BY_HAND, "2x2/NoCut", "--max-tiles", "4"),
    ),
    "--no-reuse is for searches; a configuration by hand says its own": (*BY_HAND, "2x2c/NoCut", "--no-reuse"),
    # a configuration that does not fit
    "configuration '9x9/NoCut/2': 'NoCut' is no cut; expected tilings and cuts in turn": (*BY_HAND, "9x9/NoCut/2"),
    "configuration '9x9': expected tilings and cuts in turn, such as 5x5/8/2x2": (*BY_HAND, "9x9"),
    "configuration '5x/NoCut': '5x' is no tiling; expected rows x columns": (*BY_HAND, "5x/NoCut"),
    "configuration '2x2/6/2x2': cut 6 is out of range; expected a layer from 1 to 5": (*BY_HAND, "2x2/6/2x2"),
    "configuration '2x2/3/2x2/2/1x1': cut 2 comes after cut 3; expected rising cuts": (*BY_HAND, "2x2/3/2x2/2/1x1"),
    "group of layers 0 ... 5: 7 rows of tiles on a map of 6 leave one empty; expected 6 or fewer": (
        *(*BY_HAND, "7x2/NoCut"),
    ),
    "group of layers 0 ... 2: op2 cannot be tiled: a linear layer reads its whole input; expected 1x1": (
        *("evaluate", "flat.json", "2x2/NoCut"),
    ),
    "config.json: a configuration of the network 'deep' on an input of 1x3x24x32, not of 'flat' on 1x3x16x16": (
        *("evaluate", "flat.json", "config.json"),
    ),
    "none.json: there is no configuration in it (INFEASIBLE)": (*BY_HAND, "none.json"),
    "gone.json: cannot be read: there is no such": (*BY_HAND, "gone.json"),
    "configuration '1x1/1/1x1/1/1x1/1/1x1/1/1x1.../1x1/1/1x1/1/1x1/1/1x1/1/1x1': cut 1 comes after cut 1; expected": (
        *(*BY_HAND, "1x1/1/" * 100 + "1x1"),
    ),
    "configuration '222222222222222222222222222...2222222222222222222222222222': expected tilings and cuts in turn": (
        *(*BY_HAND, "2" * 300),
    ),
    # files
    "config.json: schema: expected 'iopt/tiling-host/1', got 'iopt/tiling-configuration/1', a configuration, read": (
        *(*DEEP_PLAN, "--host", "config.json"),
    ),
    "flat-host.json: the host's times are of the network 'flat'; expected those of 'deep' on an input of 1x3x24x32": (
        *(*DEEP_PLAN, "--host", "flat-host.json"),
    ),
    "torch-host.json: times of the executor 'torch'; the predictor 'lean' goes with times of 'lean', by `iopt tile": (
        *(*DEEP_PLAN, "--host", "torch-host.json"),
    ),
    "torch-host.json: times of the executor 'torch'; the predictor 'bound' goes with times of 'lean', by": (
        *("evaluate", "deep.json", "2x2/NoCut", "--host", "torch-host.json", "--predictor", "bound"),
    ),
    "short.json: model.layers: 1 entries; expected 6, one per layer": (*DEEP_PLAN, "--host", "short.json"),
    "torn.json: not JSON: line 1 column": ("check", "torn.json"),
    "misspelt.json: options.weigths: unknown key; did you mean 'weights'?": ("show", "misspelt.json"),
    "cut.json: groups: group of layers 2 ... 5: expected groups that follow each other": ("show", "cut.json"),
    "front.jpg: a picture is one of .png, .svg, .pdf": ("front", "deep.json", "-o", "front.jpg"),
    "missing/front.svg: cannot be written: there is no folder": ("front", "deep.json", "-o", "missing/front.svg"),
    "No such command 'xyzzy' (try 'iopt tile --help')": ("xyzzy",),
    "Missing argument 'MODEL' (try 'iopt tile plan --help')": ("plan",),
}


@pytest.fixture
def there(tile: Iopt) -> Iopt:
    """`iopt tile` in a folder with files that are wrong in one way each."""
    problem = Problem(DEEP)
    save("config.json", problem, solve(problem, "untiled"))
    nothing = Problem(DEEP, memory_bytes=1)
    save("none.json", nothing, solve(nothing))
    save_host(host_of(FLAT), "flat-host.json")
    machine = Machine("a machine", "2.0", 1, "torch", 5, 24, 0.1, 0.2)
    save_host(replace(host_of(DEEP), measured=machine), "torch-host.json")
    text = Path("config.json").read_text()
    Path("torn.json").write_text(text[: len(text) // 2].replace("\n", " "))
    Path("misspelt.json").write_text(text.replace('"weights"', '"weigths"'))
    Path("cut.json").write_text(text.replace('"first": 0', '"first": 2'))
    host = json.loads(Path("host.json").read_text())
    host["model"]["layers"] = host["model"]["layers"][:1]
    Path("short.json").write_text(json.dumps(host))
    branchy = chain("branchy", (4, 8, 8), [conv(4, 1), conv(4, 1)])
    graph_file.save(replace(branchy, exits=(("early", "op1"), ("final", "op2"))), "branchy.json")
    return tile


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line(there: Iopt, message: str) -> None:
    code, out, err = there(*BAD[message])
    assert (code, out) == (2, "")
    assert err.startswith(f"iopt: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["plan", "evaluate", "compare", "front", "show", "check"])
def test_every_command_has_help(tile: Iopt, command: str) -> None:
    code, out, err = tile(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: iopt tile {command} ")


def test_tile_alone_is_its_help(tile: Iopt) -> None:
    code, out, err = tile()
    assert (code, err) == (0, "")
    assert out == tile("--help").out
    assert all(f"\n  {command} " in out for command in ("plan", "front", "show"))
