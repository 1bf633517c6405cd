"""Finished runs on sounds as the runner leaves them, without training, and clips to ask them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.inputs.sound import Sound
from data.inputs.sound_features import SoundFeatures
from models.build import build
from models.checkpoints.save import save_model
from models.heads.base import HeadSpec
from models.packed.facts import Facts
from models.packed.pack import write_packed
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.deploy.runs import STARTED

LABELS = ["bell", "dog", "saw"]
CLIPS = {name: sound_file(tone(hertz, seconds)) for name, hertz, seconds in
         (("a", 300.0, 0.5), ("b", 900.0, 1.0), ("c", 2500.0, 0.8), ("d", 5000.0, 0.2))}  # fmt: skip
WORDS = ["model=tiny-sound", "data=files", "data.audio=path", "data.label=kind", "data.seconds=1", "data.max_length=40",
         "data.train_path=clips.csv", "tracker=none", "model.special_tokens=true"]  # fmt: skip


def write_sound_run(output: Path, identity: str, *words: str, is_packed: bool = True) -> dict[str, Any]:
    """A run on sounds of one second whose weights are drawn wide, so that answers differ; its record.

    words: of its command, beside WORDS; is_packed: with a model.bin.
    """
    words = (*WORDS, *words)
    settings = resolve(compose(list(words)))
    data, model = settings.data, settings.model
    features = SoundFeatures(
        model.tokenizer, data.rate, data.seconds, data.average_frames, model.special_tokens, stack=data.stack_frames
    )
    split = Sound(features).ask([list(CLIPS.values())], data.max_length).split
    features = features.fitted(split.tokens, split.offsets)
    torch.manual_seed(0)
    made, _ = build(model, head=HeadSpec(outputs=len(LABELS)), vocab_size=features.vocab_size, pad_id=features.pad_id)
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    folder = output / identity
    save_model(made, folder / "model", tokenizer_save=features.save, label_names=LABELS, card="card")
    if is_packed:
        write_packed(made, folder / "model", Facts(tuple(LABELS), data.max_length, sound=features.content))
    record = {
        "schema_version": 1, "identity": identity, "status": "done", "name": "tiny-sound files seed=0",
        "started": STARTED, "overrides": list(words), "config": asdict(settings), "metrics": {}, "stages": [],
        "data": {"task": "classification", "labels": LABELS, "rows": {}, "primary": "test/accuracy"},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(record, default=str), encoding="utf-8")
    return record


def write_clips(folder: Path) -> dict[str, Path]:
    """CLIPS as WAV files, and two more: `flac` of another format, `stereo` of another rate and two channels."""
    folder.mkdir(parents=True, exist_ok=True)
    both = np.stack([tone(700.0, 0.6, rate=8000), tone(1100.0, 0.6, rate=8000)], axis=1)
    contents = {f"{name}.wav": content for name, content in CLIPS.items()}
    contents |= {"flac.flac": sound_file(tone(1500.0, 0.7), kind="FLAC"), "stereo.wav": sound_file(both, rate=8000)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name.partition(".")[0]: folder / name for name in contents}
