"""What `train.py` is made of: the options of a run and its configuration, and the files that a run leaves."""
