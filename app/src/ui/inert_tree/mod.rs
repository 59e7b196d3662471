//! A view of elements without behavior, whose kinds and number depend on data.
//!
//! Leptos makes code for each shape of nested views that are built, hydrated and rebuilt. A tree of data has one shape, so
//! that it costs the page a few hundred bytes. Every text in it is escaped by the server and becomes a text node in the
//! browser; there is no HTML in between.
//!
//! A new tree changes what differs in the elements of the old one, so that the focus, a selection and an open `<details>`
//! stay. The elements of a tree come first in their parent and in its order; scripts may append others.

mod elements;
mod view;

/// An element with its attributes and children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InertElement {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<InertNode>,
}

/// A view that changes with the signals that `render` reads. All have one type, so that Leptos makes its code once.
pub type Reactive<T> = Box<dyn FnMut() -> T + Send>;

/// Returns a view that changes with the signals that `render` reads.
pub fn reactive<T>(render: impl FnMut() -> T + Send + 'static) -> Reactive<T> {
    Box::new(render)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum InertNode {
    Element(InertElement),
    Text(String),
}

impl InertElement {
    /// Creates an element without attributes and children.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    /// Returns an element that never changes. The browser takes over that of the server without knowing what is in it, so
    /// that neither its texts nor the code that renders it are downloaded. Attributes and children that change may follow.
    pub fn from_server(name: &'static str, render: impl FnOnce() -> Self) -> Self {
        #[cfg(feature = "ssr")]
        let element = render();
        #[cfg(not(feature = "ssr"))]
        let (element, _) = (Self::new(name), render);
        debug_assert_eq!(element.name, name, "the browser expects another element");
        element
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds an attribute without a value, if `is_set`.
    #[must_use]
    pub fn flag(self, name: &'static str, is_set: bool) -> Self {
        if is_set { self.with(name, "") } else { self }
    }

    /// Sets the classes, unless there are none.
    #[must_use]
    pub fn class(self, names: impl Into<String>) -> Self {
        let names = names.into();
        if names.is_empty() { self } else { self.with("class", names) }
    }

    /// Adds an element as the last child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(InertNode::Element(child));
        self
    }

    /// Adds elements as the last children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(InertNode::Element));
        self
    }

    /// Adds a text at the end. Texts beside each other are one, as in a document.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        match self.children.last_mut() {
            _ if text.is_empty() => {}
            Some(InertNode::Text(last)) => last.push_str(&text),
            _ => self.children.push(InertNode::Text(text)),
        }
        self
    }

    /// Returns the bytes of its HTML.
    #[cfg(feature = "ssr")]
    pub fn html_bytes(&self) -> usize {
        let mut html = String::new();
        self.write_html(&mut html);
        html.len()
    }

    /// Returns the attribute `value`, by which buttons beside each other are distinguished.
    fn value(&self) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| *name == "value").map(|(_, value)| &**value)
    }

    fn write_html(&self, html: &mut String) {
        let tag = |html: &mut String, begin: &str| {
            html.push_str(begin);
            html.push_str(self.name);
        };
        tag(html, "<");
        for (name, value) in &self.attributes {
            html.push(' ');
            html.push_str(name);
            html.push_str("=\"");
            push_escaped(html, value, true);
            html.push('"');
        }
        html.push('>');
        if matches!(self.name, "input" | "img" | "source") {
            return;
        }
        if self.name == "textarea" {
            // A parser drops the first line feed (HTML, section 13.2.6.4.7).
            html.push('\n');
        }
        for child in &self.children {
            match child {
                InertNode::Element(element) => element.write_html(html),
                InertNode::Text(text) => push_escaped(html, text, false),
            }
        }
        tag(html, "</");
        html.push('>');
    }
}

/// Appends a text that is no markup and, in an attribute, does not end it.
fn push_escaped(html: &mut String, text: &str, in_attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' if in_attribute => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use leptos::prelude::RenderHtml;

    #[test]
    fn every_text_and_attribute_is_escaped() {
        let hostile = "</p><script>\"'&";
        let element = InertElement::new("p").with("title", hostile).text(hostile);
        let html = "<p title=\"&lt;/p&gt;&lt;script&gt;&quot;'&amp;\">&lt;/p&gt;&lt;script&gt;\"'&amp;</p>";
        assert_eq!(element.to_html(), html);
        let field = InertElement::new("textarea").text("\n</textarea>&");
        assert_eq!(field.to_html(), "<textarea>\n\n&lt;/textarea&gt;&amp;</textarea>");
    }

    #[test]
    fn texts_beside_each_other_are_one_node_as_in_a_document() {
        let one = InertElement::new("p").text("a b");
        assert_eq!(InertElement::new("p").text("").text("a").text(" b").text(""), one);
    }

    #[test]
    fn an_element_without_an_end_tag_has_none() {
        assert_eq!(InertElement::new("input").flag("required", true).to_html(), "<input required=\"\">");
        assert_eq!(InertElement::new("img").with("alt", "a").to_html(), "<img alt=\"a\">");
    }
}
