//! The feed, held against the log that it follows.

use super::*;
use crate::{client::entry::TOGETHER, wire::DisplayName};
use proptest::prelude::*;
use uuid::Uuid;

fn author(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

fn event(seq: Seq) -> Arc<Event> {
    let body = EventBody::Message { text: format!("message {seq}").into(), reply_to: None };
    Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: author(seq % 3), body })
}

fn all(feed: &Feed) -> Vec<Shown> {
    feed.shown(0..feed.len())
}

fn empty() -> Feed {
    Feed::new("log".into(), 0, Vec::new())
}

fn seqs(feed: &Feed) -> Vec<Seq> {
    all(feed).iter().filter_map(|shown| shown.row.standing.seq()).collect()
}

#[test]
fn a_pending_row_becomes_the_confirmed_one() {
    let mut feed = empty();
    feed.post(Uuid::from_u128(1), author(1), "message 1".into());
    assert_eq!(all(&feed)[0].row.standing, Standing::Pending);
    assert_eq!(feed.hear(&[event(1)]), Heard::Applied);
    assert_eq!(seqs(&feed), [1]);
    assert_eq!(all(&feed).len(), 1, "it is not shown twice");
}

#[test]
fn a_gap_applies_nothing_beyond_it() {
    let mut feed = empty();
    assert_eq!(feed.hear(&[event(1), event(3)]), Heard::Gap);
    assert_eq!((feed.last(), seqs(&feed)), (1, vec![1]));
}

#[test]
fn a_kind_that_is_not_known_counts() {
    let mut feed = empty();
    let unknown = Event { body: EventBody::Unknown, ..(*event(1)).clone() };
    assert_eq!(feed.hear(&[Arc::new(unknown), event(2)]), Heard::Applied);
    assert_eq!((feed.last(), seqs(&feed)), (2, vec![2]));
}

fn changed(seq: Seq, body: EventBody) -> Arc<Event> {
    Arc::new(Event { body, ..(*event(seq)).clone() })
}

#[test]
fn an_edit_and_a_delete_change_the_row_they_are_about() {
    let mut feed = empty();
    feed.hear(&[event(1), event(2), event(3)]);
    feed.hear(&[
        changed(4, EventBody::Edit { target: 1, text: "better".into() }),
        changed(5, EventBody::Delete { target: 3 }),
        changed(6, EventBody::Delete { target: 99 }),
    ]);
    let rows: Vec<_> = all(&feed)
        .into_iter()
        .map(|shown| (shown.row.text.to_string(), shown.row.edited, shown.row.deleted))
        .collect();
    let expected = [("better", true, false), ("message 2", false, false), ("", false, true)];
    assert_eq!(rows, expected.map(|(text, edited, deleted)| (text.to_owned(), edited, deleted)));
    assert_eq!(feed.last(), 6);
}

#[test]
fn a_change_is_shown_at_once_and_settled_by_its_event_or_its_refusal() {
    let mut feed = empty();
    feed.hear(&[event(1), event(2)]);
    let (edit, delete) = (Uuid::from_u128(71), Uuid::from_u128(72));
    feed.take(&Command { id: edit, deed: Deed::Edit { target: 1, text: "new".into() } }, author(1));
    feed.take(&Command { id: delete, deed: Deed::Delete { target: 2 } }, author(1));
    let shown = all(&feed);
    assert_eq!((&*shown[0].row.text, shown[1].row.deleted), ("new", true));
    assert_eq!(shown[0].changing, Some((edit, None)));
    let done = Event { id: edit, ..(*changed(3, EventBody::Edit { target: 1, text: "new".into() })).clone() };
    feed.hear(&[Arc::new(done)]);
    assert_eq!(all(&feed)[0].changing, None);
    feed.fail(delete, ErrorCode::NotAllowed);
    let shown = &all(&feed)[1];
    assert_eq!((shown.row.deleted, &shown.changing), (false, &Some((delete, Some(ErrorCode::NotAllowed)))));
    assert_eq!(feed.retry(delete).map(|command| command.id), Some(delete));
    feed.forget(delete);
    assert_eq!(&*all(&feed)[1].row.text, "message 2");
}

#[test]
fn a_window_shows_its_rows_and_knows_who_spoke_before() {
    let mut feed = empty();
    let said = |seq, who| Arc::new(Event { at: 0, author: author(who), ..(*event(seq)).clone() });
    feed.hear(&[said(1, 1), said(2, 1), said(3, 2)]);
    let shown = feed.shown(1..3);
    let opens: Vec<bool> = shown.iter().map(|shown| shown.opens).collect();
    assert_eq!(opens, [false, true]);
    assert!(feed.shown(3..9).is_empty());
}

#[test]
fn a_day_begins_with_its_first_message_and_opens_it() {
    const DAY: u64 = 86_400_000;
    let mut feed = empty();
    let said = |seq, at| Arc::new(Event { at, author: author(1), ..(*event(seq)).clone() });
    feed.hear(&[said(1, 5), said(2, DAY - 1), said(3, DAY), said(4, DAY + 1)]);
    feed.post(Uuid::from_u128(9), author(1), "not stored yet".into());
    let shown = all(&feed);
    let days: Vec<bool> = shown.iter().map(|shown| shown.day).collect();
    assert_eq!(days, [true, false, true, false, false]);
    assert!(shown[2].opens, "a name under each day");
}

