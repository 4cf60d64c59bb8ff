"""An epoch of the released module of nuclei on cached features by PyTorch.

    torch_nuclei.py train-module ROUNDS OUT.npy FEATURES.npy RATINGS.npy WEIGHTS.npy

The module is written from its description: transformers of torch on one token for each picture, descent with momentum 0.9 and
a decay of 1e-4 along 0.7 smooth L1 of the first output and 0.3 squared error of the second, 128 pictures a step in a random
order, a rate that rises in a straight line to 1e-3 in five epochs, of which one is run.
"""

import os

import clock
import numpy as np
import torch
from torch import nn

BATCH, RATE = 128, 1e-3


def encoder(width, heads, layers):
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(width, heads, 512), layers, enable_nested_tensor=False)


class Module(nn.Module):
    def __init__(self, width):
        super().__init__()

        def basal():
            return nn.Sequential(encoder(width, 1, 1), nn.Linear(width, 256), nn.ReLU(), nn.Dropout(0.1))

        joined = width + 512
        self.LA = encoder(width, 4, 2)
        self.BA, self.BL = basal(), basal()
        self.CE = nn.Sequential(encoder(joined, 2, 2), nn.Linear(joined, joined), nn.ReLU(), nn.Dropout(0.5))
        self.LastFC = nn.Linear(joined, 2)

    def forward(self, features):
        lateral = self.LA(features)
        return self.LastFC(self.CE(torch.cat([lateral, self.BA(lateral), self.BL(lateral)], -1)))


def filled(module, flat):
    state, first = {}, 0
    for key, value in sorted(module.state_dict().items()):
        state[key] = flat[first : first + value.numel()].reshape(value.shape)
        first += value.numel()
    assert first == len(flat), f"{len(flat)} weights, expected {first}"
    module.load_state_dict(state)
    return module


def train_module(features, ratings, weights):
    features, ratings, flat = (torch.from_numpy(np.load(path)) for path in (features, ratings, weights))
    steps = -(-len(features) // BATCH)

    def work():
        torch.manual_seed(0)
        module = filled(Module(features.shape[1]), flat[0]).train()
        optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4)
        total, order = 0.0, torch.randperm(len(features))
        for step, batch in enumerate(order.split(BATCH)):
            optimizer.param_groups[0]["lr"] = RATE * (step + 1) / (5 * steps)
            # One token for each picture.
            outputs, targets = module(features[batch][None])[0], ratings[batch]
            arousal = nn.functional.smooth_l1_loss(outputs[:, 0], targets[:, 0], beta=0.5)
            loss = 0.7 * arousal + 0.3 * nn.functional.mse_loss(outputs[:, 1], targets[:, 1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        return [total / len(features)]

    return work


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    clock.main({"train-module": train_module}, {"torch": torch.__version__})
