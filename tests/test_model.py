"""Where networks come from, and what is said where they do not come."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from iopt import model, zoo
from iopt.errors import ModelError, UnsupportedOperatorError
from iopt.graph import file as graph_file

CODE = """
import sys
from torch import nn
import helper_of_the_test
print("imported")

class Small(nn.Sequential):
    def __init__(self, channels=helper_of_the_test.CHANNELS):
        super().__init__(nn.Conv2d(3, channels, 3), nn.ReLU())

class Box:
    tiny = Small(2)

def make(): return Small()
def breaks(): raise ValueError("first line\\nsecond line")
def leaves(): sys.exit(3)
def needs(channels): return Small(channels)
def softmax(): return nn.Softmax(1)
class Prints(Small):
    def __init__(self):
        print("made")
        super().__init__()
    def forward(self, image):
        print("run")
        return super().forward(image)
number = 7
def text(): return "x"
"""
SHAPE = (1, 3, 8, 8)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a module of the user's in it."""
    (tmp_path / "net_of_the_test.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "helper_of_the_test.py").write_text("CHANNELS = 5", encoding="utf-8")
    (tmp_path / "broken_of_the_test.py").write_text("import not_there", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("net_of_the_test", "helper_of_the_test"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_network_of_the_zoo() -> None:
    assert model.load("lenet5") == zoo.graph("lenet5")
    assert model.load("vgg11", (1, 3, 32, 32)).input_shape == (3, 32, 32)


def test_a_saved_graph(tmp_path: Path) -> None:
    path = tmp_path / "lenet.json"
    graph_file.save(zoo.graph("lenet"), path)
    assert model.load(path) == model.load(str(path), (1, 1, 28, 28)) == zoo.graph("lenet")
    with pytest.raises(ModelError, match=r"is for an input of 1x1x28x28, which cannot be changed to 1x1x32x32"):
        model.load(path, (1, 1, 32, 32))


@pytest.mark.parametrize(
    ("name", "channels"), [("Small", 5), ("make", 5), ("Box.tiny", 2)], ids=["class", "function", "instance"]
)
def test_python_code_in_the_current_directory(name: str, channels: int, here: Path) -> None:
    path = list(sys.path)
    graph = model.load(f"net_of_the_test:{name}", SHAPE)
    assert graph.name == f"net_of_the_test:{name}"
    assert graph.output_shape == (channels, 6, 6)
    assert sys.path == path


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("net_of_the_test:mak", "net_of_the_test has no 'mak'; did you mean 'make'"),
        ("net_of_the_test:Box.tny", r"net_of_the_test has no 'Box\.tny'; did you mean 'tiny'"),
        ("net_of_the_test:breaks", "net_of_the_test:breaks raised [A-Z][A-Za-z]*: first line$"),
        ("net_of_the_test:leaves", "net_of_the_test:leaves raised SystemExit: 3$"),
        (
            "net_of_the_test:needs",
            r"net_of_the_test:needs needs arguments \(.*\); expected what can be called without any",
        ),
        ("net_of_the_test:number", "net_of_the_test:number is a int; expected a torch.nn.Module"),
        ("net_of_the_test:text", "net_of_the_test:text made a str; expected a torch.nn.Module"),
        ("net_of_the_tset:x", "cannot import net_of_the_tset: ModuleNotFoundError: No module named 'net_of_the_tset'"),
        ("broken_of_the_test:x", "cannot import broken_of_the_test: .*No module named 'not_there'"),
    ],
)
def test_python_code_that_makes_no_network(spec: str, message: str, here: Path) -> None:
    with pytest.raises(ModelError, match=message):
        model.load(spec, SHAPE)


def test_what_python_code_prints_is_no_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.load("net_of_the_test:Prints", SHAPE)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line for line in err.splitlines() if line in ("imported", "made", "run")] == ["imported", "made", "run"]


def test_python_code_with_an_input_that_is_missing_or_does_not_fit(here: Path) -> None:
    with pytest.raises(ModelError, match="net_of_the_test:make needs the shape of its input; give one such as 1x3x224"):
        model.load("net_of_the_test:make")
    with pytest.raises(ModelError, match=r"make does not run on an input of 1x1x8x8: .*expected input"):
        model.load("net_of_the_test:make", (1, 1, 8, 8))
    with pytest.raises(UnsupportedOperatorError, match=r"softmax: 1 operator that iopt does not know: aten\.softmax"):
        model.load("net_of_the_test:softmax", SHAPE)


