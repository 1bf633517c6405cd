"""A readout that a checkpoint chose names the run as if the command had named it."""

from __future__ import annotations

from runner.experiment.prepare import readout_contents
from runner.record.identity import identify
from runner.schema import Settings
from tests.models.helpers import small


def test_a_chosen_readout_is_that_of_the_network_in_the_identity() -> None:
    open_, named = Settings(), Settings()
    open_.model.readout, named.model.readout = {"name": "auto"}, {"name": "mean"}
    for readout, is_same in (("mean", True), ("cls", False)):
        model = small(readout={"name": readout})
        names = [identify(one, "d", "t", "w", readout_contents(one, model)) for one in (open_, named)]
        assert (names[0] == names[1]) == is_same
