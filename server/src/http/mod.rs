//! The parts that all HTTP handlers share: middleware, extractors and responses. Nothing here uses the application's state.

pub mod assets;
pub mod canonical_path;
pub mod conditional;
mod cookies;
pub(crate) mod cors;
pub mod form;
pub mod forwarded;
pub mod host;
pub mod identity;
pub mod preferences;
pub mod problem;
pub mod public_address;
pub mod range;
pub mod rate_limit;
pub(crate) mod request_log;
pub mod request_source;
pub mod user_agent;
pub mod work;
