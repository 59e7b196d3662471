//! What every page of one visitor has in common.

use crate::{base::Base, brand::Brand, i18n::Lang, theme::Theme};
use leptos::prelude::LeptosOptions;

/// The addresses of the page's files.
#[derive(Debug, Clone)]
pub struct AssetUrls {
    /// The glue script that loads the wasm.
    pub script: String,
    /// The wasm.
    pub wasm: String,
    /// The script with the actions of messages.
    pub actions: String,
    /// The script with the picker of emoji, which is loaded when it is opened.
    pub picker: String,
    /// The script that shows the day of the messages in view.
    pub days: String,
    /// The script that lets a finger pull a dialog away.
    pub sheets: String,
    /// The script that helps to write.
    pub writing: String,
    /// The script that searches while the user types.
    pub search: String,
    /// The names of emoji in the language of the page, a line each.
    pub emoji: String,
    /// The style sheet.
    pub style: String,
    /// The settings of cargo-leptos' live reload, during development.
    pub reload: Option<LeptosOptions>,
}

/// What every page of one visitor has in common.
#[derive(Debug, Clone)]
pub struct PageContext {
    /// The addresses of the page's files.
    pub assets: AssetUrls,
    /// The name and the color of the server.
    pub brand: Brand,
    /// The language.
    pub lang: Lang,
    /// The color scheme.
    pub theme: Theme,
    /// The page's own path. A form on the page redirects to it.
    pub path: String,
    /// The path below which the browser reaches the server.
    pub base: Base,
}
