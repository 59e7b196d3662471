//! The frames of the wire: they survive a round trip, and no input causes a panic.

mod examples;
mod properties;
mod strategies;
