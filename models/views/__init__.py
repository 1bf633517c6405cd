"""A second view of the training rows, codes besides texts, from which the text encoder learns; it is not deployed."""
