"""A second view of the training rows, codes beside texts, from which the text encoder learns; it is not deployed."""
