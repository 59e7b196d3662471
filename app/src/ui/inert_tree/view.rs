//! A tree as a view of Leptos.

use super::InertElement;
use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    tachys::{
        hydration::Cursor,
        renderer::{CastFrom, types},
        view::{Mountable, Position, PositionState, Render, RenderHtml, add_attr::AddAnyAttr},
    },
};

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

    fn rebuild(self, state: &mut InertState) {
        if self.name == state.tree.name {
            self.patch(&state.tree, &state.element);
            state.tree = self;
        } else {
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
