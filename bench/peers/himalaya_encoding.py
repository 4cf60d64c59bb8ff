"""Encoding models by himalaya, each with five folds; the numbers are R² of each target over all rows."""

import warnings

import clock
import himalaya
import numpy as np
from himalaya.kernel_ridge import KernelRidgeCV, MultipleKernelRidgeCV, predict_weighted_kernel_ridge
from himalaya.ridge import RidgeCV
from himalaya.scoring import r2_score_split
from sklearn.model_selection import KFold


def r2(fitted, y):
    """The mean over folds of one size is the mean over rows; scores are negative squared errors.

    A search has a row for each sample of shares, the others only the best score of each target.
    """
    return 1 + np.atleast_2d(fitted.cv_scores_).max(0) / y.var(0, dtype=np.float64)


def ridge(estimator, **options):
    def prepare(x, y, alphas):
        x, y, alphas = np.load(x), np.load(y), np.load(alphas)

        def work():
            return r2(estimator(alphas=alphas, cv=KFold(5), fit_intercept=True, **options).fit(x, y), y)

        return work

    return prepare


def banded(y, alphas, shares, *bands):
    """Random search over given shares, and what each band adds to the predictions of the rows that it was fitted to.

    We divide what predicts the rows that were left out, for which himalaya has no function.
    """
    y, alphas, shares, bands = np.load(y), np.load(alphas), np.load(shares), [np.load(band) for band in bands]
    options = {"n_iter": shares.astype(y.dtype), "alphas": alphas, "progress_bar": False}

    def work():
        kernels = np.stack([band @ band.T for band in bands])
        model = MultipleKernelRidgeCV(
            kernels="precomputed", solver="random_search", solver_params=options, cv=KFold(5), fit_intercept=True
        ).fit(kernels, y)
        parts = predict_weighted_kernel_ridge(kernels, model.dual_coef_, model.deltas_, split=True)
        # `predict` refuses to split with an intercept, which only shifts the parts.
        r2_score_split(y - y.mean(0), parts - parts.mean(1, keepdims=True))
        return r2(model, y)

    return work


def partition(y, alphas, *sets):
    """Cross-validated R² of every subset of the sets; subset m has set i where bit i of m is 1."""
    y, alphas, sets = np.load(y), np.load(alphas), [np.load(x) for x in sets]

    def work():
        members = [[x for i, x in enumerate(sets) if subset >> i & 1] for subset in range(1, 2 ** len(sets))]
        models = (KernelRidgeCV(alphas=alphas, cv=KFold(5), fit_intercept=True).fit(np.hstack(xs), y) for xs in members)
        return np.stack([r2(model, y) for model in models])

    return work


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    tasks = {
        "ridge-kernel": ridge(KernelRidgeCV),
        "ridge-rows": ridge(RidgeCV),
        "banded": banded,
        "partition": partition,
    }
    clock.main(tasks, {"himalaya": himalaya.__version__, "numpy": np.__version__})
