"""What distillation is made of: losses, layer maps, a look inside encoders."""
