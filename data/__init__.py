"""Real photographs in, Noise2Noise pairs out: `train_data.pkl` and `val_data.pkl` in the course's format.

`load` reads and checks a pair file, `noise` are the corruptions, `windows` reads photographs and cuts them to
256×256, and `build` (also `python -m data build`) makes the two files of them, `fresh` pairs without end for
training. `scenes` are photographs at full size, or noisy pictures of one view, and `crops` pairs of them. `pictures`
reads and writes any picture, `psnr` rates it, and `parallel` spreads work over processes.
"""
