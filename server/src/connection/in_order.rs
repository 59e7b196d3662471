//! Futures whose results come in the order in which they were added.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// Futures that make progress without being polled, such as commits. Only the oldest one is polled, so that adding one and
/// taking its result costs little.
pub(super) struct InOrder<F>(VecDeque<F>);

impl<F: Future + Unpin> InOrder<F> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, future: F) {
        self.0.push_back(future);
    }

    /// Resolves with the result of the oldest future, or with `None` if there is none.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub(super) async fn next(&mut self) -> Option<F::Output> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Some(oldest) = self.0.front_mut() else { return Poll::Ready(None) };
        Pin::new(oldest).poll(context).map(|output| {
            self.0.pop_front();
            if self.0.is_empty() {
                // An idle connection holds no memory.
                self.0 = VecDeque::new();
            }
            Some(output)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    #[test]
    fn results_come_in_order_of_the_futures_not_of_their_ends() {
        let mut in_order = InOrder::new();
        assert_eq!(in_order.next().now_or_never(), Some(None));
        let ((first, first_end), (second, second_end)) = (oneshot::channel(), oneshot::channel());
        in_order.push(first_end);
        in_order.push(second_end);
        second.send(2).unwrap();
        assert_eq!(in_order.next().now_or_never(), None);
        first.send(1).unwrap();
        assert_eq!(in_order.next().now_or_never(), Some(Some(Ok(1))));
        assert_eq!(in_order.len(), 1);
        assert_eq!(in_order.next().now_or_never(), Some(Some(Ok(2))));
    }
}
