"""A built-in collection of questions and shops: the relevant documents name the goods that the query asks for.

The first-stage ranking is uninformative: its scores are random.
"""

from __future__ import annotations

import numpy as np

from data.sources.collection import Collection
from data.sources.trec import Line

GOODS = (
    "bread", "meat", "roses", "novels", "pills", "rings", "hammers", "trout", "suits", "boots", "apples", "paper",
)  # fmt: skip
QUERIES = ("where is {} sold", "who has {}", "i need {} tonight", "looking for {}")
DOCUMENTS = ("{0} at {1} on {2} street", "{2} street , {0} before {1}", "open at {1} : {0} , {2} street")
STREETS = ("mill", "river", "castle", "garden", "station", "church", "harbour", "north")
HOURS = ("seven", "eight", "nine", "ten", "noon")
CANDIDATES = 8  # per query, of which one or two are relevant


def demo_collection(queries: int, seed: int, name: str) -> tuple[Collection, list[Line], list[Line]]:
    """Return the texts, the judgements and the candidates of this many queries; name: the prefix of their ids."""
    random = np.random.default_rng(seed)
    found, judgements, candidates = Collection({}, {}), list[Line](), list[Line]()
    for number in range(queries):
        wanted, query = int(random.integers(len(GOODS))), f"{name}{number}"
        found.queries[query] = str(random.choice(QUERIES)).format(GOODS[wanted])
        others = [other for other in range(len(GOODS)) if other != wanted]
        right = int(random.integers(1, 3))
        drawn = [wanted] * right + random.choice(others, CANDIDATES - right, replace=False).tolist()
        for place, goods in enumerate(random.permutation(drawn).tolist()):
            document, line = f"{query}-{place}", len(candidates) + 1
            form, hour, street = (str(random.choice(choices)) for choices in (DOCUMENTS, HOURS, STREETS))
            found.documents[document] = form.format(GOODS[goods], hour, street)
            candidates.append(Line(line, query, document, float(random.normal())))
            judgements.append(Line(line, query, document, float(goods == wanted)))
    return found, judgements, candidates
