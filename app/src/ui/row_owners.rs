//! The reactive owners of rows that come and go as long as the page lives.

use leptos::prelude::*;

/// Rows whose owners have the same parent.
const ROWS_PER_PARENT: usize = 256;

/// Creates the owner of each row of a list.
///
/// An owner of `reactive_graph` 0.2 keeps a weak reference, and with it the memory, of every child that it ever had. One parent of
/// all rows, as in `<For>`, would need 90 bytes for each message that a page has ever shown. So a parent here has
/// [`ROWS_PER_PARENT`] children, and the last of them takes it along.
pub struct RowOwners {
    list: Owner,
    parent: Owner,
    children: usize,
}

impl RowOwners {
    /// Returns a source of owners below the current one.
    ///
    /// # Panics
    /// Panics outside of a component.
    pub fn new() -> Self {
        let list = Owner::current().expect("a component has an owner");
        Self { parent: list.with(Owner::new), list, children: 0 }
    }

    /// Creates the owner of one more row.
    pub fn create(&mut self) -> Owner {
        if self.children == ROWS_PER_PARENT {
            self.parent = self.list.with(Owner::new);
            self.children = 0;
        }
        self.children += 1;
        let parent = self.parent.clone();
        let owner = parent.with(Owner::new);
        owner.with(|| Owner::on_cleanup(move || drop(parent)));
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_dropped_with_the_last_of_its_rows() {
        let root = Owner::new();
        let mut owners = root.with(RowOwners::new);
        let first = owners.parent.downgrade();
        let mut rows: Vec<Owner> = (0..=ROWS_PER_PARENT).map(|_| owners.create()).collect();
        assert_eq!(rows[0].parent(), first.upgrade());
        assert_ne!(rows[ROWS_PER_PARENT].parent(), first.upgrade());
        rows.drain(1..ROWS_PER_PARENT);
        assert!(first.upgrade().is_some(), "the first row is still there");
        drop(rows.remove(0));
        assert!(first.upgrade().is_none());
    }

    #[test]
    fn rows_see_the_context_of_the_list_and_end_with_it() {
        let root = Owner::new();
        let mut owners = root.with(|| {
            provide_context(7_u8);
            RowOwners::new()
        });
        let row = owners.create();
        assert_eq!(row.with(use_context::<u8>), Some(7));
        let value = row.with(|| StoredValue::new(1));
        root.cleanup();
        assert_eq!(value.try_get_value(), None);
    }
}
