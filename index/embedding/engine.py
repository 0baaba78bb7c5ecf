"""OpenVINO, the engine that runs the embedded model and those that a user names."""

from __future__ import annotations

import functools
import sys
from typing import Any


def import_openvino() -> Any:
    """OpenVINO without its telemetry, which would tell a host on the network that it was imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@functools.cache
def _open_core() -> Any:
    return import_openvino().Core()


def read_model(source: Any) -> Any:
    """The OpenVINO model that a file (a path) or its content (bytes) holds, in OpenVINO's form or ONNX."""
    return _open_core().read_model(source)


def compile_model(model: Any, precision: str | None = None) -> Any:
    """A request that runs an OpenVINO model on the processor, for one caller at a time.

    precision: "f32" or "bf16"; by default the fastest that the processor computes itself.
    """
    options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_PRECISION_HINT": precision} if precision else {})
    return _open_core().compile_model(model, "CPU", options).create_infer_request()
