"""What dendrites are made of: the module, its candidates, the control."""
