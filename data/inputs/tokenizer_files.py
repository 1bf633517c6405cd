"""Fetches the files of a tokenizer from a folder or the hub, and reads those that accompany the vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

from data.errors import DataError
from data.json_types import JsonObject
from data.sources.hub_status import hub_endpoint, is_offline, offline_if_unreachable, unwritable_cache, why_unavailable

KEYS = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")  # transformers' names for special tokens
SWITCHES = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")  # entries that are true or false
GO_ON = (
    "Go on with: model.tokenizer=train (a vocabulary of your own data), another id or folder, or HF_ENDPOINT=<a hub>"
)


SENTENCEPIECE = ("spm.model", "sentencepiece.bpe.model", "tokenizer.model", "spiece.model")


def why_no_vocabulary(source: str) -> str:
    """Return the error message for a source without tokenizer.json and vocab.txt: what it has instead, and the fix."""
    found = next((name for name in SENTENCEPIECE if fetch_file(source, name, is_needed=False)), None)
    if found is None:
        return f"{source} has neither tokenizer.json nor vocab.txt. {GO_ON}"
    return (
        f"{source} has its vocabulary as {found} only, which cannot be read. Try: once, where transformers and "
        f"sentencepiece are installed, AutoTokenizer.from_pretrained('{source}').save_pretrained('folder'), then "
        "model.tokenizer=folder"
    )


def files_beside(source: str) -> JsonObject:
    """Read special_tokens_map.json and tokenizer_config.json, which takes precedence; {} if there is neither."""
    found: JsonObject = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if path := fetch_file(source, name, is_needed=False):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise DataError(f"{source}: {name} is not JSON ({error}). {GO_ON}") from error
            if not isinstance(content, dict):
                raise DataError(f"{source}: {name} holds no JSON object. {GO_ON}")
            found |= {key: value for key, value in content.items() if value is not None}
    wrong = [key for key in SWITCHES if not isinstance(found.get(key, True), bool)]
    if wrong:
        raise DataError(f"{source}: {wrong[0]} is {found[wrong[0]]!r:.80}, not true or false. {GO_ON}")
    return found


def drops_beginnings(source: str) -> bool:
    """Return whether a tokenizer's files ask to cut long texts at their beginning, as transformers would."""
    side = files_beside(source).get("truncation_side")
    if side is None and (path := fetch_file(source, "tokenizer.json", is_needed=False)):
        side = (json.loads(path.read_text(encoding="utf-8")).get("truncation") or {}).get("direction")
    return str(side).lower() == "left"


def named_tokens(beside: JsonObject) -> dict[str, str]:
    """Return the special tokens that these files name, either as text or as an object that contains it."""
    found = {key: beside[key] for key in (*KEYS, "bos_token", "eos_token") if key in beside}
    texts = {key: token.get("content") if isinstance(token, dict) else token for key, token in found.items()}
    wrong = [key for key, text in texts.items() if not isinstance(text, str)]
    if wrong:
        raise DataError(f"the tokenizer's files: {wrong[0]} is {found[wrong[0]]!r:.80}, not a text. {GO_ON}")
    return {key: text for key, text in texts.items() if isinstance(text, str)}


def fetch_file(source: str, name: str, is_needed: bool = True) -> Path | None:
    """Return the path of one file of a folder or hub id; None if it has no such file.

    is_needed: raise DataError if the file is not cached and the hub does not answer. It is raised in any case for a hub
    that answers with an error.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    import httpx2
    from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    offline_if_unreachable()
    where = hub_endpoint()[0]
    try:
        return Path(hf_hub_download(source, name, etag_timeout=5))
    except LocalEntryNotFoundError as error:
        # A hub that does not answer may have the file, and without its settings a tokenizer reads texts differently.
        if not is_needed and (is_offline() or try_to_load_from_cache(source, name) is _CACHED_NO_EXIST):
            return None
        if is_offline():
            raise DataError(f"the tokenizer {source} is not cached and {where} does not answer. {GO_ON}") from error
        raise DataError(f"{name} of {source} is unavailable from {where}: {why_unavailable(error)}. {GO_ON}") from error
    except EntryNotFoundError:
        return None
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataError(f"model.tokenizer={source} is neither a folder nor a repository on {where}. {GO_ON}") from error
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        if problem := unwritable_cache(error):
            raise DataError(f"{name} of {source} cannot be cached: {problem}") from error
        raise DataError(f"{source} is unavailable from {where}: {why_unavailable(error)}. {GO_ON}") from error
