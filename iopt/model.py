"""Where a network comes from: the zoo, a saved graph, an exported program, or Python code."""

from __future__ import annotations

from pathlib import Path

from iopt import zoo
from iopt.door.python_name import split_name
from iopt.door.trust import check_archive
from iopt.door.wording import hint, shown
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.graph import file as graph_file
from iopt.graph.input_shape import as_shape, checked_shape, parse_shape

__all__ = ["load", "parse_shape"]

_PICKLED = {".pt", ".pth", ".pkl", ".ckpt", ".bin", ".safetensors"}


def load(spec: str | Path, input_shape: tuple[int, ...] | None = None, trust: bool = False) -> Graph:
    """The graph that `spec` names: a network of the zoo, `FILE.json`, `FILE.pt2` or `package.module:callable`.

    `input_shape` includes the batch, 1. Python code needs it, the zoo may have another one than its own, and files have
    theirs stored. `trust` allows a `.pt2` file, whose reading can run code. Raises `ModelError` with one line.
    """
    if not isinstance(spec, str | Path):
        raise ModelError(f"expected the name of a network or a file, got {shown(spec)}")
    text = str(spec)
    shape = None if input_shape is None else checked_shape(input_shape)
    if text in zoo.ENTRIES:
        return zoo.graph(text, shape)
    suffix = Path(text).suffix.lower()
    if suffix == ".json":
        return _with_shape(graph_file.load(text), shape, text)
    if suffix == ".pt2":
        return _with_shape(_from_archive(Path(text), trust), shape, text)
    if name := split_name(text):
        return _from_object(*name, shape)
    advice = _advice(text) or hint(text, zoo.ENTRIES)
    raise ModelError(
        f"unknown model {shown(text)}; expected a network of the zoo ({', '.join(zoo.ENTRIES)}), "
        f"a saved graph (.json), an exported program (.pt2) or package.module:callable{advice}"
    )


def _advice(text: str) -> str:
    """How to name what `text` seems to mean: a file of weights, or of Python code; nothing for anything else."""
    source, _, attribute = text.partition(":")
    path = Path(source)
    if path.suffix.lower() in _PICKLED:
        return (
            f"; a {path.suffix} file holds no network that iopt reads: write one with torch.export.save"
            "(torch.export.export(network, (input,)), 'FILE.pt2'), or name the code that makes it"
        )
    if path.suffix == ".py":
        inside = not path.is_absolute() and all(part.isidentifier() for part in path.with_suffix("").parts)
        module = ".".join(path.with_suffix("").parts) if inside else path.stem
        where = "" if inside else f" in the folder {path.parent}"
        return f"; did you mean '{module}:{attribute or 'CALLABLE'}'{where}?"
    return ""


def _with_shape(graph: Graph, shape: tuple[int, ...] | None, path: str) -> Graph:
    if shape is not None and as_shape(shape) != graph.input_shape:
        written = "x".join(map(str, shape))
        raise ModelError(f"{path} is for an input of 1x{graph.input_shape}, which cannot be changed to {written}")
    return graph


def _from_archive(path: Path, trust: bool) -> Graph:
    check_archive(path, trust)
    from iopt.importer.archive import import_archive

    return import_archive(path)


def _from_object(module: str, attribute: str, shape: tuple[int, ...] | None) -> Graph:
    if shape is None:
        raise ModelError(
            f"{module}:{attribute} needs the shape of its input; give one such as 1x3x224x224 (input_shape, --input)"
        )
    from iopt.importer.python_object import import_object

    return import_object(module, attribute, shape)
