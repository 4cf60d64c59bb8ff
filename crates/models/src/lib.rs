//! Networks: graph, weights, preprocessing, execution.
