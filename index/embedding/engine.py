"""OpenVINO, the engine that runs the embedded model and those that a user names."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any


def import_openvino() -> Any:
    """OpenVINO without its telemetry, which would tell a host on the network that it was imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@functools.cache
def _open_core() -> Any:
    return import_openvino().Core()


def read_model(source: Path | bytes) -> Any:
    """The OpenVINO model that a file holds, `.xml` or `.onnx`, or the content of an ONNX file."""
    if isinstance(source, bytes):
        return _open_core().read_model(source)
    import_openvino()
    from openvino.frontend import FrontEndManager

    # Its own reader alone, or what is damaged would be tried by the readers of all other forms.
    reader = FrontEndManager().load_by_framework("ir" if source.suffix == ".xml" else "onnx")
    return reader.convert(reader.load(str(source)))


def compile_model(model: Any, precision: str | None = None) -> Any:
    """A request that runs an OpenVINO model on the processor, for one caller at a time.

    precision: "f32" or "bf16"; by default the fastest that the processor computes itself.
    """
    options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_PRECISION_HINT": precision} if precision else {})
    return _open_core().compile_model(model, "CPU", options).create_infer_request()
