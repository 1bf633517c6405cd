"""Our config.json as a transformers class, with the fields of models/architecture.py."""

from __future__ import annotations

from transformers import AutoConfig, PreTrainedConfig

from models import MODEL_TYPE


class BertierConfig(PreTrainedConfig):
    """The config.json of a model that no stock class computes."""

    model_type = MODEL_TYPE


AutoConfig.register(MODEL_TYPE, BertierConfig, exist_ok=True)
