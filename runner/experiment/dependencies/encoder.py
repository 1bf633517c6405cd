"""What a model starts from: a finished run, or a brief tuning of its encoder, which is a run of its own.

Tuning first has its own identity, folder and record: every head over the same encoder shares it, an interruption
resumes it, and it is the very run `run model=bert-mini train.epochs=1` makes, so the encoder's own head stands beside
the new one in every table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.model_folder import folder_of
from runner.schema import Settings

if TYPE_CHECKING:
    from data.splits import Splits
    from runner.experiment.progress import Terminal
    from runner.experiment.run import Outcome

# Settings of the command that the tuning run does not share.
OF_THE_HEAD = (
    "model", "model/backbone", "model/readout", "model.readout", "model.tune", "model.freeze", "model.carry",
    "train.epochs", "train.batch_size", "optimizer.lr", "cache", "force", "resume",
)  # fmt: skip


@dataclass
class Start:
    """Where the weights come from, and what that took."""

    folder: Path | None = None  # of a saved model; None: from model.pretrained or the seed
    seconds: float = 0.0  # of tuning
    outcome: Outcome | None = None  # of a tuning run that did not finish


def begin(settings: Settings, overrides: list[str], terminal: Terminal) -> Start:
    """Find what model.init_from names, and tune first where model.tune.epochs says so."""
    from runner.experiment.run import run

    model = settings.model
    if model.family == "dsn":
        return Start()
    if not model.tune.epochs:
        return Start(folder_of(model.init_from, settings.paths.output) if model.init_from else None)
    refuse_early(settings, terminal)
    terminal.say(f"tuning the encoder first, {model.tune.epochs:g} epochs: a run of its own")
    before = tuning(settings)
    outcome = run(before, words(before, overrides))
    if outcome.exit_code or outcome.record is None:
        return Start(outcome=outcome)
    folder = Path(settings.paths.output).expanduser() / str(outcome.record["identity"]) / "model"
    return Start(folder.absolute(), outcome.record["metrics"]["time/train_s"])


def refuse_early(settings: Settings, terminal: Terminal) -> None:
    """Raise for a readout that the encoder cannot feed and a cache that is too large, before the encoder is tuned."""
    from models.checkpoints.source import check_readout
    from runner.experiment.prepare import check_longest, load_data
    from runner.training.frozen_states import check_size

    readout, hidden, layers = check_readout(settings.model)
    check_longest(readout, settings)
    if settings.cache.mode == "disk" and readout.inline is None:
        splits: Splits = load_data(settings, terminal)
        check_size(splits, settings.cache, readout, hidden, layers)


def tuning(settings: Settings) -> Settings:
    """The settings of the encoder's own run: its backbone with BERT's pooler, nothing frozen, its recipe."""
    from models.settings import Tune

    model, recipe = settings.model, recipe_of(settings.model.backbone)
    plain = replace(model, name=model.backbone, readout={"name": "cls"}, freeze="none", tune=Tune(), carry="encoder")
    size = model.tune.batch_size or int(recipe["batch_size"])
    train = replace(settings.train, epochs=model.tune.epochs, batch_size=size)
    optimizer = replace(settings.optimizer, lr=model.tune.lr or float(recipe["lr"]))
    return replace(settings, model=plain, train=train, optimizer=optimizer, force=False, resume="auto")


def recipe_of(backbone: str) -> dict[str, float]:
    """The training defaults of conf/model/backbone/<backbone>.yaml."""
    from runner.config.compose import compose

    found: dict[str, float] = dict(compose(["model=bert-tiny", f"model/backbone={backbone}"]).model.recipe)
    return found


def words(settings: Settings, overrides: list[str]) -> list[str]:
    """The overrides that make the tuning run by itself, for its record."""

    def is_shared(word: str) -> bool:
        key = word.partition("=")[0]
        return key not in OF_THE_HEAD and not key.startswith(tuple(f"{name}." for name in OF_THE_HEAD[1:]))

    train, backbone = settings.train, settings.model.backbone
    own = [f"train.epochs={train.epochs:g}", f"train.batch_size={train.batch_size}"]
    own.append(f"optimizer.lr={settings.optimizer.lr:g}")
    model = ["model=bert-tiny", f"model/backbone={backbone}", f"model.name={backbone}"]
    return [*model, *filter(is_shared, overrides), *own]