def test_an_exported_program(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.pt2"
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()).eval()
    torch.export.save(torch.export.export(network, (torch.zeros(SHAPE),)), path)
    capfd.readouterr()
    graph = model.load(path, trust=True)
    assert (graph.name, graph.input_shape, graph.output_shape) == ("small", (3, 8, 8), (5, 6, 6))
    assert [operator.name for operator in graph] == ["0"]
    with pytest.raises(ModelError, match=r"reading a \.pt2 file can run code that is hidden in it"):
        model.load(path)
    with pytest.raises(ModelError, match="which cannot be changed to 1x3x9x9"):
        model.load(path, (1, 3, 9, 9), trust=True)
    path.write_text("no archive", encoding="utf-8")
    with pytest.raises(ModelError, match=r"small\.pt2 is no exported program \(torch\.export\.save writes one\)"):
        model.load(path, trust=True)
    with pytest.raises(ModelError, match=r"none\.pt2: cannot be read: there is no such file"):
        model.load(tmp_path / "none.pt2", trust=True)
    (tmp_path / "folder.pt2").mkdir()
    with pytest.raises(ModelError, match=r"folder\.pt2: cannot be read: it is a folder"):
        model.load(tmp_path / "folder.pt2", trust=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("spec", ["vgg", "LeNet", "net.onnx", "a:b:c", ":x", "x:", "", "../vgg11", "C:\\net.py"])
def test_unknown_models(spec: str) -> None:
    with pytest.raises(ModelError, match=r"unknown model .*; expected a network of the zoo \(lenet5, ") as caught:
        model.load(spec)
    assert "\n" not in str(caught.value)
    assert ("did you mean" in str(caught.value)) == (spec in ("vgg", "LeNet", "../vgg11"))


@pytest.mark.parametrize(
    ("spec", "advice"),
    [
        ("model.pt", "; a .pt file holds no network that iopt reads: write one with torch.export.save("),
        ("runs/best.PTH", "; a .PTH file holds no network"),
        ("path/to/file.py:build", "; did you mean 'path.to.file:build'?"),
        ("net_of_the_test.py:make", "; did you mean 'net_of_the_test:make'?"),
        ("net_of_the_test.py", "; did you mean 'net_of_the_test:CALLABLE'?"),
        ("../nets/my_net.py:build", "; did you mean 'my_net:build' in the folder ../nets?"),
        ("/home/me/my_net.py:build", "; did you mean 'my_net:build' in the folder /home/me?"),
    ],
)
def test_files_that_are_no_models_get_advice(spec: str, advice: str, here: Path) -> None:
    with pytest.raises(ModelError) as caught:
        model.load(spec, SHAPE)
    message = str(caught.value)
    assert message.startswith(f"unknown model '{spec}'; expected a network of the zoo (")
    assert f"an exported program (.pt2) or package.module:callable{advice}" in message
    assert "net_of_the_test" not in sys.modules


def test_shapes() -> None:
    assert model.parse_shape("1x3x224x224") == (1, 3, 224, 224)
    assert model.parse_shape(" 1X3x8x9 ") == (1, 3, 8, 9)
    assert model.parse_shape("1x784") == (1, 784)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3x224x224", "input shape 3x224x224 has 3 sizes; expected 1 x channels x height x width such as 1x3x224x224"),
        ("7", "input shape 7 has 1 size; expected"),
        ("1x3x0x224", "input shape 1x3x0x224 has a size of 0; sizes must be positive"),
        ("1x3x-2x224", "input shape 1x3x-2x224 has a size of -2; sizes must be positive"),
        ("2x3x8x8", "input shape 2x3x8x8 has a batch of 2; iopt plans one input at a time"),
        ("1x3xax8", "input shape '1x3xax8': expected 1 x channels"),
        ("1,3,8,8", "input shape '1,3,8,8': expected"),
        ("1x3x8.5x8", "input shape '1x3x8.5x8': expected"),
        ("1x3x8x", "input shape '1x3x8x': expected"),
        ("", "input shape '': expected"),
        ("1x3x99999999x99999999", "input shape 1x3x99999999x99999999 has more than 2147483648 elements"),
    ],
)
def test_wrong_shapes(text: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        model.parse_shape(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 3, "a", 2), (1, 3, 8.0, 8), (1, 3, True, 8), 5, "1x3x8x8"])
def test_what_is_no_shape(shape: Any) -> None:
    with pytest.raises(ModelError, match=r"^input shape .* is not a tuple of whole numbers; expected 1 x channels"):
        model.load("vgg11", shape)
