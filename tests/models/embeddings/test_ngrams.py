"""The arithmetic of EELBERT's hash: the published numbers, exact on any machine."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch

from models.embeddings.ngrams import BASE, PRIME, SALT, encode_letters, hash_multipliers, ngram_vectors, random_vectors
from tests.conftest import REPO
from tests.models.embeddings.test_hash import WORDS

GOLDEN = {
    "play": (0.056406, 0.002012, 0.168614, -0.159583),
    "##ing": (-0.099754, -0.088574, 0.181963, 0.250278),
    "a": (-0.132984, -0.135879, 0.221119, 0.128041),
    "[MASK]": (0.019542, 0.101469, 0.055863, -0.000164),
    "é": (-0.013206, 0.250422, 0.264362, -0.467024),
}

ALONE = """import sys, torch
from models.embeddings.ngrams import encode_letters, hash_multipliers, ngram_vectors
"""


def rows(words: list[str], width: int = 4, marker: str = "keep", longest: int = 3) -> torch.Tensor:
    return ngram_vectors(
        torch.from_numpy(encode_letters(words, marker)).long(), hash_multipliers(width, 1729), 1_000_003, longest
    )


def test_similar_words_have_similar_vectors() -> None:
    made = rows(["play", "played", "playing", "##ing", "zebra"], 128)
    pairs = [torch.cosine_similarity(made[i], made[j], 0).item() for i, j in ((0, 1), (0, 2), (2, 3), (0, 4))]
    assert pairs == pytest.approx([0.79, 0.73, 0.50, 0.07], abs=0.006)


def test_the_published_numbers_come_out() -> None:
    assert hash_multipliers(4, 1729).tolist() == [207207495, 1638230984, 2063181307, 1133103461]
    expected = torch.tensor(list(GOLDEN.values()))
    torch.testing.assert_close(rows(list(GOLDEN)), expected, atol=5.1e-7, rtol=0)


def test_whole_numbers_of_python_give_the_same_bits() -> None:
    def slow(token: str, multiplier: int) -> float:
        text, means = [byte + 1 for byte in token.encode()], []
        for size in range(1, 4):
            found = []
            for start in range(len(text) - size + 1):
                signature = 0
                for letter in text[start : start + size]:
                    signature = (signature * BASE + letter) % PRIME
                signature = (signature * SALT + size) % PRIME
                found.append(signature * multiplier % PRIME % 2_000_007 - 1_000_003)
            if found:
                means.append(sum(found) / (len(found) * 1_000_003))
        return sum(means) / len(means)

    some = ["play", "##ing", "a", "é", "日本語", "antidisestablishmentarianism"]
    expected = np.array([[slow(token, h) for h in hash_multipliers(6, 1729).tolist()] for token in some])
    np.testing.assert_allclose(rows(some, 6).numpy(), expected.astype(np.float32), atol=1e-8)


def test_a_subset_has_the_rows_of_the_whole_bit_for_bit_on_any_number_of_threads() -> None:
    whole, threads = rows(WORDS, 32), torch.get_num_threads()
    assert torch.equal(rows(WORDS[5:9], 32), whole[5:9])
    try:
        torch.set_num_threads(4)
        assert torch.equal(rows(WORDS, 32), whole)
    finally:
        torch.set_num_threads(threads)


def test_another_process_computes_the_same_rows() -> None:
    code = f"{ALONE}{inspect.getsource(rows)}print(rows(sys.argv[1:], 8).double().numpy().tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", code, *WORDS], capture_output=True, text=True, check=True, cwd=REPO)
    assert done.stdout.strip() == rows(WORDS, 8).double().numpy().tobytes().hex()


def test_markers_keep_strip_and_flag_word_pieces() -> None:
    kept, stripped, flagged = (rows(["ing", "##ing"], 64, marker) for marker in ("keep", "strip", "flag"))
    assert torch.equal(stripped[0], stripped[1])
    for made in (kept, flagged):
        assert 0.2 < torch.cosine_similarity(made[0], made[1], 0) < 0.99
    assert not torch.equal(kept[1], flagged[1])


def test_the_control_gives_each_token_a_vector_of_its_own_with_the_spread_of_the_others() -> None:
    words = [f"{word}{number}" for word in ("play", "zebra", "é") for number in range(200)]
    letters, multipliers = torch.from_numpy(encode_letters([*words, ""], "keep")).long(), hash_multipliers(64, 1729)
    made = random_vectors(letters, multipliers, 1_000_003)
    assert not made[-1].any() and float(made[:-1].std()) == pytest.approx(0.16, abs=0.005)
    assert float(torch.corrcoef(made[:2])[0, 1]) == pytest.approx(0.0, abs=0.3), "play0 and play1 are unrelated"
    signature = 0
    for byte in words[7].encode():
        signature = (signature * 1_000_003 + byte + 1) % PRIME
    hashed = signature * SALT % PRIME * int(multipliers[5]) % PRIME % 2_000_007 - 1_000_003
    assert float(made[7, 5]) == pytest.approx(0.28 * hashed / 1_000_003)
    assert len({row.tobytes() for row in made.numpy()}) == len(words) + 1
