"""Sends the numbers of epochs to a server."""

import json
import urllib.parse
import urllib.request
import warnings
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

import numpy as np

from mlapi.errors import ArgumentError
from mlapi.training.callback import Callback
from mlapi.validation import boolean

_SECONDS = 10


class RemoteMonitor(Callback):
    """Posts the numbers of each epoch to a server, as JSON.

    A server that does not answer gets a warning, and training goes on.

    Args:
        root: address of the server.
        path: where on the server, with a slash before.
        field: name of the form's field that holds the JSON.
        headers: dict of HTTP headers, or None.
        send_as_json: whether the JSON is the whole content (`application/json`) instead of a field
            of a form.

    Raises:
        ArgumentError: `root` is no address of the web.

    Example:
        >>> from mlapi.callbacks import RemoteMonitor
        >>> monitor = RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ArgumentError(
                f"RemoteMonitor: root must start with http:// or https://, received {root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = boolean(self, "send_as_json", send_as_json)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Posts the number of the epoch and its numbers."""
        numbers = {name: np.asarray(value).tolist() for name, value in (logs or {}).items()}
        text = json.dumps({"epoch": epoch, **numbers})
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body = urllib.parse.urlencode({self.field: text})
            kind = "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except (OSError, HTTPException) as error:
            warnings.warn(f"RemoteMonitor: {self.root} was not reached: {error}", stacklevel=2)
