"""Which teacher layer each student layer learns from; layers count from 1, and 0 is the embeddings."""

from __future__ import annotations

from models.errors import ModelError


def layer_map(name: str, student: int, teacher: int) -> dict[int, int]:
    """Map student layers (M) to teacher layers (N); ModelError if the student has more layers than the teacher.

    uniform: m to ceil(m N / M); TinyBERT (arXiv 1909.10351) defines it only where N is a multiple of M. top, bottom:
    the teacher's last or first M layers. last: only M to N, as in MiniLM.
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
