"""The script that a user would write without Bertier: successive fine-tunings with transformers' Trainer.

    python -m tests.benchmarks.trainer_script ROWS SEEDS THREADS

In one process: libraries, data and tokens are loaded once. Batches are grouped by length, as by the tuned Trainer in
rivals.py; the model is transformers' BERT. At its end, each run prints the accuracy on the validation split.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.machine.threads import set_threads

TINY = ["model=bert-tiny", "model.pretrained=null", "data=sst2"]  # initial weights do not affect the time


def main(rows: int, seeds: int, threads: int) -> None:
    set_threads(threads)
    import numpy as np
    import torch

    from data.load import load_splits
    from models.build import build
    from models.heads.base import HeadSpec
    from tests.benchmarks.rivals import Rows, pad, stock, train

    settings = resolve(compose([*TINY, f"data.max_rows={rows}", "train.epochs=1"]))
    cache = Path(settings.paths.cache).expanduser()
    splits = load_splits(settings.data, tokenizer=settings.model.tokenizer, vocab_size=0, cache=cache)
    trained, reported = Rows(splits.train), Rows(splits.report[0])
    for seed in range(seeds):
        torch.manual_seed(seed)
        ours, _ = build(
            settings.model,
            head=HeadSpec(outputs=2),
            vocab_size=splits.tokenizer.vocab_size,
            pad_id=splits.tokenizer.pad_id,
        )
        model = stock(ours)
        steps = -(-len(trained) // settings.train.batch_size)
        with tempfile.TemporaryDirectory() as folder:
            train(model, trained, settings, Path(folder), steps=steps, length=None, seed=seed)
        model.eval()
        right = 0
        order = np.argsort(reported.lengths)
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                batch = pad([reported[int(row)] for row in order[start : start + 64]], None)
                labels = batch.pop("labels")
                right += int((model(**batch).logits.argmax(-1) == labels).sum())
        print(f"seed {seed}: accuracy {right / len(reported):.4f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
