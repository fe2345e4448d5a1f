"""A camera behind HTTP: multipart MJPEG at a steady rate, with faults a test can switch on."""

import contextlib
import http.server
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class MjpegServer:
    """Serves `pictures` in turn at `fps` on loopback; each client gets its own stream."""

    def __init__(self, pictures: list[bytes], fps: float = 30.0, port: int = 0) -> None:
        self.pictures, self.fps = pictures, fps
        self.frozen = threading.Event()
        """Set: connections stay up and nothing comes."""
        self.gone = threading.Event()
        """Set: connections are cut and new ones refused with 503."""
        self.sent = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if outer.gone.is_set():
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(OSError):
                    outer._stream(self)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/cam"

    def _stream(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        start, index = time.monotonic(), 0
        while not self._closing.is_set() and not self.gone.is_set():
            index += 1
            self._closing.wait(max(0.0, start + index / self.fps - time.monotonic()))
            if self.frozen.is_set():
                continue
            picture = self.pictures[index % len(self.pictures)]
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
            handler.wfile.write(head + picture + b"\r\n")
            self.sent += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


def main() -> None:
    """A server in a process of its own, for tests that count threads: `PORT FPS PICTURE`; ends with its stdin."""
    port, fps, picture = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    with MjpegServer([Path(picture).read_bytes()], fps, port) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
