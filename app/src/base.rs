//! The path below which the browser sees the server. Every link, form and request of the page is made by [`link`].

/// The path below which the browser sees the server, as `/chat`; empty for the root. The server provides it as context;
/// the page carries it to the browser in the attribute `data-base` of its root.
#[cfg(not(feature = "hydrate"))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(pub String);

/// Returns `path`, a path of the server that begins with a slash, as the browser must ask for it.
pub fn link(path: &str) -> String {
    format!("{}{path}", base())
}

#[cfg(feature = "hydrate")]
fn base() -> String {
    let page = leptos::prelude::document().document_element();
    page.and_then(|page| page.get_attribute("data-base")).unwrap_or_default()
}

#[cfg(not(feature = "hydrate"))]
fn base() -> String {
    leptos::prelude::use_context::<Base>().unwrap_or_default().0
}
