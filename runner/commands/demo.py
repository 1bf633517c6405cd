"""`run demo`: a DSN and a bert-tiny from scratch on the built-in data, compared; needs no network."""

from __future__ import annotations

from data.quoting import hydra_setting
from runner.commands.options import output_folder, parse_options
from runner.compare.short_table import show_runs
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.start import start_run
from runner.record.next_step import output_words

RATES = {"dsn": 1e-2, "bert-tiny": 1e-3}  # from scratch a bert-tiny needs a higher rate than for fine-tuning


def main(words: list[str]) -> int:
    """Run both models, print them side by side and say what to do next; 0 if both finished."""
    chosen = parse_options("demo", words, **{"paths.output": "outputs", "seed": "0", "force": "false"})
    overrides = [hydra_setting("paths.output", chosen["paths.output"])]
    overrides += [f"{key}={value}" for key, value in chosen.items() if key != "paths.output"]
    outcomes = []
    for model, rate in RATES.items():
        words = [f"model={model}", "experiment=demo", f"optimizer.lr={rate}", *overrides]
        outcomes.append(start_run(resolve(compose(words), words=words), words))
        if outcomes[-1].exit_code == 130:
            raise KeyboardInterrupt
    output = output_folder(chosen["paths.output"])
    show_runs([outcome.record for outcome in outcomes if outcome.record], output)
    print("The DSN sums word vectors and cannot see their order; bert-tiny can.")
    print("Both were trained from scratch.")
    command = " ".join(["run ui", *output_words(output)])
    print(f"Next: {command}    (MLflow on the runs in {output})")
    return max(outcome.exit_code for outcome in outcomes)
