"""Writes a trained network as a model.bin: the only module that knows which networks can be packed, and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.backbones.bag_of_words import BagOfWords
from models.backbones.base import Backbone
from models.backbones.ngram import BagOfNgrams
from models.heads.text import SequenceClassifier
from models.network import Network
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.fold import pack_bag_of_words
from models.packed.format import NAME
from models.packed.ngram import pack_bag_of_ngrams
from models.packed.pair import pack_pair
from models.packed.sound import is_of_frames, pack_sound
from models.readouts.pair import Pair

PACKERS: dict[type[Backbone], Callable[[Network, Facts], bytes]] = {
    BagOfWords: pack_bag_of_words,
    BagOfNgrams: pack_bag_of_ngrams,
}


def write_packed(network: Network, folder: Path, facts: Facts) -> str:
    """Write the model.bin of a network into a folder; return "", or the reason if it cannot be packed."""
    try:
        content = pack_network(network, facts)
    except NotPacked as reason:
        return str(reason)
    (folder / NAME).write_bytes(content)
    return ""


def pack_network(network: Network, facts: Facts) -> bytes:
    """The content of a model.bin that predicts as the network does; NotPacked, with the reason, if there is none."""
    if type(network) is not SequenceClassifier:
        raise NotPacked("it does not give one answer for a text")
    if is_of_frames(network):
        return pack_sound(network, facts)
    if type(network.bert) not in PACKERS:
        raise NotPacked(f"its encoder, {type(network.bert).__name__}, computes on every token")
    if isinstance(network.bert.pooler, Pair):
        return pack_pair(network, facts)
    return PACKERS[type(network.bert)](network, facts)
