"""The parts of distillation: losses, layer maps, internal states of encoders, teachers."""
