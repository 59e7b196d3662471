//! The data that all pages of one visitor share.

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
    /// The script that writes messages as Markdown, which is loaded when it is used.
    pub markdown: String,
    /// The script that shows the day of the messages in view.
    pub days: String,
    /// The script that lets a finger pull a dialog away.
    pub sheets: String,
    /// The script that helps to write.
    pub writing: String,
    /// The script of the tray of files.
    pub files: String,
    /// The script that uploads them, which `files` and `share` load.
    pub uploads: String,
    /// The script that shows pictures.
    pub light_box: String,
    /// The script that keeps files over a reload and reads what is shared, which `files` and `share` load too.
    pub kept_files: String,
    /// The script of the page on which a room is chosen for what is shared.
    pub share: String,
    /// The script that searches while the user types.
    pub search: String,
    /// The names of emoji in the language of the page, a line each.
    pub emoji: String,
    /// The style sheet.
    pub style: String,
    /// The settings of cargo-leptos' live reload, during development.
    pub reload: Option<LeptosOptions>,
}

/// The data that all pages of one visitor share.
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
    /// Bytes of one file that the server takes; 0 for no files.
    pub max_file: u64,
}
