//! Pages of messages: bounded in rows and in bytes.

use super::{EventStore, StoreResult};
use app::wire::{Message, PageBudget, RoomName, Seq};

/// A page of messages, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagePage {
    /// The messages in their present state.
    pub messages: Vec<Message>,
    /// Older messages exist.
    pub more: bool,
}

impl MessagePage {
    /// Collects a page of at most `limit` messages and [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES) of JSON. Consumes
    /// at most one message more.
    pub(super) fn collect<E>(
        newest_first: impl Iterator<Item = Result<Message, E>>,
        limit: u32,
    ) -> Result<Self, E> {
        let (mut page, mut budget) = (Self::default(), PageBudget::default());
        for message in newest_first {
            let message = message?;
            if page.messages.len() == limit as usize || !budget.take(message.json_bytes()) {
                page.more = true;
                break;
            }
            page.messages.push(message);
        }
        page.messages.reverse();
        Ok(page)
    }

    /// Keeps the messages that fit into `budget`. Starts at the message at `anchor` or just before it, then takes older
    /// and newer ones in turn. Without an anchor it starts at the newest message, so that only older ones are dropped.
    pub fn keep(&mut self, budget: PageBudget, anchor: Option<Seq>, bytes: impl Fn(&Message) -> usize) {
        let Some(last) = self.messages.len().checked_sub(1) else { return };
        let anchor = anchor.map_or(last, |seq| {
            self.messages.partition_point(|message| message.seq <= seq).saturating_sub(1)
        });
        let (mut budget, mut first, mut end) = (budget, anchor, anchor + 1);
        let mut fits = |message: &Message| budget.take(bytes(message));
        let mut is_full = !fits(&self.messages[anchor]);
        while !is_full && (first > 0 || end <= last) {
            if first > 0 {
                is_full = !fits(&self.messages[first - 1]);
                first -= usize::from(!is_full);
            }
            if !is_full && end <= last {
                is_full = !fits(&self.messages[end]);
                end += usize::from(!is_full);
            }
        }
        self.messages.truncate(end);
        self.messages.drain(..first);
        self.more |= first > 0;
    }
}

/// Reads a page of at most `limit` messages around `seq`, or around the message just before it. Reads fewer of the
/// later messages if they would fill the page alone.
///
/// # Errors
/// [`super::StoreError::Backend`].
pub async fn read_around(
    store: &(impl EventStore + ?Sized),
    room: &RoomName,
    seq: Seq,
    limit: u32,
) -> StoreResult<MessagePage> {
    let mut after = Seq::from(limit / 2);
    loop {
        let page = store.messages_before(room, seq.saturating_add(after + 1), limit).await?;
        let has_anchor = page.messages.first().is_none_or(|first| first.seq <= seq);
        if has_anchor || !page.more || after == 0 {
            return Ok(page);
        }
        after /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::{DisplayName, Files, Mentions, Reactions, User, UserId, limits::MAX_PAGE_BYTES};
    use uuid::Uuid;

    fn page(seqs: std::ops::RangeInclusive<Seq>) -> MessagePage {
        let message = |seq| Message {
            seq,
            at: 0,
            id: Uuid::nil(),
            author: User::new(UserId(1), DisplayName::generated(UserId(1))),
            text: "x".into(),
            reply_to: None,
            edited_at: None,
            mentions: Mentions::default(),
            files: Files::default(),
            deleted: false,
            reactions: Reactions::default(),
        };
        MessagePage { messages: seqs.map(message).collect(), more: false }
    }

    #[track_caller]
    fn keeps(entries: usize, anchor: Option<Seq>, kept: std::ops::RangeInclusive<Seq>, more: bool) {
        let mut cut = page(1..=9);
        let bytes = 10_000;
        cut.keep(PageBudget::besides(MAX_PAGE_BYTES - entries * bytes - 2_100), anchor, |_| bytes);
        assert_eq!(cut, MessagePage { more, ..page(kept) });
    }

    #[test]
    fn fit_keeps_the_newest_messages_or_those_around_the_anchor() {
        keeps(3, None, 7..=9, true);
        keeps(9, None, 1..=9, false);
        keeps(0, None, 9..=9, true);
        keeps(3, Some(5), 4..=6, true);
        keeps(4, Some(5), 3..=6, true);
        keeps(4, Some(1), 1..=4, false);
        keeps(4, Some(9), 6..=9, true);
        let mut empty = MessagePage::default();
        empty.keep(PageBudget::default(), None, |_| 1);
        assert_eq!(empty, MessagePage::default());
    }
}
