//! Tests of analyses of emotion.
