"""A TCP proxy that misbehaves when told to: it drops connections at once or after a number of bytes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Proxy:
    """Pass everything on to a server on this machine; `with Proxy(port) as proxy: ... proxy.address`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.is_down = False
        self.cuts: list[int] = []  # bytes of answers after which the next connections are dropped, one each
        self.dropped = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self.down()

    def down(self) -> None:
        """Drop all open connections, and every new one."""
        self.is_down = True
        for connection in list(self._open):
            _close(connection)

    def up(self) -> None:
        """Behave well from now on."""
        self.is_down = False

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(connection,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        if self.is_down:
            self.dropped += 1
            _close(client)
            return
        cut = self.cuts.pop(0) if self.cuts else None
        server = socket.create_connection(("127.0.0.1", self.target))
        self._open |= {client, server}
        threading.Thread(target=self._copy, args=(client, server, None), daemon=True).start()
        self._copy(server, client, cut)

    def _copy(self, source: socket.socket, target: socket.socket, cut: int | None) -> None:
        left = cut
        with suppress(OSError):
            while chunk := source.recv(65536):
                target.sendall(chunk if left is None else chunk[:left])
                if left is not None:
                    left -= len(chunk)
                    if left <= 0:
                        self.dropped += 1
                        break
        for end in (source, target):
            self._open.discard(end)
            _close(end)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
