"""Which submissions of a class share more code than the handout explains: read, never run."""
