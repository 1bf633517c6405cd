"""A hub that drops connections and cuts downloads short: refused in one line or retried; half a file is never used."""

from __future__ import annotations

import os
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import TRIES, Row
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene, results

WORDS = ("data=rte", "data.max_rows=64", "data.max_eval_rows=32", "model=bert-tiny", "model.pretrained=null",
         "train.steps=5", "train.threads=1", "measure=off", "tracker=none")  # fmt: skip
MIRROR = urlsplit(os.environ.get("HF_ENDPOINT", ""))


@pytest.mark.hub
@pytest.mark.skipif(MIRROR.hostname != "127.0.0.1", reason="only a mirror on this machine is treated like that")
def test_a_hub_that_drops_connections_and_truncates_downloads(tmp_path: Path, row: Row) -> None:
    assert MIRROR.port
    straight = Scene(tmp_path / "straight", WORDS, environment={"HF_HOME": str(tmp_path / "straight" / "hub")})
    straight.finish()
    chance = random.Random(TRIES)
    with Proxy(MIRROR.port) as proxy:
        for number in range(max(1, TRIES // 20)):
            folder = tmp_path / str(number)
            scene = Scene(folder, WORDS, environment={"HF_HOME": str(folder / "hub"), "HF_ENDPOINT": proxy.address})
            proxy.cuts = [int(10 ** chance.uniform(0, 7)) for _ in range(chance.randint(1, 30))]
            code, said = scene.run()
            assert code in (0, 2) and "Traceback" not in said, said
            proxy.cuts, row.tries = [], row.tries + 1
            scene.finish()
            assert results(scene.output) == results(straight.output)
        assert proxy.dropped
