//! `brama simulator`.
