"""`run doctor`: the resources of this machine, and problems that a run would have.

`run doctor --determinism [model=dsn train.threads=4 ...]`: does a run give the same numbers here when it is repeated?
`run doctor --licences`: the licences of all packages that are needed and installed.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from data.counted import counted
from data.errors import DataError
from data.sources.hub_status import hub_endpoint
from runner.commands.options import output_folder, parse_options
from runner.diagnostics.licences import CARRIED, installed_licences
from runner.errors import ConfigError
from runner.machine.facts import machine_facts
from runner.machine.matmul import automatic_gemm, measure_gemm
from runner.record.folder import check_writable
from runner.record.next_step import output_words

DETERMINISM, LICENCES = "--determinism", "--licences"


def main(words: list[str]) -> int:
    """Print versions, threads, matrix backend, hub and store; 1 if something is wrong, else 0."""
    if DETERMINISM in words:
        return show_determinism([word for word in words if word != DETERMINISM])
    if words == [LICENCES]:
        return show_licences()
    chosen = parse_options("doctor", words, **{"paths.output": "outputs"})
    from rich.console import Console
    from rich.table import Table

    import torch  # isort: skip  (the machine's facts name the GPU only if torch is loaded)

    table = Table(title="doctor", title_justify="left")
    table.add_column("what")
    table.add_column("found", overflow="fold")
    for name, value in machine_facts().items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name, shown)
    table.add_row("torch threads", str(torch.get_num_threads()))
    table.add_row("matrix backend", matrix_backend())
    hub, hub_ok = check_hub()
    store, store_ok = check_store(output_folder(chosen["paths.output"]))
    table.add_row("hub", hub)
    table.add_row("store", store)
    Console(highlight=False).print(table)
    return 0 if hub_ok and store_ok else 1


def show_determinism(words: list[str]) -> int:
    """Repeat one run three times and print whether all are equal; 1 if they are not."""
    from runner.diagnostics.determinism import check_determinism  # late: only this check of the doctor runs models

    found = check_determinism(words)
    record = found.record
    threads, precision = record.setting("train.threads"), record.setting("train.precision")
    has_passed = not found.again and not found.elsewhere
    print(f"determinism: {'pass' if has_passed else 'FAIL'}")
    print(
        f"  {record.name}: {found.numbers:,} saved numbers, {found.points} points of the curve, all predictions; "
        f"threads {threads}, {record.environment.device}, {precision}, matrix backend {record.environment.gemm}"
    )
    for where, problem in (("again in one process", found.again), ("in another process", found.elsewhere)):
        print(f"  {where}: {f'differs: {problem}' if problem else 'equal bit for bit'}")
    print(
        f"  not covered: another number of threads than {threads} (--determinism train.threads=4 checks that), other "
        "processors, other versions of torch or its libraries, other settings than these; times never repeat"
    )
    return 0 if has_passed else 1


def show_licences() -> int:
    """List the licence of each installed package that is needed; 1 if one is not permissive, or unknown."""
    listed = installed_licences()
    for licence in listed:
        mark = " " if licence.is_accepted else "!"
        carried = f" ({CARRIED[licence.package]})" if licence.package in CARRIED else ""
        print(f"{mark} {licence.package} {licence.version}: {licence.text or 'not stated'}{carried}")
    strict = sum(not licence.is_accepted for licence in listed)
    print(f"{len(listed)} packages; not permissive, or unknown: {strict}{' (marked !)' if strict else ''}")
    return int(strict > 0)


def matrix_backend() -> str:
    """Return the backend that engine.gemm=auto takes here, and the rate and error of each on one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rates, errors = measure_gemm(["default", "onednn", "bf16"])
    torch.set_num_threads(threads)
    told = [f"{name}: {rates[name]:.0f} GFLOP/s, relative error {errors[name]:.0e}" for name in rates]
    return "; ".join([f"engine.gemm=auto is {automatic_gemm(errors['onednn'])} here", *told])


def check_hub(timeout_s: float = 2.0) -> tuple[str, bool]:
    """Does the hub (HF_ENDPOINT, else the public one) accept a connection?"""
    try:
        shown, host, port = hub_endpoint()
    except DataError as error:
        return str(error), False
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return f"{shown}: not checked, because HF_HUB_OFFLINE is set", True
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        return f"{shown} does not answer ({error}); data=demo and data=files work without it", False
    return f"{shown} answers", True


def check_store(output: Path) -> tuple[str, bool]:
    """Is there an MLflow store in the output folder, and is it intact?"""
    import sqlite3

    path = output / "mlflow.db"
    if not path.exists():
        try:
            check_writable(output)
        except ConfigError as error:
            return str(error), False
        return f"{path} will be created by the first run", True
    try:
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as connection:
            state = connection.execute("pragma quick_check").fetchone()[0]
            count = connection.execute("select count(*) from runs").fetchone()[0]
    except sqlite3.Error as error:
        return (
            f"{path} cannot be read ({error}). Move it away, then: {' '.join(['run sync', *output_words(output)])}",
            False,
        )
    return f"{path}: {counted(count, 'run')}, check {state}", state == "ok"
