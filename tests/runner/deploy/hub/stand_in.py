"""The endpoints of the hub that an upload uses, on this machine: what is asked, and the files that arrive."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

TOKEN = "hf_" + "x" * 34
USER = "ada"


class Hub(ThreadingHTTPServer):
    """Repositories by name: whether they are private, and their files."""

    daemon_threads = True

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.large: dict[str, bytes] = {}  # by SHA-256, what large file storage received
        self.commits: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """The value for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request; only those with the token are answered."""

    server: Hub

    def do_GET(self) -> None:
        """Facts and file list of a repository."""
        if found := re.match(r"/api/models/([^/]+/[^/?]+)/tree/main", self.path):
            files = self.server.repositories[found[1]]
            self.send(200, [{"type": "file", "path": p, "size": len(c), "oid": "0"} for p, c in files.items()])
        elif found := re.match(r"/api/models/([^/]+/[^/?]+)(\?|/revision|$)", self.path):
            self.send(200, {"id": found[1], "private": self.server.private[found[1]], "siblings": [], "sha": "0" * 40})
        else:
            self.send(404, {"error": self.path})

    def do_POST(self) -> None:
        """Make a repository, check the card, say how files are sent, take a commit."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send(401, {"error": f"Invalid credentials {self.headers['Authorization']}"})
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization'] or USER}/{asked['name']}"
            is_there = name in self.server.repositories
            self.server.repositories.setdefault(name, {".gitattributes": b""})
            self.server.private.setdefault(name, asked["visibility"] == "private")
            self.send(409 if is_there else 200, {"url": f"{self.server.address}/{name}"})
        elif self.path == "/api/validate-yaml":
            header = yaml.safe_load(json.loads(body)["content"].split("---\n")[1])
            self.send(200 if header["license"] else 400, {"errors": [], "warnings": []})
        elif self.path.endswith("/preupload/main"):
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith((".safetensors", ".bin", ".onnx"))
                 else "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]  # fmt: skip
            self.send(200, {"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            found = [
                one | {"actions": {"upload": {"href": f"{self.server.address}/store/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self.send(200, {"transfer": "basic", "objects": found})
        else:
            self.take_commit(body)

    def do_PUT(self) -> None:
        """A large file; its address is secret by itself, so that no token is sent along."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert "Authorization" not in self.headers
        self.server.large[hashlib.sha256(content).hexdigest()] = content
        self.send(200, {})

    def take_commit(self, body: bytes) -> None:
        """Apply the lines of a commit."""
        name = re.match(r"/api/models/([^/]+/[^/]+)/commit/main", self.path)
        assert name
        files = self.server.repositories[name[1]]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.server.commits.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self.send(200, {"commitUrl": f"{self.server.address}/{name[1]}/commit/{'0' * 40}", "commitOid": "0" * 40})

    def send(self, status: int, content: Any) -> None:
        """Answer with JSON."""
        sent = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def a_hub() -> Iterator[Hub]:
    """A running stand-in."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
