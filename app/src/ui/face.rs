//! The face of a user: a tile with their initials in their color.

use super::inert_tree::InertElement;
use crate::wire::User;

/// Returns the face of a user. The name stands beside it, so screen readers skip it.
pub fn face(user: &User) -> InertElement {
    InertElement::new("span")
        .class(format!("face {}", user.id.color_class()))
        .with("aria-hidden", "true")
        .text(user.name.initials())
}
