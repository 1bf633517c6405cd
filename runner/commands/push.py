"""`run push ID NAME`: the model of a finished run to the Hugging Face hub, with its card, private by default."""

from __future__ import annotations

from runner.commands.export import HUB_OPTIONS, write_hub
from runner.commands.options import output_folder, parse_options, split_run, true_or_false
from runner.deploy.hub.upload import check_name, find_token, upload_folder
from runner.errors import ConfigError
from runner.record.folder import find_record
from runner.sanitize import say


def main(words: list[str]) -> int:
    """Write the folder, upload it, print its address and return 0."""
    source, rest = split_run("push", words)
    if not rest or "=" in rest[0]:
        raise ConfigError(f"run push: to which repository? Try: run push {source} <name>")
    name, rest = rest[0], rest[1:]
    check_name(name)
    defaults = {"private": "true", "int8": "false", "paths.output": "outputs"}
    chosen = parse_options("push", rest, **HUB_OPTIONS, **defaults)
    is_private, onnx, int8 = (true_or_false("push", key, chosen[key]) for key in ("private", "onnx", "int8"))
    token, output = find_token(), output_folder(chosen["paths.output"])
    record = find_record(output, source)
    folder = write_hub(
        record, output / record.identity, None, onnx=onnx, int8=int8, license=chosen["license"], is_pushed=True
    )
    if folder is None:
        return 1
    message = f"Upload {record.name} (run {record.identity})"
    where = upload_folder(folder, name, token, is_private=is_private, message=message)
    say(f"{where}: uploaded{', private' if is_private else ''}")
    return 0
