"""The metrics of compression methods, a part of the list in runner/record/metrics.py."""

from __future__ import annotations

from runner.record.metric import Metric

COMPRESSION_METRICS: tuple[Metric, ...] = (
    # Pruning of single weights.
    Metric("prune/target_density", "share", "none", "weights that the schedule keeps"),
    Metric("prune/threshold", "1", "none", "a weight is pruned if the sigmoid of its score is below it"),
    Metric("prune/lambda", "1", "none", "weight of the penalty, as the schedule has it"),
    Metric("prune/penalty", "1", "lower", "mean penalty since the last evaluation, before its weight"),
    Metric("prune/loss_task", "nat or squared label", "lower", "mean loss on the labels since the last evaluation"),
    Metric("prune/mask_flip_rate", "share", "none", "entries of the masks that changed since the last evaluation"),
    Metric("prune/removed_per_step", "share", "none", "weights that the schedule removes in its fastest step"),
    Metric("prune/density_prunable", "share", "lower", "weights left of the matrices that are pruned"),
    Metric("prune/density_encoder", "share", "lower", "parameters left of the encoder, biases and norms included"),
    Metric("prune/density_model", "share", "lower", "parameters left of the whole model"),
    Metric("prune/density_{layer}_{matrix}", "share", "none", "weights left of one matrix"),
    Metric("prune/fold_error", "1", "lower", "largest change of a logit when the masks were folded into the weights"),
    # Distillation.
    Metric(
        "distil/loss_{lesson}", "as the loss", "lower", "mean of that loss, before its weight, since the last point"
    ),
    Metric("distil/teacher_score", "as the score", "none", "primary score of the teacher on the selection split"),
    Metric("distil/retained", "share", "higher", "the student's score on the selection split over the teacher's"),
    Metric("distil/teacher_rows", "rows", "none", "rows the teacher answered in this run; 0: all answers were kept"),
    Metric("distil/rows_added", "rows", "none", "unlabelled and augmented texts added to training rows"),
    # Dendrites, at the begin and the end of a phase and after the candidates' training.
    Metric("dendrites/phase", "phases", "none", "phases begun"),
    Metric("dendrites/count", "dendrites", "none", "dendrites of each neuron"),
    Metric("dendrites/params_extra", "parameters", "lower", "parameters of all dendrites"),
    Metric("dendrites/best", "as the score", "higher", "score on the selection split of the model that was kept"),
    Metric("dendrites/gain", "as the score", "higher", "the phase's best score minus that of the model before"),
    Metric("dendrites/pays", "0 or 1", "higher", "1: the phase was kept; 0: the model before was put back"),
    Metric("dendrites/p_epochs", "epochs", "none", "passes of the candidates' training"),
    Metric("dendrites/p_score", "1", "higher", "mean over neurons of what candidates maximise"),
    Metric("dendrites/correlation_untrained", "0..1", "none", "with the error, mean of all candidates as drawn"),
    Metric("dendrites/correlation_mean", "0..1", "higher", "of the chosen candidates with their neuron's error"),
    Metric("dendrites/correlation_min", "0..1", "higher", "correlation with the error, of the worst neuron"),
    Metric("dendrites/correlation_max", "0..1", "higher", "correlation with the error, of the best neuron"),
    Metric("dendrites/correlation_{index}", "0..1", "higher", "correlation with the error, of that neuron"),
    # What a structured pruning left, and what it cost each layer (the last cut's, where there were several).
    Metric("structure/heads", "heads", "none", "attention heads left in the encoder"),
    Metric("structure/neurons", "neurons", "none", "feed-forward neurons left in the encoder"),
    Metric("structure/speedup_target", "ratio", "none", "speed-up over the dense model that was asked for"),
    Metric("structure/speedup_predicted", "ratio", "none", "the latency table's, for the chosen widths"),
    Metric("structure/speedup", "ratio", "higher", "measured: dense time over own time, same rounds"),
    Metric("structure/layer_error_mean", "share", "lower", "change of a pruned sublayer's output, over its variance"),
    Metric("structure/layer_error_max", "share", "lower", "that change in the sublayer that lost most"),
    Metric("structure/layer_error_deleted_mean", "share", "none", "the same columns deleted, without a correction"),
    # Early exits; shares and the mean are of the rows of the first reported split.
    Metric("exits/mean_layers", "layers", "lower", "mean number of layers that ran for a row"),
    Metric("exits/share_{layer}", "share", "none", "rows that exit after that layer; for the last: all other rows"),
    Metric("exits/threshold", "as the rule", "none", "at which rows exit: confidence, entropy, wrongness, agreements"),
    Metric("exits/rows", "rows", "none", "selection rows on which the threshold was calibrated"),
    Metric("exits/lost", "share", "lower", "of these, made wrong minus made right by exits; numbers: see the page"),
    Metric("exits/lost_low", "share", "none", "lower end of its interval"),
    Metric("exits/lost_high", "share", "none", "upper end of its interval"),
    Metric("exits/loss", "as the loss", "lower", "mean loss of the exits since the last point, while they are trained"),
    # Lengths: how many tokens leave each layer. Scores are of the rows that the lengths were searched on.
    Metric("length/tried", "configurations", "none", "lengths that the search scored"),
    Metric("length/choices", "configurations", "none", "lengths found, each the best at its cost; full length is one"),
    Metric("length/share", "share", "lower", "multiply-adds of the model's lengths over those at full length"),
    Metric("length/share_shortest", "share", "lower", "that share of the shortest lengths found"),
    Metric("length/share_within_point", "share", "lower", "that share of the shortest at most 0.01 below full length"),
    Metric("length/score", "as the score", "none", "primary score of the model's lengths"),
    Metric("length/score_full", "as the score", "none", "primary score at full length"),
    Metric("length/ms", "ms", "lower", "median time of a text of mean length, at the model's lengths"),
    Metric("length/ms_full", "ms", "none", "the same at full length, in the same rounds"),
    Metric("length/speedup", "ratio", "higher", "that time at full length over the time at the model's lengths"),
    Metric("length/tokens_{layer}", "tokens", "none", "mean number that leaves that layer"),
    # What a quantization did to the model that it got.
    Metric("quantize/layers", "layers", "none", "linear layers and tables whose weights were rounded"),
    Metric("quantize/params_share", "share", "none", "share of the parameters that were rounded"),
    Metric("quantize/bits_per_weight", "bit", "lower", "stored bits a rounded weight: codes, steps, zeros, clusters"),
    Metric("quantize/weight_mse", "1", "lower", "mean squared error of the rounded weights"),
    Metric("quantize/snr_db", "dB", "higher", "power of the weights over that of their error"),
    Metric("quantize/logit_difference", "1", "lower", "largest change of a logit on 64 training rows"),
    Metric("quantize/split_difference", "1", "lower", "the same by splitting alone, before rounding"),
    Metric("quantize/codes_changed", "share", "none", "codes that changed in the last 100 steps of training for them"),
    Metric("quantize/kernel", "0 or 1", "none", "1: products of integers; 0: of weights decoded to float32"),
)
