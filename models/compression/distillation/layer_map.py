"""Which layer of the teacher each layer of the student learns from; layers count from 1, the embeddings are 0."""

from __future__ import annotations

from models.errors import ModelError

MAPS = ("uniform", "top", "bottom", "last")


def layer_map(name: str, student: int, teacher: int) -> dict[int, int]:
    """Student layer to teacher layer; ModelError if the student has more layers than the teacher.

    uniform: m to ceil(m N / M), which TinyBERT (arXiv 1909.10351) defines for N a multiple of M only; top, bottom: the
    last or first M layers; last: M to N alone, as MiniLM has it.
    """
    if not 0 < student <= teacher:
        raise ModelError(
            f"a student of {student} layers cannot learn the layers of a teacher that has {teacher}. "
            "Try: a smaller student, or the outputs alone (losses soft and hard)"
        )
    own = range(1, student + 1)
    if name == "last":
        return {student: teacher}
    if name == "uniform":
        return {layer: -(-layer * teacher // student) for layer in own}
    return {layer: layer + (teacher - student if name == "top" else 0) for layer in own}
