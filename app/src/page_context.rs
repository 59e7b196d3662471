//! What surrounds every page: its files, language, theme and path.

use crate::{base::Base, i18n::Lang, theme::Theme};
use leptos::prelude::LeptosOptions;

/// Where the page's files are.
#[derive(Debug, Clone)]
pub struct Links {
    /// The glue script that loads the wasm.
    pub script: String,
    /// The app.
    pub wasm: String,
    /// The style sheet.
    pub style: String,
    /// cargo-leptos' reload settings, while developing.
    pub reload: Option<LeptosOptions>,
}

/// What is the same for every page of one visitor.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where the page's files are.
    pub links: Links,
    /// The language.
    pub lang: Lang,
    /// Light or dark.
    pub theme: Theme,
    /// The page's own path, to come back to.
    pub path: String,
    /// The path below which the browser sees the server.
    pub base: Base,
}
