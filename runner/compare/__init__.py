"""Many recorded runs as one answer: groups over seeds, tests on the same examples, fronts, claims and a report.

select.py       which runs: a sweep, ids, filters          groups.py    runs that differ in the seed alone
analyse.py      a row a group, tests, fronts, notes        pairs.py     two groups on the same examples
stats.py        intervals, McNemar, Holm                   pareto.py    what no other group beats
claims.py       published against measured                 lint.py      costs that look suspicious
table.py        terminal and Markdown                      export.py    CSV and Parquet
html.py         report.html, .css and .js as one page      plots.py     PNG
report.py       all files of a report                      origins.py   where a setting came from
"""