#[test]
fn the_line_stands_before_the_first_message_of_somebody_else_that_was_not_seen() {
    let mut feed = empty();
    let said = |seq, who| Arc::new(Event { at: 0, author: author(who), ..(*event(seq)).clone() });
    feed.hear(&[said(1, 2), said(2, 1), said(3, 2), said(4, 2)]);
    assert_eq!(feed.first_new(), None, "nobody knows what was seen");
    feed.seen(1, UserId(1));
    assert_eq!((feed.first_new(), feed.new_after(1, UserId(1))), (Some(3), 2));
    let marked: Vec<bool> = all(&feed).iter().map(|shown| shown.first_new).collect();
    assert_eq!(marked, [false, false, true, false]);
    feed.hear(&[changed(5, EventBody::Delete { target: 3 })]);
    assert_eq!((feed.first_new(), feed.new_after(1, UserId(1))), (Some(4), 1), "what is gone is not new");
    feed.seen(4, UserId(1));
    assert_eq!((feed.first_new(), feed.new_after(4, UserId(1))), (None, 0));
}

#[test]
fn older_messages_stand_before_and_none_comes_twice() {
    let mut feed = Feed::new("log".into(), 9, vec![Message::from_event(&event(8)).unwrap()]);
    feed.prepend((5..=8).filter_map(|seq| Message::from_event(&event(seq))).collect());
    assert_eq!((seqs(&feed), feed.first(), feed.last()), ((5..=8).collect(), Some(5), 9));
}

#[test]
fn a_reset_replaces_what_was_and_keeps_what_waits() {
    let mut feed = empty();
    feed.hear(&[event(1)]);
    feed.post(Uuid::from_u128(7), author(1), "mine".into());
    feed.post(Uuid::from_u128(9), author(1), "stored meanwhile".into());
    let messages = vec![Message::from_event(&event(9)).unwrap()];
    feed.reset("other".into(), 9, messages);
    let ids: Vec<u128> = all(&feed).iter().map(|shown| shown.row.id.as_u128()).collect();
    assert_eq!((feed.log(), feed.last(), ids), ("other", 9, vec![9, 7]));
}

#[test]
fn a_failed_message_keeps_its_text_until_its_author_decides() {
    let mut feed = empty();
    let id = Uuid::from_u128(5);
    feed.post(id, author(1), "too much".into());
    feed.fail(id, ErrorCode::TooLong);
    assert_eq!(all(&feed)[0].row.standing.failure(), Some(ErrorCode::TooLong));
    let again = Command { id, deed: Deed::Post { text: "too much".into() } };
    assert_eq!(feed.retry(id), Some(again));
    assert_eq!(feed.retry(id), None, "it is under way already");
    feed.forget(id);
    assert!(all(&feed).is_empty());
}

#[test]
fn lines_of_one_person_stand_together_for_five_minutes() {
    let mut feed = empty();
    let said = |seq, who, at| Arc::new(Event { at, author: author(who), ..(*event(seq)).clone() });
    feed.hear(&[said(1, 1, 0), said(2, 1, TOGETHER - 1), said(3, 1, 2 * TOGETHER), said(4, 2, 2 * TOGETHER)]);
    let opens: Vec<bool> = all(&feed).iter().map(|shown| shown.opens).collect();
    assert_eq!(opens, [true, false, true, true]);
}

#[test]
fn a_new_name_is_on_every_row_of_its_owner() {
    let mut feed = empty();
    feed.hear(&[event(1), event(2)]);
    feed.rename(&User::new(UserId(1), "Ann".parse().unwrap()));
    let names: Vec<String> = all(&feed).iter().map(|shown| shown.row.author.name.to_string()).collect();
    assert_eq!(names[0], "Ann");
    assert_ne!(names[1], "Ann");
}

proptest! {
    #[test]
    fn whatever_is_repeated_missing_or_late_the_feed_ends_as_the_log(
        pieces in prop::collection::vec((1_u64..40, 1_u64..10), 0..60),
        mine in prop::collection::vec(1_u128..45, 0..10),
    ) {
        let log: Vec<Arc<Event>> = (1..=40).map(event).collect();
        let mut feed = empty();
        for id in mine {
            feed.post(Uuid::from_u128(id), author(1), "mine".into());
        }
        for (from, count) in pieces {
            let piece = &log[from as usize - 1..(from + count - 1).min(40) as usize];
            if feed.hear(piece) == Heard::Gap {
                let rest = &log[feed.last() as usize..];
                prop_assert_eq!(feed.hear(&rest[..rest.len().min(3)]), Heard::Applied);
            }
        }
        feed.hear(&log[feed.last() as usize..]);
        prop_assert_eq!(seqs(&feed), (1..=40).collect::<Vec<_>>());
        let shown = all(&feed);
        let mut ids: Vec<_> = shown.iter().map(|shown| shown.row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert!(shown.iter().all(|shown| shown.row.standing.seq().is_some() || shown.row.id.as_u128() > 40));
    }
}
