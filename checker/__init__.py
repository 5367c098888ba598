"""Grades from-scratch denoising frameworks: what to check, how to run untrusted code, how to say it."""
