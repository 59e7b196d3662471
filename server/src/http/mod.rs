//! Parts that HTTP handlers share.

pub mod admission;
pub mod assets;
pub mod canonical_path;
mod cookies;
pub(crate) mod cors;
pub mod form;
pub mod forwarded;
pub mod host;
pub mod identity;
pub mod preferences;
pub mod problem;
mod range;
pub(crate) mod request_log;
pub mod work;
