"""Compares recorded runs: groups over seeds, paired tests, Pareto fronts, published claims and a report.

select.py       which runs: a sweep, ids, filters          groups.py            runs that differ in the seed alone
analyse.py      rows, tests, Pareto fronts, notes          pairs.py             two groups on the same examples
rows.py         Row and Comparison                         pareto.py            what no other group beats
claims.py       published against measured                 verdict.py           the rule behind a claim's verdict
lint.py         costs that look suspicious                 steps_to_target.py   steps to the baseline's score
table.py        terminal and Markdown                      claim_table.py       claims as text
html.py         report.html, .css and .js as one page      export.py            CSV and Parquet
report.py       all files of a report                      plots.py             PNG
origins.py      where a setting came from
"""
