"""A Noise2Noise denoiser on a small framework: the textbook way, one unfold or fold a layer."""
