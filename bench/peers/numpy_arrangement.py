"""Inverse MDS in NumPy: the objective, start and stopping rules of `crates/methods/src/arrangement`, trial by trial.

No published package does this from the arrangements, so the reference is our own.
"""

import clock
import numpy as np

FLOOR, TOLERANCE, MAX_ITERATIONS = 0.2, 1e-20, 10_000
MAX_HALVINGS, LEAST_GAIN = 6, 1e-4
MDS_ITERATIONS, MDS_TOLERANCE = 500, 1e-6


class Trial:
    def __init__(self, places, n_items):
        """`places` is (n_items, 2), NaN for items that the trial lacks."""
        items = np.flatnonzero(~np.isnan(places[:, 0]))
        self.n = len(items)
        self.upper = np.triu_indices(self.n, 1)
        i, j = items[self.upper[0]], items[self.upper[1]]
        self.pairs = i * (2 * n_items - i - 1) // 2 + j - i - 1
        distances = np.hypot(*(places[i] - places[j]).T)
        self.rms = rms(distances)
        self.shape = distances / self.rms
        self.weight = np.maximum(distances, FLOOR) ** 2

    def disparity(self, rdm):
        """What was arranged less what is predicted, and the sum of squares of the former."""
        targets = rdm[self.pairs]
        size = rms(targets)
        predicted = distances_in_the_plane(targets, self.n, self.upper)
        predicted_size = rms(predicted)
        scale = size / predicted_size if predicted_size > 0 else 0.0
        return self.shape * size - predicted * scale, size * size * len(targets)


def rms(values):
    return np.sqrt(np.mean(values * values))


def distances_in_the_plane(targets, n, upper):
    """Classical scaling, then SMACOF."""
    targets = targets / targets.max()
    square = np.zeros((n, n))
    square[upper] = targets
    square += square.T
    products = -0.5 * square * square
    means = products.mean(0)
    values, vectors = np.linalg.eigh(products + means.mean() - means[:, None] - means)
    points = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0))

    def step(points):
        """Stress and distances before the step, points after it."""
        x, y = points[:, 0], points[:, 1]
        dx, dy = x[:, None] - x, y[:, None] - y
        distances = np.sqrt(dx * dx + dy * dy)
        off = distances - square
        np.fill_diagonal(distances, 1.0)
        # Points that coincide do not push each other.
        pull = square / np.where(distances > 0, distances, np.inf)
        moved = (pull.sum(1)[:, None] * points - pull @ points) / n
        return np.vdot(off, off) / 2, distances, moved

    total = targets @ targets
    stress, distances, moved = step(points)
    for _ in range(MDS_ITERATIONS):
        next_stress, distances, next_moved = step(moved)
        if stress - next_stress <= MDS_TOLERANCE * stress or next_stress <= np.finfo(float).eps * total:
            break
        stress, moved = next_stress, next_moved
    return distances[upper]


def scaled(rdm):
    return rdm / rms(rdm)


def average(trials, n_pairs):
    """Weighted mean of trials that are scaled to match each other."""
    evidence, n_seen, rdm = np.zeros(n_pairs), np.zeros(n_pairs), np.zeros(n_pairs)
    for trial in trials:
        evidence[trial.pairs] += trial.weight
        n_seen[trial.pairs] += 1
        rdm[trial.pairs] += trial.shape * trial.rms
    rdm = scaled(rdm / n_seen)
    for _ in range(MAX_ITERATIONS):
        following = np.zeros(n_pairs)
        for trial in trials:
            following[trial.pairs] += trial.weight * trial.shape * rms(rdm[trial.pairs])
        following = scaled(following / evidence)
        change = np.mean((following - rdm) ** 2)
        rdm = following
        if change <= TOLERANCE:
            break
    return rdm, n_seen


def disparity(trials, rdm, n_seen):
    mean, error, total = np.zeros(len(rdm)), 0.0, 0.0
    for trial in trials:
        off, size = trial.disparity(rdm)
        mean[trial.pairs] += off
        error += off @ off
        total += size
    return mean / n_seen, error / total


def inverse_mds(positions):
    positions = np.load(positions)
    n_items = positions.shape[1]

    def work():
        trials = [Trial(places, n_items) for places in positions]
        best, n_seen = average(trials, n_items * (n_items - 1) // 2)
        off, error = disparity(trials, best, n_seen)
        step, n_halvings = 1.0, 0
        for _ in range(MAX_ITERATIONS):
            following = scaled(np.maximum(best + step * off, 0))
            following_off, following_error = disparity(trials, following, n_seen)
            if following_error < error:
                at_rest = following_error >= error * (1 - LEAST_GAIN)
                best, off, error = following, following_off, following_error
                if at_rest:
                    break
            else:
                n_halvings += 1
                step /= 2
                if n_halvings > MAX_HALVINGS:
                    break
        return best

    return work


if __name__ == "__main__":
    clock.main({"inverse-mds": inverse_mds}, {"numpy": np.__version__})
