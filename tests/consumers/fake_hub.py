"""A stand-in for the Hub on loopback: what its client asks of it to make a dataset's repository, and to fill it."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class FakeHub:
    """`files` by repository and path; `uploads` counts the bytes that came."""

    def __init__(self) -> None:
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, tuple[str, int]]] = {}
        self.objects: dict[str, bytes] = {}
        self.uploaded: list[str] = []
        self.fail_after: int | None = None
        hub = self

        class Handler(_Handler):
            state = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: FakeHub

    def log_message(self, format: str, *args: object) -> None: ...

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, answer: Any, status: int = 200) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        path, hub = urlsplit(self.path).path, self.state
        if path == "/api/whoami-v2":
            self._say({"name": "lab", "type": "user", "auth": {}}, 200 if self.headers.get("Authorization") else 401)
            return
        repo = "/".join(path.removeprefix("/api/datasets/").split("/")[:2])
        if repo not in hub.private:
            self._say({"error": "Repository not found"}, 404)
        elif "/tree/" in path:
            self._say([
                {"type": "file", "path": name, "size": size, "oid": digest[:40], "lfs": {"oid": digest, "size": size, "pointerSize": 130}}
                for name, (digest, size) in sorted(hub.files[repo].items())
            ])  # fmt: skip
        else:
            self._say({"_id": "1", "id": repo, "private": hub.private[repo], "sha": "0" * 40, "siblings": []})

    def do_POST(self) -> None:
        path, hub = urlsplit(self.path).path, self.state
        body = self._body()
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'lab'}/{asked['name']}"
            if name in hub.private:
                self._say({"error": "exists", "url": f"{hub.url}/datasets/{name}"}, 409)
                return
            hub.private[name], hub.files[name] = (
                asked.get("private") is True or asked.get("visibility") == "private",
                {},
            )
            self._say({"url": f"{hub.url}/datasets/{name}"})
        elif path.endswith("/preupload/main"):
            self._say(
                {
                    "files": [
                        {"path": one["path"], "uploadMode": "lfs", "shouldIgnore": False}
                        for one in json.loads(body)["files"]
                    ]
                }
            )
        elif path.endswith("/info/lfs/objects/batch"):
            objects = []
            for one in json.loads(body)["objects"]:
                there = one["oid"] in hub.objects
                objects.append({"oid": one["oid"], "size": one["size"]} | ({} if there else {
                    "actions": {"upload": {"href": f"{hub.url}/store/{one['oid']}", "header": {}}}
                }))  # fmt: skip
            self._say({"transfer": "basic", "objects": objects})
        elif "/commit/" in path:
            repo = "/".join(path.removeprefix("/api/datasets/").split("/")[:2])
            for line in filter(None, body.splitlines()):
                entry = json.loads(line)
                if entry["key"] == "lfsFile":
                    hub.files[repo][entry["value"]["path"]] = entry["value"]["oid"], int(entry["value"]["size"])
                elif entry["key"] == "file":
                    data = base64.b64decode(entry["value"]["content"])
                    hub.files[repo][entry["value"]["path"]] = hashlib.sha256(data).hexdigest(), len(data)
            self._say(
                {
                    "success": True,
                    "commitOid": "1" * 40,
                    "commitUrl": f"{hub.url}/datasets/{repo}/commit/1",
                    "hookOutput": "",
                }
            )
        else:
            self._say({"errors": [], "warnings": []})

    def do_PUT(self) -> None:
        hub, oid = self.state, self.path.rpartition("/")[2]
        data = self._body()
        if hub.fail_after is not None and len(hub.uploaded) >= hub.fail_after:
            self._say({"error": "gone"}, 400)
            return
        assert hashlib.sha256(data).hexdigest() == oid
        hub.objects[oid] = data
        hub.uploaded.append(oid)
        self._say({})
