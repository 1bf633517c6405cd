"""Tuning with Optuna: `run -m hydra/sweeper=optuna optimizer.lr='tag(log,interval(1e-5,1e-2))'`.

    settings.py    the keys of hydra.sweeper
    objectives.py  what is made best; never a score of a reported split
    space.py       Hydra's sweep grammar as Optuna's distributions
    study.py       the study on disk: opened, continued, counted
    pruning.py     inside a run: ends it early when the other trials are ahead
    report.py      the best trial, or the Pareto set, with a line to paste

The sweeper itself is runner/sweep/optuna.py. Optuna is imported only where it is used: it is an extra.
"""
