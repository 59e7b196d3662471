//! The HTML around the app.

use crate::{App, Screen};
use leptos::{nonce::use_nonce, prelude::*};

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

/// The whole document for the [`Screen`] in the context.
pub fn document(links: Links) -> impl IntoView {
    // A browser without WebSockets keeps the plain page, which posts without script.
    let start = format!(
        "'WebSocket' in window && import({:?}).then(app => app.default({{ module_or_path: {:?} }}).then(() => {{ app.hydrate(); performance.mark('hydrated') }}))",
        links.script, links.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#faf9f5" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#22201d" media="(prefers-color-scheme: dark)" />
                <title>{title()}</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" id="leptos" href=links.style />
                <link rel="modulepreload" href=links.script nonce=use_nonce() />
                <link rel="preload" href=links.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                {links.reload.map(|options| view! { <AutoReload options /> })}
                <script type="module" nonce=use_nonce()>{start}</script>
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

fn title() -> String {
    match use_context::<Screen>() {
        Some(Screen::Room(page)) => format!("{} · Hubbub", page.title),
        _ => "Hubbub".into(),
    }
}
