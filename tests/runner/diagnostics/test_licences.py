"""Licences of dependencies: all that are installed are permissive, and others are told apart."""

from __future__ import annotations

import pytest

from runner.commands.doctor import main
from runner.diagnostics.licences import Licence, installed_licences

CUDA = ("nvidia-", "cuda-")  # what torch's CUDA build brings along


def test_nothing_that_is_needed_has_a_strict_licence() -> None:
    found = installed_licences()
    assert {"torch", "transformers", "mlflow", "hydra-core", "numpy", "pytest"} <= {entry.package for entry in found}
    strict = [entry for entry in found if not entry.is_accepted]
    assert not [entry for entry in strict if not entry.package.startswith(CUDA)]


@pytest.mark.parametrize(
    ("text", "is_accepted"),
    [
        ("MIT", True),
        ("Apache Software License", True),
        ("3-Clause BSD License", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("MPL-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("Apache-2.0 with Commons Clause", False),
        ("NVIDIA Proprietary Software", False),
        ("Submitted to nobody", False),
        ("", False),
    ],
)
def test_strict_and_unknown_licences_are_told_from_permissive_ones(text: str, is_accepted: bool) -> None:
    assert Licence("package", "1.0", text).is_accepted == is_accepted


def test_the_command_lists_every_package_and_fails_for_a_strict_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [Licence("soundfile", "1.0", "MIT"), Licence("theirs", "2.0", "")]
    monkeypatch.setattr("runner.commands.doctor.installed_licences", lambda: found[:1])
    assert main(["--licences"]) == 0
    assert "  soundfile 1.0: MIT (libsndfile in its wheel: LGPL-2.1" in capsys.readouterr().out
    monkeypatch.setattr("runner.commands.doctor.installed_licences", lambda: found)
    assert main(["--licences"]) == 1 and "! theirs 2.0: not stated" in capsys.readouterr().out
