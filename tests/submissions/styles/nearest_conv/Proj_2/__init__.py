# Mini-project 2: denoising without torch.nn
