"""Profiles survive the way through a file; presets hold the released constants; a wrong file says where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from iopt.errors import ModelError
from iopt.exits.files import load_profile, profile_names, profile_presets, save_profile
from iopt.exits.files import profile_schema as schema_module
from iopt.exits.files.profile_file import from_data, to_dict
from iopt.exits.files.profile_schema import json_schema
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.observations import Measured, Observations, Profile

BLOCKS = (Block("one", 1e6 / 3, 2048, 12), Block("two", 70, 0.0))
NETWORK = ExitNetwork("net", 784.0, BLOCKS, (Exit("early", 1, 0.5, 0.75), Exit("late", 2, 0.5, 1.0)))
SEEN = Observations(
    np.array([[0.1, 1 / 3], [0.2, 0.2], [0.9, 0.0], [0.8, 1.0]]),
    np.array([[True, True], [True, False], [False, True], [True, True]]),
    ("early", "late"),
    "entropy",
)
FULL = Profile(NETWORK, "0" * 64, Measured("entropy", (0.5,), 4), SEEN, "what it is", ("input_bits",))


def test_there_and_back(tmp_path: Path) -> None:
    for profile in (FULL, Profile(NETWORK), replace(FULL, observations=None, graph_hash=None)):
        save_profile(profile, tmp_path / "net.json")
        assert load_profile(tmp_path / "net.json") == profile
        assert load_profile(str(tmp_path / "net.json")) == profile
    assert list(to_dict(Profile(NETWORK))) == ["schema", "name", "input_bits", "blocks", "exits"]


def test_yaml_and_json_are_one_form(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(to_dict(FULL)), encoding="utf-8")
    assert load_profile(tmp_path / "net.yaml") == FULL


RELEASED: dict[str, Any] = {
    "b-alexnet": ([22620000, 6711000, 19201000, 13523000, 29084000], [186624, 64896, 64896, 43264], 3072),
    "b-resnet": ([773300, 1080300, 1059300, 3504300, 11770400], [16384, 16384, 4096, 4096], 3072),
    "b-lenet": ([167400, 40000, 48000], [1600, 120], 784),
}
EXITS: dict[str, Any] = {
    "b-alexnet": [(1, 0.656, 0.5637), (3, 0.252, 0.7805), (5, 0.092, 0.8595)],
    "b-alexnet-cifar100": [(1, 0.656, 0.3956), (3, 0.252, 0.5477), (5, 0.092, 0.6032)],
    "b-resnet": [(1, 0.415, 0.3889), (3, 0.138, 0.5181), (5, 0.447, 0.937)],
    "b-lenet": [(1, 0.943, 0.9359), (3, 0.057, 0.9925)],
}


def test_the_presets_are_listed() -> None:
    assert profile_names() == sorted(EXITS)
    assert all("FIN" in description for description in profile_presets().values())


@pytest.mark.parametrize("name", EXITS)
def test_presets_hold_the_released_constants(name: str) -> None:
    profile = load_profile(name)
    ops, features, inputs = RELEASED[name.removesuffix("-cifar100")]
    network = profile.network
    assert network.name == name
    assert [block.ops for block in network.blocks] == ops
    assert [block.out_bits for block in network.blocks] == [8 * size for size in (*features, 0)]
    assert [(leave.after, leave.fraction, leave.accuracy) for leave in network.exits] == EXITS[name]
    assert (network.input_bits, profile.reconstructed) == (8 * inputs, ("input_bits", "weight_bytes"))


def test_a_preset_goes_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b-lenet").write_text("{}")
    assert load_profile("b-lenet").network.name == "b-lenet"
    with pytest.raises(ModelError, match=r"b-lenet: schema: expected 'iopt/exits-profile/1', got none"):
        load_profile(Path("b-lenet"))


Change = Callable[[dict[str, Any]], object]
WRONG: list[tuple[Change, str]] = [
    (lambda data: data.pop("schema"), "schema: expected 'iopt/exits-profile/1', got none"),
    (lambda data: data.update(schema="iopt/exits-profile/2"), "schema: expected 'iopt/exits-profile/1', got"),
    (lambda data: data.pop("name"), "name: missing"),
    (lambda data: data["blocks"][1].update(name="one"), "blocks: two are named 'one'; expected unique names"),
    (lambda data: data["exits"][1].update(name="early"), "exits: two are named 'early'; expected unique names"),
    (lambda data: data.update(bloks=[]), "bloks: unknown key; did you mean 'blocks'?"),
    (lambda data: data.update(blocks=[]), "blocks: expected at least one entry, got an empty list"),
    (lambda data: data["blocks"][1].pop("ops"), "blocks[1].ops: missing; expected for example '22620000'"),
    (lambda data: data["blocks"][1].update(ops="1e6"), "blocks[1].ops: expected a number, got '1e6'"),
    (lambda data: data["blocks"][0].update(out_bits=-1), "blocks[0].out_bits: expected 0.0 or more, got -1"),
    (
        lambda data: data["blocks"][0].update(weight_bytes=1.5),
        "blocks[0].weight_bytes: expected a whole number, got 1.5",
    ),
    (lambda data: data["exits"][0].update(fraction=1.5), "exits[0].fraction: expected 1.0 or less, got 1.5"),
    (lambda data: data["exits"][0].update(accuracy=True), "exits[0].accuracy: expected a number, got True"),
    (lambda data: data["exits"][1].update(after=1), "exits[1].after: 1; expected a block from 2 to 2"),
    (lambda data: data["exits"][1].update(fraction=0.1), "fractions with a sum of 0.6; expected a sum of 1"),
    (lambda data: data.update(graph_hash="abc"), "graph_hash: string should match pattern"),
    (lambda data: data["measured"].update(rule="sure"), "measured.rule: expected 'entropy' or 'max-probability'"),
    (lambda data: data["measured"].update(thresholds=[]), "thresholds: 0 given; expected 1"),
    (
        lambda data: data["measured"].update(thresholds=[0.15]),
        "exits[0].fraction: 0.5; its observations and thresholds",
    ),
    (
        lambda data: data["measured"].update(samples=5),
        "measured: entropy on 5 samples; its observations are entropy on 4",
    ),
    (
        lambda data: data["exits"][1].update(accuracy=0.5),
        "exits[1].accuracy: 0.5; its observations and thresholds give 1",
    ),
    (
        lambda data: data["observations"]["confidence"][2].pop(),
        "observations.confidence[2]: 1 entries; expected 2, one per exit",
    ),
    (lambda data: data["observations"]["correct"].pop(), "observations: correct: 3 x 2; confidence: 4 x 2"),
    (lambda data: data["observations"]["correct"][0].__setitem__(0, 1), "observations.correct[0][0]: expected true or"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_wrong_files(change: Change, message: str, tmp_path: Path) -> None:
    data = to_dict(FULL)
    change(data)
    path = tmp_path / "net.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load_profile(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'b-lenett': neither a profile nor a file; did you mean 'b-lenet'"):
        load_profile("b-lenett")
    with pytest.raises(ModelError, match=r"none\.json: cannot be read: there is no such file"):
        load_profile(tmp_path / "none.json")
    with pytest.raises(ModelError, match=r"none\.yaml: cannot be read: there is no such file"):
        load_profile(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(ModelError, match=r"bad\.yaml: line .*not valid YAML"):
        load_profile(tmp_path / "bad.yaml")
    with pytest.raises(ModelError, match=r"profile: expected a mapping with schema 'iopt/exits-profile/1', got 3"):
        from_data(3, "profile")


def test_reading_needs_no_torch() -> None:
    script = (
        "import sys; from iopt.exits.files import load_profile; load_profile('b-lenet'); print('torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "False\n"


def test_the_json_schema_names_every_key() -> None:
    assert set(to_dict(FULL)) == set(json_schema()["properties"])


def test_the_json_schema_is_up_to_date() -> None:
    written = Path(schema_module.__file__).with_name("profile.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json_schema()
