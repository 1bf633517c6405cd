"""Compares recorded runs: groups over seeds, paired tests, Pareto fronts, published claims and a report.

select.py       which runs: a sweep, ids, filters          groups.py            runs that differ in the seed alone
analyse.py      rows, tests, Pareto fronts, notes          pairs.py             two groups on the same examples
rows.py         Row and Comparison                         pareto.py            what no other group beats
claims.py       published against measured                 verdict.py           the rule behind a claim's verdict
lint.py         costs that look suspicious                 steps_to_target.py   steps to the baseline's score
table.py        terminal and Markdown                      claim_table.py       claims as text
html.py         report.html: what the page says            figures.py           its figures
colours.py      a colour for each value of a setting       baselines.py         scores without learning
latex.py        a table for a paper                        plots.py             PNG, PDF, SVG
report.py       all files of a report                      export.py            CSV and Parquet
origins.py      where a setting came from
"""
