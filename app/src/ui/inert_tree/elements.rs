//! The elements of a tree in the browser.

use super::{InertElement, InertNode};
use leptos::tachys::renderer::{CastFrom, Rndr, types};

impl InertElement {
    /// Creates the elements of the tree.
    pub(super) fn create(&self) -> types::Element {
        let namespace = matches!(self.name, "svg" | "path").then_some("http://www.w3.org/2000/svg");
        let created = Rndr::create_element(self.name, namespace);
        for (name, value) in &self.attributes {
            Rndr::set_attribute(&created, name, value);
        }
        for child in &self.children {
            child.insert(&created, None);
        }
        created
    }

    /// Changes `element`, which shows `old`, a tree of the same name.
    pub(super) fn patch(&self, old: &Self, element: &types::Element) {
        for (name, _) in &old.attributes {
            if !self.attributes.iter().any(|(new, _)| new == name) {
                Rndr::remove_attribute(element, name);
            }
        }
        for attribute in &self.attributes {
            if !old.attributes.contains(attribute) {
                Rndr::set_attribute(element, attribute.0, &attribute.1);
            }
        }
        if self.children != old.children {
            patch_children(&self.children, &old.children, element);
        }
    }
}

impl InertNode {
    fn insert(&self, parent: &types::Element, before: Option<&types::Node>) {
        match self {
            Self::Element(element) => Rndr::insert_node(parent, &element.create(), before),
            Self::Text(text) => Rndr::insert_node(parent, &Rndr::create_text_node(text), before),
        }
    }

    /// Returns whether a node that shows `old` can be changed to show this.
    fn can_replace(&self, old: &Self) -> bool {
        match (self, old) {
            (Self::Element(new), Self::Element(old)) => new.name == old.name && new.value() == old.value(),
            (Self::Text(_), Self::Text(_)) => true,
            _ => false,
        }
    }

    fn patch(&self, old: &Self, node: &types::Node) {
        match (self, old) {
            (Self::Element(new), Self::Element(old)) => {
                if let Some(element) = types::Element::cast_from(node.clone()).filter(|_| new != old) {
                    new.patch(old, &element);
                }
            }
            (Self::Text(new), _) if self != old => node.set_text_content(Some(new)),
            _ => {}
        }
    }
}

/// Changes the children of `parent` from `old` to `new`. Those that correspond from the first on, and from the last on,
/// stay; those between are replaced.
fn patch_children(new: &[InertNode], old: &[InertNode], parent: &types::Element) {
    let shorter = new.len().min(old.len());
    let first = { new.iter().zip(old) }.take_while(|(new, old)| new.can_replace(old)).count();
    let last =
        { new.iter().rev().zip(old.iter().rev()) }.take_while(|(new, old)| new.can_replace(old)).count();
    let last = last.min(shorter - first);
    let mut node = Rndr::first_child(parent);
    let step = |node: &mut Option<types::Node>| {
        let next = node.as_ref().and_then(Rndr::next_sibling);
        std::mem::replace(node, next)
    };
    let stay = |new: &[InertNode], old: &[InertNode], node: &mut Option<types::Node>| {
        for (new, old) in new.iter().zip(old) {
            if let Some(node) = step(node) {
                new.patch(old, &node);
            }
        }
    };
    stay(&new[..first], &old[..first], &mut node);
    for _ in first..old.len() - last {
        if let Some(node) = step(&mut node) {
            Rndr::remove(&node);
        }
    }
    for child in &new[first..new.len() - last] {
        child.insert(parent, node.as_ref());
    }
    stay(&new[new.len() - last..], &old[old.len() - last..], &mut node);
}
