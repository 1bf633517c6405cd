"""Arrays that are computed once and memory-mapped: tokens, frozen states, teacher logits, replaced words."""
