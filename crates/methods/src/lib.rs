//! The science on arrays, one module a question.
