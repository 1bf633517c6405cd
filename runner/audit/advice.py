"""Settings to start with: one line to paste, and why each of its settings is there."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence

from data.calibration import CALIBRATION, calibration_share
from data.duplicates import NOTED
from data.inputs.truncation import MIDDLE
from data.settings import DataSettings
from runner.audit.facts import Advice, LabelFacts, LengthFacts, RepeatFacts, TaskFacts, TokenizerFacts
from runner.audit.facts import LeakFacts as Leak

STEP, SHORTEST, LONGEST = 16, 16, 512  # of data.max_length; BERT has no more positions
MOST_UNKNOWN = 0.01  # share of [UNK] from which on another vocabulary is better
REFUSED = {  # rows that a run refuses, by the setting that leaves them out or supplies what they lack
    "missing": "incomplete rows", "unlabelled": "incomplete rows",
    "bad_spans": "answers that are not at their answer_start", "find": "answers without answer_start",
}  # fmt: skip
RARE = 0.8  # majority share from which on accuracy hides the other classes
OF_TOKENS = ("words", "questions")  # units of labels for which `run best` has no candidates
OF_ENCODERS = ("data.max_length=", "data.truncate=")  # settings that `run best` decides on, or has its own default for
OF_THE_MACHINE = ("paths", "tracker", "device", "hydra")  # settings that are never advised

Problems = Callable[[list[str]], list[str]]


def advise(
    words: Sequence[str], of_files: Sequence[str] | None, data: DataSettings, needed: Mapping[str, str],
    task: TaskFacts, labels: LabelFacts, lengths: Mapping[str, LengthFacts], tokenizer: TokenizerFacts,
    repeats: Mapping[str, RepeatFacts], leaks: Sequence[Leak], problems: Problems,
) -> Advice:  # fmt: skip
    """Return a command with the settings that these facts recommend.

    words: the user's own, which are kept. of_files: what files that they name, such as experiment=mine, set of the
    data; None if that cannot be written as words, so that no search can be advised. needed: settings of `data`
    without which a run refuses the rows. problems: what is wrong with a command; a setting that a command cannot have
    is left out.
    """
    typed = {word.lstrip("+").partition("=")[0] for word in [*words, *(of_files or ())]}
    found = {f"data.{key}={value}": f"without it a run refuses {_refused(key)}" for key, value in needed.items()}
    has_labels = bool(labels.classes or labels.numbers)
    if has_labels:  # texts without labels are cut into blocks of data.max_length, however long they are
        found |= _length(data, lengths, tokenizer)
    found |= _repeats(data, repeats, leaks)
    if (tokenizer.unknown or 0.0) > MOST_UNKNOWN:
        found["model.tokenizer=train"] = f"{tokenizer.unknown:.1%} of the tokens of {tokenizer.name} are unknown"
    split, share = max(labels.majority.items(), key=lambda one: one[1], default=("", 0.0))
    if share >= RARE and labels.unit == "rows":
        found["data.metrics=[f1_macro,accuracy]"] = f"{share:.0%} of {split} are of one class, so accuracy hides others"
    own = [word for word in words if word.lstrip("+").partition("=")[0].split(".")[0] not in OF_THE_MACHINE]
    suited = f"model={'bert-tiny' if task.is_pair or labels.unit == 'words' else 'dsn'}"
    model = [] if typed & {"model", "experiment"} else [suited]
    chosen = [*model, *own]
    wanted = {word: why for word, why in found.items() if word.partition("=")[0] not in typed}
    are_possible = not problems([*chosen, *wanted])  # all at once first: a check takes a third of a second
    reasons = []
    for word, why in wanted.items():
        if are_possible or not problems([*chosen, word]):
            chosen.append(word)
            reasons.append(f"{word}: {why}")
    has_candidates = has_labels and of_files is not None and labels.unit not in OF_TOKENS and not data.audio
    left_out = {word for word in wanted if word.startswith(OF_ENCODERS)}
    kept = [word for word in [*(of_files or ()), *chosen] if word.startswith(("data", "task")) and word not in left_out]
    search = _search(kept, data) if has_candidates else ""
    return Advice(_command("run", chosen), tuple(reasons), search)


def _search(kept: Sequence[str], data: DataSettings) -> str:
    """Return the command of a search on these data, which have to be named in it."""
    named = [] if any(word.startswith("data=") for word in kept) else [f"data={data.name}"]
    return _command("run best", [*named, *kept, "max_kb=1000"])


def _refused(key: str) -> str:
    """Say which rows a run refuses without this setting of `data`."""
    return REFUSED.get(key, "to cut off so few rows")


def _command(verb: str, words: Sequence[str]) -> str:
    """Return a command as it is typed in a shell."""
    return f"{verb} {' '.join(word if _is_plain(word) else shlex.quote(word) for word in words)}"


def _is_plain(word: str) -> bool:
    return all(letter.isalnum() or letter in "._/=,:+-" for letter in word)


def _length(data: DataSettings, lengths: Mapping[str, LengthFacts], tokenizer: TokenizerFacts) -> dict[str, str]:
    """Return the 95 % length, rounded up, where it differs from the setting; above LONGEST, to read both ends."""
    tokens = lengths["train"].tokens
    if tokens is None:
        return {}
    wanted = min(LONGEST, max(SHORTEST, STEP * math.ceil(tokens.p95 / STEP)))
    reason, is_cut = f"95 % of the training texts have at most {tokens.p95:,.0f} tokens", wanted < tokens.p95
    found = {f"data.truncate={MIDDLE}": "longer texts then keep their end too"} if is_cut else {}
    if wanted == data.max_length:
        return found
    return {f"data.max_length={wanted}": reason + (f"; longer than {LONGEST} costs much" if is_cut else "")} | found


def _repeats(data: DataSettings, repeats: Mapping[str, RepeatFacts], leaks: Sequence[Leak]) -> dict[str, str]:
    """Return the setting for repeated texts, if there are more than a run reports by itself."""
    if data.duplicates != "keep":
        return {}
    is_cut = data.fold_column is None and (  # a column of folds splits equal texts, whatever groups they are in
        (data.source == "files" and data.test_path is None) or data.split is not None
    )
    leaked = [leak for leak in leaks if leak.rows > NOTED * repeats[leak.split].rows]
    is_of_apart = calibration_share(data) is None and any(leak.split == CALIBRATION for leak in leaked)
    if leaked and is_cut and not is_of_apart:
        return {"data.duplicates=group": "equal texts then stay in one split, and none is both trained on and reported"}
    if leaked:
        return {"data.duplicates=drop": "train then has no text of another split"}
    if repeats["train"].repeated > NOTED * repeats["train"].rows:
        return {"data.duplicates=drop": f"{repeats['train'].repeated:,} training rows repeat an earlier one"}
    return {}
