"""Noise2Noise denoising with a deep-learning framework written from scratch. Start at `model.py`."""
