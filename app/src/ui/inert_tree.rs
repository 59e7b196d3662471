//! A view of elements without behavior, whose kinds and number depend on data.
//!
//! Leptos makes code for each shape of nested views that are built, hydrated and rebuilt. A tree of data has one shape, so
//! that it costs the page a few hundred bytes. Every text in it is escaped by the server and becomes a text node in the
//! browser; there is no HTML in between.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    tachys::{
        hydration::Cursor,
        renderer::{CastFrom, Rndr, types},
        view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
    },
};

/// An element with its attributes and children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InertElement {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<InertNode>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum InertNode {
    Element(InertElement),
    Text(String),
}

impl InertElement {
    /// Creates an element without attributes and children. It must have an end tag in HTML.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
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

    /// Adds a text as the last child.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(InertNode::Text(text.into()));
        self
    }

    /// Returns the bytes of its HTML.
    #[cfg(feature = "ssr")]
    pub fn html_bytes(&self) -> usize {
        let mut html = String::new();
        self.write_html(&mut html);
        html.len()
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
            push_escaped(html, value);
            html.push('"');
        }
        html.push('>');
        for child in &self.children {
            match child {
                InertNode::Element(element) => element.write_html(html),
                InertNode::Text(text) => push_escaped(html, text),
            }
        }
        tag(html, "</");
        html.push('>');
    }

    fn create(&self) -> types::Element {
        let created = Rndr::create_element(self.name, None);
        for (name, value) in &self.attributes {
            Rndr::set_attribute(&created, name, value);
        }
        for child in &self.children {
            match child {
                InertNode::Element(element) => Rndr::insert_node(&created, &element.create(), None),
                InertNode::Text(text) => Rndr::insert_node(&created, &Rndr::create_text_node(text), None),
            }
        }
        created
    }
}

/// Appends a text that is neither markup nor the end of an attribute.
fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
}

/// The tree on the page, and its element.
pub struct InertState {
    tree: InertElement,
    element: types::Element,
}

impl Mountable for InertState {
    fn unmount(&mut self) {
        self.element.unmount();
    }

    fn mount(&mut self, parent: &types::Element, marker: Option<&types::Node>) {
        self.element.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.element.insert_before_this(child)
    }

    fn elements(&self) -> Vec<types::Element> {
        vec![self.element.clone()]
    }
}

impl Render for InertElement {
    type State = InertState;

    fn build(self) -> InertState {
        InertState { element: self.create(), tree: self }
    }

    /// Replaces the elements, unless the tree is the same.
    fn rebuild(self, state: &mut InertState) {
        if self != state.tree {
            let mut next = self.build();
            state.insert_before_this(&mut next);
            state.unmount();
            *state = next;
        }
    }
}

impl AddAnyAttr for InertElement {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self
    where
        Self::Output<NewAttr>: RenderHtml,
    {
        self
    }
}

impl RenderHtml for InertElement {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra_attributes: Vec<AnyAttribute>,
    ) {
        self.write_html(html);
        *position = Position::NextChild;
    }

    /// Takes over the element of the server, whose children are the same.
    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> InertState {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        position.set(Position::NextChild);
        match types::Element::cast_from(cursor.current()) {
            Some(element) => InertState { tree: self, element },
            // The document is not the server's, as if an extension had changed it.
            None => self.build(),
        }
    }

    fn into_owned(self) -> Self {
        self
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_text_and_attribute_is_escaped() {
        let hostile = "</p><script>\"'&";
        let element = InertElement::new("p").with("title", hostile).text(hostile);
        let escaped = "&lt;/p&gt;&lt;script&gt;&quot;'&amp;";
        assert_eq!(element.to_html(), format!("<p title=\"{escaped}\">{escaped}</p>"));
    }
}
