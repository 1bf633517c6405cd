"""Every metric name a run may write: one list, with unit, direction and meaning.

A name that is not here is refused, so that two runs never record the same thing under two names.
The records, the tracker, the tables and the tuner all read this list. Standard library only.

    check("val/accuracy").unit        # "share"
    direction("cost/params")          # "lower"
"""

from __future__ import annotations

import difflib
import re
from functools import cache

from runner.record.compression_metrics import COMPRESSION_METRICS
from runner.record.metric import PLACES, Metric
from runner.statistics.score_table import SCORE_TABLE

VIEW, CORRELATION = "view", "corr_val"  # the prefix of a second view's numbers, and what selects its best epoch

METRICS: tuple[Metric, ...] = (
    # Quality on one split. `train` is the training split, `tune` or `val` selects, the others are reported.
    Metric(
        "{split}/loss",
        "nat or squared label",
        "lower",
        "mean loss per example (per masked word for mlm), dropout off; of standardised targets where training "
        "standardises them (data.standardize)",
    ),
    *(Metric(f"{{split}}/{score.name}", score.unit, score.direction, score.meaning) for score in SCORE_TABLE.values()),
    # Of sets of labels, at 0.5 and at fitted thresholds, whichever of them data.threshold asks for.
    *(
        Metric(f"{{split}}/{name}_{ending}", "share", "higher", f"{SCORE_TABLE[name].meaning}, {meaning}")
        for name in ("f1_micro", "f1_macro")
        for ending, meaning in (
            ("at_half", "all thresholds 0.5"),
            ("tuned", "thresholds fitted to the selection split, one for each label unless data.threshold=one"),
        )
    ),
    Metric("{split}/{score}_low", "as the score", "none", "lower end of its 95 % interval"),
    Metric("{split}/{score}_high", "as the score", "none", "upper end of its 95 % interval"),
    # Of a split with the rows of the first reported one in another language (data.report).
    Metric("{split}/{score}_difference", "as the score", "none", "minus the score of the same rows as trained on"),
    Metric("{split}/{score}_difference_low", "as the score", "none", "lower end of its 95 % interval, paired"),
    Metric("{split}/{score}_difference_high", "as the score", "none", "upper end of its 95 % interval, paired"),
    Metric("{split}/{score}_difference_p", "share", "none", "chance of such a difference between equals, paired"),
    # Of the probabilities of a classifier, calibrated on the selection split; `_uncalibrated`: of the plain softmax.
    Metric("{split}/ece", "share", "lower", "confidence against share right, 15 bins of equal numbers, ties together"),
    Metric("{split}/ece_floor", "share", "none", "mean ECE of a perfectly calibrated model with the same confidences"),
    Metric("{split}/ece_floor_95", "share", "none", "its 95th percentile: an ECE below it shows no miscalibration"),
    Metric("{split}/ece_debiased", "share", "lower", "root of ece squared minus ece_floor squared; 0 below the floor"),
    Metric("{split}/ece_equal_width", "share", "lower", "over 15 bins of equal width, as in most papers"),
    Metric("{split}/brier", "0..2", "lower", "mean squared distance of the probabilities to the label, classes summed"),
    Metric("{split}/log_loss", "nat", "lower", "mean negative logarithm of the label's probability"),
    Metric("{split}/auroc", "share", "higher", "of the positive class; else the mean of each class against the rest"),
    Metric("{split}/average_precision", "share", "higher", "the same, as the area under precision over recall"),
    Metric("{split}/ece_uncalibrated", "share", "lower", "ece before calibration"),
    Metric("{split}/brier_uncalibrated", "0..2", "lower", "brier before calibration"),
    Metric("{split}/log_loss_uncalibrated", "nat", "lower", "log_loss before calibration"),
    Metric("{split}/examples", "examples", "none", "rows behind the scores of this split"),
    Metric("{split}/queries", "queries", "none", "of a ranking: the queries that its intervals are over"),
    Metric(
        "{split}/constant_predictions",
        "0 or 1",
        "lower",
        "1: every row got the same prediction; correlations are then 0",
    ),
    Metric(
        "baseline/majority",
        "as the score",
        "none",
        "primary score of the majority class of the training rows; for mlm of the words' training frequencies; "
        "for tags of the most frequent tag of each word",
    ),
    Metric("baseline/majority_{score}", "as the score", "none", "that score of the majority class"),
    Metric("baseline/no_answer", "as the score", "none", "primary score of never giving an answer (task=span)"),
    Metric("baseline/first_sentence", "as the score", "none", "primary score of the first sentence of each text"),
    Metric("baseline/ngram", "as the score", "none", "primary score of model=ngram on the same data"),
    Metric("baseline/ngram_low", "as the score", "none", "lower end of its 95 % interval"),
    Metric("baseline/ngram_high", "as the score", "none", "upper end of its 95 % interval"),
    Metric("baseline/ngram_bytes", "bytes", "none", "every file that model needs to answer a text"),
    Metric("baseline/ngram_us", "us", "none", "median time of its answer, from text to label"),
    # Of a second view (view=codes): two encoders, and a classifier of codes, on the rows of the selection split.
    Metric("view/corr_train", "1", "none", "sum of the correlations of texts and codes, of all training pairs"),
    Metric("view/corr_val", "1", "higher", "that sum on selection rows: at most view.k, near 0 if independent"),
    Metric("view/dimensions", "dimensions", "higher", "of these correlations, those above 0.5"),
    Metric(
        "view/loss", "as the loss", "lower", "of the two encoders minus their correlation; of the classifier its loss"
    ),
    *(Metric(f"view/{score.name}", score.unit, score.direction, score.meaning) for score in SCORE_TABLE.values()),
    # Measured after the run, by run blimp.
    Metric("pairs/{pairs}_low", "share", "none", "lower end of its 95 % interval"),
    Metric("pairs/{pairs}_high", "share", "none", "upper end of its 95 % interval"),
    Metric("pairs/{pairs}_count", "pairs", "none", "minimal pairs behind that share"),
    Metric("pairs/{pairs}", "share", "higher", "minimal pairs whose good sentence scores higher; a tie is one half"),
    # Measured after the run, by run probe: of the layer that the selecting rows prefer.
    Metric(
        "probe/{probe}_accuracy",
        "share",
        "higher",
        "of probes on reported rows; for trees UUAS, or roots found",
    ),
    Metric("probe/{probe}_majority", "share", "none", "accuracy of the most frequent class"),
    Metric("probe/{probe}_random", "share", "none", "accuracy of the same layer of an encoder with random weights"),
    Metric("probe/{probe}_layer", "layer", "none", "the layer; 0: the embeddings"),
    Metric(
        "probe/{probe}_selectivity", "share", "higher", "accuracy minus that on random labels of first tokens or words"
    ),
    Metric("probe/{probe}_bits", "bits", "lower", "of a label, by the online code with these probes"),
    Metric("probe/{probe}_spearman", "correlation", "higher", "of probed distances, or depths, with those in the tree"),
    # Of run zero-shot; the number is that of a template.
    Metric("zero_shot/chance", "as the score", "none", "the headline score of guessing among the classes"),
    Metric("zero_shot/{score}_prior_{index}", "as the score", "none", "by that template, minus the content-free prior"),
    Metric("zero_shot/{score}_no_prior_{index}", "as the score", "none", "by that template, without a prior"),
    Metric("zero_shot/texts_per_s", "texts/s", "higher", "texts with all their hypotheses, by one template"),
    # Of run cascade.
    Metric("cascade/by_small", "share", "none", "reported texts that the small model answers"),
    Metric("cascade/threshold", "share", "none", "lowest confidence at which the small model answers"),
    Metric("cascade/loss", "accuracy", "lower", "accuracy lost against the large model, on the reported rows"),
    Metric("cascade/loss_low", "accuracy", "none", "lower end of its 95 % interval, paired"),
    Metric("cascade/loss_high", "accuracy", "none", "upper end of its 95 % interval, paired"),
    Metric("cascade/loss_bound", "accuracy", "lower", "upper bound on the accuracy lost, from the calibration rows"),
    Metric("cascade/calibration_rows", "rows", "none", "rows that chose the threshold"),
    Metric("cascade/small_score", "as the score", "none", "primary score of the small model alone"),
    Metric("cascade/large_score", "as the score", "none", "primary score of the large model alone"),
    Metric("cascade/small_us_mean", "us", "lower", "mean time of the small model, timed alternately on the same texts"),
    Metric("cascade/large_us_mean", "us", "lower", "mean time of the large model, timed alternately on the same texts"),
    Metric("cascade/answer_us", "us", "lower", "medians of the texts of either model, weighted by how many there are"),
    Metric("cascade/formula_us_mean", "us", "none", "time of the small model, and of the large one where it answers"),
    # While training.
    Metric("train/lr", "1", "none", "learning rate of the step"),
    Metric("train/grad_norm", "1", "none", "norm of all gradients before clipping"),
    Metric("train/examples_per_s", "examples/s", "higher", "training throughput, evaluation excluded"),
    Metric("train/tokens_per_s", "tokens/s", "higher", "training throughput in tokens, without padding"),
    Metric("train/epoch", "epochs", "none", "epochs finished, with the fraction of the current one"),
    Metric("train/steps", "steps", "none", "optimiser steps taken, or left out"),
    Metric("train/left_out", "batches", "lower", "batches whose loss or gradient was not finite (on_nonfinite=skip)"),
    Metric("train/area", "as the score", "higher", "mean primary score of the selection split over the run"),
    Metric("train/diverged", "0 or 1", "lower", "1: it learned nothing, as its task judges (runner/tasks/)"),
    Metric("grad_norm/block_{index}", "1", "none", "norm of a block's gradients before clipping, from block 1"),
    Metric("hash/unique_rows", "tokens", "higher", "tokens whose hashed vector no other token has"),
    Metric("hash/scale", "1", "none", "trained factor on the hashed vectors"),
    # The scalar mix of all layers; 0 is the embeddings' output.
    Metric("mix/weight_{index}", "share", "none", "share of that layer"),
    Metric("mix/norm_{index}", "1", "none", "share of that layer times the mean norm of its vectors"),
    Metric("mix/gamma", "1", "none", "factor on the mixed vector"),
    Metric("mix/center", "layers", "none", "centre of gravity of the shares"),
    Metric("mix/entropy", "nat", "none", "entropy of the shares; ln(layers mixed) when all are equal"),
    Metric("train/best_epoch", "epochs", "none", "epoch whose weights were kept"),
    Metric("train/settings", "settings", "none", "settings that the run itself compared on the selection split"),
    *COMPRESSION_METRICS,
    # What the model costs.
    Metric("cost/params", "parameters", "lower", "all parameters, shared ones counted once"),
    Metric("cost/params_trained", "parameters", "none", "parameters that this run trained; the others were frozen"),
    Metric("cost/params_deployed", "parameters", "lower", "numbers an answer needs: all parameters, and statistics"),
    Metric("cost/params_nonzero", "parameters", "lower", "parameters that are not exactly zero"),
    Metric("cost/params_embeddings", "parameters", "lower", "parameters in word, position, segment tables"),
    Metric("cost/bytes_deployed", "B", "lower", "all files that answering a string needs: weights, vocabulary, config"),
    Metric("cost/bytes_packed", "B", "lower", "stored numbers at their own width, no container"),
    Metric("cost/bytes_bitmask", "B", "lower", "bytes packed, sparse matrices as values and a bit mask where smaller"),
    Metric("cost/bytes_csr", "B", "lower", "bytes packed, sparse matrices as CSR (int32) where smaller"),
    Metric("cost/bytes_file", "B", "lower", "size of the saved weights file"),
    Metric(
        "cost/bytes_unpacked", "B", "lower", "memory of rounded weights decoded to float32 for products; not in a file"
    ),
    Metric("cost/bytes_{graph}", "B", "lower", "size of the exported file"),
    Metric("cost/bytes_cache", "B", "lower", "kept states of a frozen encoder, while training"),
    Metric("cost/bytes_regenerable_{mode}", "B", "lower", "memory of a hash embedding that no file holds, by mode"),
    Metric("cost/bytes_ram", "B", "lower", "bytes packed and those regenerated at start, in the mode in use"),
    Metric("cost/bytes_peak_memory", "B", "lower", "peak resident memory of the process so far"),
    Metric("cost/bytes_peak_gpu", "B", "lower", "peak memory of torch on the GPU so far"),
    Metric("cost/macs", "MAC", "lower", "multiply-adds of one example of the data's mean length"),
    Metric("cost/macs_s{tokens}", "MAC", "lower", "multiply-adds of one example of that many tokens"),
    # How fast it answers: from strings to labels, one at a time, and the forward pass alone in several shapes.
    Metric("speed/answer_us_p50", "us", "lower", "median time from a string to its label; one thread, warm"),
    Metric("speed/answer_us_p90", "us", "lower", "90th percentile of the time from a string to its label"),
    Metric("speed/answer_us_p95", "us", "lower", "95th percentile of the time from a string to its label"),
    Metric("speed/answer_us_mean", "us", "lower", "mean time from a string to its label; one thread, warm"),
    Metric("speed/answer_texts", "texts", "none", "different reported texts behind the times of an answer"),
    Metric("speed/answers_per_s", "texts/s", "higher", "texts answered per second, 32 in a call; median of the calls"),
    Metric("speed/query_ms_p50", "ms", "lower", "median time to score the 100 candidates of a query, from strings"),
    Metric("speed/features_us_p50", "us", "lower", "median time from a sound file to its frames, part of an answer's"),
    Metric("speed/load_ms", "ms", "lower", "opening the saved model and its tokenizer; imports excluded"),
    Metric("speed/latency_ms_p50_b{batch}_{length}", "ms", "lower", "median wall time of one call"),
    Metric("speed/latency_ms_p90_b{batch}_{length}", "ms", "lower", "90th percentile of the wall time of one call"),
    Metric("speed/latency_ms_p99_b{batch}_{length}", "ms", "lower", "99th percentile of the wall time of one call"),
    Metric(
        "speed/{mode}_ms_p50_b{batch}_{length}", "ms", "lower", "median time of one call, hash embeddings in that mode"
    ),
    Metric("speed/{graph}_ms_p50_b{batch}_{length}", "ms", "lower", "median time of one call of the exported graph"),
    Metric("speed/cpu_ms_b{batch}_{length}", "ms", "lower", "median CPU time of one call, all threads"),
    Metric("speed/examples_per_s_b{batch}_{length}", "examples/s", "higher", "rows answered per second"),
    Metric("speed/noise_b{batch}_{length}", "ratio", "lower", "p90/p50 of the same input; above 1.5 is noisy"),
    Metric("speed/samples_b{batch}_{length}", "calls", "none", "timed calls behind the cell"),
    Metric("speed/baseline_ms_p50_b{batch}_{length}", "ms", "none", "the reference model's median time"),
    Metric("speed/speedup_b{batch}_{length}", "ratio", "higher", "reference time over own time, same rounds"),
    Metric("speed/threads", "threads", "none", "torch threads while timing"),
    Metric("speed/load_before", "processes", "none", "1-minute load average before timing"),
    Metric("speed/load_after", "processes", "none", "1-minute load average after timing"),
    # How long the run took.
    Metric("time/data_s", "s", "lower", "loading and tokenising"),
    Metric("time/build_s", "s", "lower", "building the model and reading its weights"),
    Metric("time/recipe_s", "s", "lower", "trainings that chose the settings of this run (train.recipe=auto)"),
    Metric("time/tune_s", "s", "lower", "tuning the encoder before it was frozen, in a separate run"),
    Metric("time/cache_s", "s", "lower", "computing or checking the kept states of the frozen encoder"),
    Metric("time/teacher_s", "s", "lower", "computing teacher logits that were not cached"),
    Metric("time/train_s", "s", "lower", "training, evaluation between epochs included"),
    Metric("time/stage_s", "s", "lower", "the stage itself, trainings included"),
    Metric("time/evaluate_s", "s", "lower", "final evaluation"),
    Metric("time/measure_s", "s", "lower", "counting and timing"),
    Metric("time/steps_to_target", "steps", "lower", "optimiser steps to the baseline's best score; from run compare"),
    Metric("time/steps_to_target_99", "steps", "lower", "the same, to 99 % of that score"),
    Metric("time/total_s", "s", "lower", "the whole run"),
)


@cache
def check(name: str) -> Metric:
    """Return the entry of a metric name; KeyError, with the nearest known name, if there is none."""
    for metric in METRICS:
        if metric.pattern.fullmatch(name):
            return metric
    known = [example for metric in METRICS for example in metric.examples()]
    begun = [example for example in known if example.startswith(name)]  # test/acc is nearer to test/mcc by its letters
    near = begun or difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise KeyError(f"unknown metric '{name}'; the nearest known name is '{near[0]}' (runner/record/metrics.py)")


def is_split(name: str) -> bool:
    """Return whether metrics of this prefix are of a split."""
    return bool(re.fullmatch(PLACES["split"][0], name))


def direction(name: str) -> str:
    """Return "higher" or "lower", whichever is better, or "none" for a fact; KeyError as `check`."""
    return check(name).direction
