//! Pages of messages: bounded in rows and in bytes.

use super::{Store, StoreResult};
use app::wire::{Message, PageBudget, RoomName, Seq};

/// A page of messages, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The messages in their present state.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Page {
    /// Makes a page of `newest_first`: at most `limit` messages and [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES)
    /// of JSON. It takes no more than one message beyond.
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

    /// Keeps what fits into `budget`, from the message at `anchor` or just before it on: older and newer ones in
    /// turn. Without an anchor, and where only older ones may be left out, that is the newest message.
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

/// Reads a page with the message at `seq` in its middle, or the one just before it, and at most `limit` messages.
/// If messages after it fill the page, fewer of them are read.
///
/// # Errors
/// [`super::StoreError::Storage`].
pub async fn read_around(log: &dyn Store, room: &RoomName, seq: Seq, limit: u32) -> StoreResult<Page> {
    let mut after = Seq::from(limit / 2);
    loop {
        let page = log.read_before(room, seq.saturating_add(after + 1), limit).await?;
        let is_there = page.messages.first().is_none_or(|first| first.seq <= seq);
        if is_there || !page.more || after == 0 {
            return Ok(page);
        }
        after /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::{DisplayName, User, UserId, limits::MAX_PAGE_BYTES};
    use uuid::Uuid;

    fn page(seqs: std::ops::RangeInclusive<Seq>) -> Page {
        let message = |seq| Message {
            seq,
            at: 0,
            id: Uuid::nil(),
            author: User::new(UserId(1), DisplayName::generated(UserId(1))),
            text: "x".into(),
            reply_to: None,
            edited_at: None,
            deleted: false,
        };
        Page { messages: seqs.map(message).collect(), more: false }
    }

    #[track_caller]
    fn keeps(entries: usize, anchor: Option<Seq>, kept: std::ops::RangeInclusive<Seq>, more: bool) {
        let mut cut = page(1..=9);
        let bytes = 10_000;
        cut.keep(PageBudget::besides(MAX_PAGE_BYTES - entries * bytes - 2_100), anchor, |_| bytes);
        assert_eq!(cut, Page { more, ..page(kept) });
    }

    #[test]
    fn a_cut_page_keeps_its_newest_or_what_stands_around_a_message() {
        keeps(3, None, 7..=9, true);
        keeps(9, None, 1..=9, false);
        keeps(0, None, 9..=9, true);
        keeps(3, Some(5), 4..=6, true);
        keeps(4, Some(5), 3..=6, true);
        keeps(4, Some(1), 1..=4, false);
        keeps(4, Some(9), 6..=9, true);
        let mut empty = Page::default();
        empty.keep(PageBudget::default(), None, |_| 1);
        assert_eq!(empty, Page::default());
    }
}
