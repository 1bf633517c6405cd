"""From word vectors to token vectors."""
