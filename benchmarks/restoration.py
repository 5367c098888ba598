"""What a network makes of noisy photographs: PSNR and SSIM of every picture in a folder and their means, of the noisy
picture and of the denoised one.

python -m benchmarks.restoration FOLDER --noise gaussian:25 --weights FILE [--network NAME] [--name NAME]

As the field measures (T. Huang et al., Neighbor2Neighbor, arXiv 2101.02824): RGB values 0–255, the noisy picture as
the noise makes it, not clipped; the denoised one clipped to 0–255 but not rounded; the mean is that of the pictures'
own figures. A picture's place in the folder's order seeds its noise, so that all networks see the same. SSIM is
scikit-image's with the settings of its authors (Z. Wang et al., IEEE TIP 13 (4), 2004), the mean over the colours.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

import numpy
import torch
from skimage.metrics import structural_similarity
from torch import Generator
from tqdm import tqdm

from data.load import DataError
from data.noise import noise
from data.psnr import psnr
from data.windows import find_photos, read_photo
from Proj_2.others.networks import NETWORKS
from Proj_2.others.precision import has_fast_bfloat16
from Proj_2.others.prediction import predict
from training.options import UsageError
from training.record import read_state

from .timing import write

WINDOW = 11  # pixels a side, of the SSIM
MEASURES = ("noisy_psnr", "noisy_ssim", "psnr", "ssim")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="clean photographs, the name of the data set")
    parser.add_argument("--noise", required=True, metavar="NAME[:VALUES]", help="what is laid over them")
    parser.add_argument("--weights", required=True, type=Path, metavar="FILE", help="a plain state dict")
    parser.add_argument("--network", choices=NETWORKS, default="unet", help="whose weights they are (%(default)s)")
    parser.add_argument("--name", help="of the file in benchmarks/results (FOLDER_NOISE_WEIGHTS)")
    arguments = parser.parse_args(argv)
    try:
        kept, paths = noise(arguments.noise), find_photos([arguments.folder])
        network = NETWORKS[arguments.network]().to("cuda" if torch.cuda.is_available() else "cpu")
        read_state(arguments.weights, network)
        with torch.no_grad():
            pictures = measure(network, kept, paths)
    except (DataError, UsageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    mean = {name: fmean(picture[name] for picture in pictures) for name in MEASURES}
    _table([*pictures, {"picture": f"mean of {len(pictures)}", **mean}])
    folder, weights = arguments.folder.resolve().name, arguments.weights
    write(
        arguments.name or f"restoration_{folder}_{arguments.noise.replace(':', '')}_{weights.stem}",
        {
            "folder": folder,
            "noise": arguments.noise,
            "network": arguments.network,
            "weights": f"{weights.parent.name}/{weights.name}",
            "mean": mean,
            "pictures": pictures,
        },
    )
    return 0


def measure(network, kept, paths):
    """The figures of every photograph in `paths` with the noise `kept` on it, a dictionary each."""
    device = network.param()[0][0].device
    mixed = has_fast_bfloat16() and device.type == "cpu"
    pictures = []
    for number, path in enumerate(tqdm(paths, unit="picture", leave=False)):
        photo = torch.from_numpy(numpy.array(read_photo(path))).permute(2, 0, 1)[None]
        height, width = (length // kept.block * kept.block for length in photo.shape[2:])
        photo = photo[:, :, :height, :width]
        clean, noisy = kept.clean(photo), kept.corrupt(photo, Generator().manual_seed(number))
        if min(clean.shape[2:]) < WINDOW:
            raise DataError(f"{path} makes a clean picture of less than {WINDOW} pixels a side, too few for the SSIM")
        denoised = predict(network, noisy.to(device), mixed).clamp_(0, 255).cpu()
        figures = (measure(picture, clean) for picture in (noisy, denoised) for measure in (_psnr, _ssim))
        pictures.append({"picture": path.name, **dict(zip(MEASURES, figures, strict=True))})
    return pictures


def _psnr(picture, clean):
    return psnr(picture, clean).item()


def _ssim(picture, clean):
    a, b = (x[0].double().numpy() for x in (picture, clean))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(a, b, channel_axis=0, data_range=255, **settings))


def _table(rows):
    width = max(len(row["picture"]) for row in rows)
    print(f"{'':{width}}{'noisy, dB':>11}{'SSIM':>8}{'denoised, dB':>14}{'SSIM':>8}")
    for row in rows:
        noisy, noisy_ssim, denoised, ssim = (row[name] for name in MEASURES)
        print(f"{row['picture']:{width}}{noisy:11.2f}{noisy_ssim:8.4f}{denoised:14.2f}{ssim:8.4f}")


if __name__ == "__main__":
    sys.exit(main())
