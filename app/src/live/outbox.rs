//! What this browser has posted and not yet got acknowledged.

use crate::wire::CommandId;
use std::{collections::VecDeque, sync::Arc};

/// A post that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The same at every try.
    pub id: CommandId,
    /// What it says.
    pub text: Arc<str>,
}

/// Posts that wait for their acknowledgement, in the order in which they were written.
///
/// One is under way at a time, so that they arrive in that order whatever is refused or resent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox {
    waiting: VecDeque<Post>,
    /// The first of them has been sent over the present connection.
    under_way: bool,
}

impl Outbox {
    /// Something was written.
    pub fn push(&mut self, post: Post) {
        self.waiting.push_back(post);
    }

    /// What to send now, if anything.
    pub fn send_next(&mut self) -> Option<Post> {
        if self.under_way {
            return None;
        }
        let first = self.waiting.front().cloned();
        self.under_way = first.is_some();
        first
    }

    /// The post is durable, or is given up: it waits no longer.
    pub fn settle(&mut self, id: CommandId) {
        if self.is_first(id) {
            self.under_way = false;
        }
        self.waiting.retain(|post| post.id != id);
    }

    /// The first is to be sent again: its try was refused for now, or the connection was lost.
    pub fn again(&mut self) {
        self.under_way = false;
    }

    /// Whether `id` is the post that is under way.
    pub fn is_under_way(&self, id: CommandId) -> bool {
        self.under_way && self.is_first(id)
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_first(&self, id: CommandId) -> bool {
        self.waiting.front().is_some_and(|first| first.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn post(n: u128) -> Post {
        Post { id: Uuid::from_u128(n), text: format!("{n}").into() }
    }

    #[test]
    fn one_post_is_under_way_at_a_time_and_the_next_follows_its_ack() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!((outbox.send_next(), outbox.send_next()), (Some(post(1)), None));
        outbox.settle(post(1).id);
        assert_eq!(outbox.send_next(), Some(post(2)));
    }

    #[test]
    fn after_a_lost_connection_the_same_post_goes_first_again() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.send_next(), Some(post(1)));
        outbox.again();
        assert_eq!(outbox.send_next(), Some(post(1)));
    }

    #[test]
    fn a_late_ack_of_another_post_does_not_let_two_be_under_way() {
        let mut outbox = Outbox::default();
        outbox.push(post(1));
        outbox.push(post(2));
        assert_eq!(outbox.send_next(), Some(post(1)));
        outbox.settle(post(2).id);
        assert_eq!(outbox.send_next(), None);
        outbox.settle(post(1).id);
        assert!(outbox.is_empty());
    }
}
