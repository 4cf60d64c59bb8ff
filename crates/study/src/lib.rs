//! Study file to plan to record: order, cache, seeds, progress.
