//! The path below which the browser reaches the server. Every link, form and request of a page goes through [`link`].

/// The path below which the browser reaches the server, such as `/chat`; empty for the root. The server provides it as
/// a context, and the page passes it to the browser in the attribute `data-base` of its root element.
#[cfg(not(feature = "hydrate"))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(pub String);

/// Returns the path that the browser must request for `path`, a path of the server that begins with a slash.
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
