//! A replacement of the crate `wasm-streams` in Hubbub's builds (`[patch.crates-io]` in the workspace's Cargo.toml).
//!
//! Leptos always turns on the feature `browser` of `server_fn`, and with it `wasm-streams`. That crate exports three
//! classes to JavaScript. Exports are never dead code, so the page would carry 6 KB (brotli) that nothing calls: Hubbub
//! has no server functions.
//!
//! This crate defines the items that `server_fn` and `reqwest` use. It can be removed when Leptos makes
//! `server_fn/browser` optional, and must be removed when a server function streams.

use futures_util::stream::{self, Stream};
use wasm_bindgen::JsValue;

/// A stream of JavaScript that is never read or written from Rust.
#[derive(Debug)]
pub struct ReadableStream(web_sys::ReadableStream);

impl ReadableStream {
    /// Wraps a stream of JavaScript.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        Self(raw)
    }

    /// Returns the stream of JavaScript.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// A stream of JavaScript with the items of `stream`.
    ///
    /// # Panics
    ///
    /// Always: no server function of Hubbub sends a stream.
    pub fn from_stream(_stream: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        panic!("wasm-streams is replaced in this build: see frontend/wasm-streams")
    }

    /// The items of the stream of JavaScript.
    ///
    /// # Panics
    ///
    /// Always: no server function of Hubbub returns a stream.
    pub fn into_stream(self) -> stream::Empty<Result<JsValue, JsValue>> {
        panic!("wasm-streams is replaced in this build: see frontend/wasm-streams")
    }
}
