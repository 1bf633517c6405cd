"""Ask the server of tests/spawner.py for a fork, forward signals to it, and exit with its exit code.

python -IS tests/stand_in.py PYTHON SOCKET -m module words...    # PYTHON: used if a fork is refused
"""

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    """Act as a Python interpreter; this file imports nothing slow."""
    python, path, *words = sys.argv[1:]
    server = socket.socket(socket.AF_UNIX)
    question = {"words": words, "cwd": os.getcwd(), "env": dict(os.environ)}  # noqa: PTH109
    said, files = (json.dumps(question) + "\n").encode(), array.array("i", [0, 1, 2])
    try:
        server.connect(path)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, _: server.send(bytes([number])))
        sent = server.sendmsg([said], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
        if sent < len(said):
            server.sendall(said[sent:])
        is_forked = server.recv(1) == b"+"
    except OSError:  # the server has already closed the connection
        is_forked = False
    if not is_forked:
        os.execv(python, [python, *words])
    code = int(server.recv(16) or 1)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
