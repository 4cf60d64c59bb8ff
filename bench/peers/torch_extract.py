"""All layers of torchvision's SqueezeNet 1.1 by PyTorch forward hooks, preprocessed by Pillow.

The network is written out here because Debian has PyTorch without torchvision. ReLUs are not in
place, or the hooks would see what the next layer made of a layer's output.

    torch_extract.py extract ROUNDS OUT.npy WEIGHTS.safetensors IMAGES BATCH     keeps them in memory
    torch_extract.py save WEIGHTS.safetensors IMAGES BATCH FOLDER                writes a file a layer
"""

import json
import os
import pathlib
import sys

import clock
import numpy as np
import PIL
import torch
from PIL import Image
from torch import nn

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


class Fire(nn.Module):
    def __init__(self, n_in, n_squeeze, n_expand):
        super().__init__()
        self.squeeze = nn.Conv2d(n_in, n_squeeze, 1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(n_squeeze, n_expand, 1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(n_squeeze, n_expand, 3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        narrow = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat([narrow, wide], 1)


class SqueezeNet(nn.Module):
    def __init__(self):
        super().__init__()

        def pool():
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(),
            pool(),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            pool(),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            pool(),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x):
        return self.classifier(self.features(x)).flatten(1)


def load_weights(path):
    """A safetensors file is the length of its header, a JSON header, and the numbers."""
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    state = {}
    for name, entry in header.items():
        first, last = (start + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[first:last], np.float32).reshape(entry["shape"])
        state[name] = torch.from_numpy(values.copy())
    return state


def preprocess(path):
    """Short side to 256, the middle 224 × 224, normalised: torchvision's ImageNet preset."""
    image = Image.open(path).convert("RGB")
    short = min(image.size)
    size = tuple(256 * side // short for side in image.size)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (round((side - 224) / 2) for side in size)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32)
    return ((pixels / 255 - MEAN) / STD).transpose(2, 0, 1)


def extractor(weights, images, batch):
    """A function that fills {layer: (n_images, n_features)}; other names of a layer are left out."""
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    network = SqueezeNet().eval()
    network.load_state_dict(load_weights(weights))
    paths = sorted(pathlib.Path(images).glob("*.png"))
    kept, first = {}, [0]

    def hook(name):
        def keep(_module, _inputs, output):
            rows = output.flatten(1)
            if name not in kept:
                kept[name] = torch.zeros(len(paths), rows.shape[1])
            kept[name][first[0] : first[0] + len(rows)] = rows

        return keep

    for name, module in network.named_modules():
        if name and not isinstance(module, (nn.Sequential, nn.Dropout)):
            module.register_forward_hook(hook(name))

    def run():
        with torch.inference_mode():
            for first[0] in range(0, len(paths), batch):
                block = [preprocess(path) for path in paths[first[0] : first[0] + batch]]
                network(torch.from_numpy(np.stack(block)))
        return kept

    return run


def in_memory(weights, images, batch):
    run = extractor(weights, images, int(batch))

    def work():
        # As in `bench/src/tasks.rs`: the means of the first picture, layers in the same order.
        return [layer[0].double().mean().item() for layer in run().values()]

    return work


def save(weights, images, batch, folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    for name, layer in extractor(weights, images, int(batch))().items():
        np.save(folder / f"{name}.npy", layer.numpy())


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save(*sys.argv[2:])
    else:
        versions = {"torch": torch.__version__, "pillow": PIL.__version__}
        clock.main({"extract": in_memory}, versions)
