"""Neuroglancer: the state that shows a reconstruction, and a server of its arrays for the browser of this machine."""

from __future__ import annotations

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .workspace import Workspace, write_json

__all__ = ["PORT", "data_server", "neuroglancer_link", "neuroglancer_state", "write_state"]

PORT = 9999
HOST = "https://neuroglancer-demo.appspot.com"


def neuroglancer_state(space: Workspace, image: str, labels: str, port: int = PORT) -> dict[str, Any]:
    """Neuroglancer's JSON state: the image, the segments over it, the middle of the volume in view."""
    segmentation = space.segmentation(labels)
    z, y, x = segmentation.voxel_nm
    address = f"http://127.0.0.1:{port}"
    return {
        "dimensions": {"z": [z * 1e-9, "m"], "y": [y * 1e-9, "m"], "x": [x * 1e-9, "m"]},
        "position": [n / 2 for n in segmentation.shape],
        "layers": [
            {"type": "image", "source": f"zarr3://{address}/{image}.zarr", "name": image},
            {"type": "segmentation", "source": f"zarr3://{address}/{labels}.zarr", "name": labels},
        ],
        "layout": "4panel",
    }


def neuroglancer_link(state: dict[str, Any]) -> str:
    """A link that opens the state; it shows data only while `data_server` runs on this machine."""
    return f"{HOST}/#!{quote(json.dumps(state, separators=(',', ':')))}"


def write_state(space: Workspace, path: Path, image: str, labels: str) -> str:
    """Write the state as a JSON file and return its link."""
    state = neuroglancer_state(space, image, labels)
    write_json(path, state)
    return neuroglancer_link(state)


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, readable by the viewer's page and by nothing outside this machine."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", HOST)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def data_server(space: Workspace, port: int = PORT) -> ThreadingHTTPServer:
    """A server of the workspace's files on 127.0.0.1; `serve_forever` runs it.

    Args:
        space: the workspace.
        port: to listen at; 0 for any free one.
    """
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(space.folder)))
