//! The timeline, compared with the log that it follows.

use super::*;
use crate::{client::entry::GROUPING_WINDOW_MS, wire::DisplayName};
use proptest::prelude::*;
use uuid::Uuid;

fn author(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

fn pending(id: CommandId, text: &str) -> Entry {
    Entry::local(
        id,
        author(1),
        text.into(),
        None,
        (Mentions::default(), Files::default()),
        DeliveryState::Pending,
    )
}

fn event(seq: Seq) -> Arc<Event> {
    let body = EventBody::Message {
        text: format!("message {seq}").into(),
        reply_to: None,
        mentions: Mentions::default(),
        files: Files::default(),
    };
    Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: author(seq % 3), body })
}

fn all(timeline: &Timeline) -> Vec<EntryView> {
    timeline.visible_entries(0..timeline.len())
}

fn empty() -> Timeline {
    Timeline::new("log".into(), 0, Vec::new())
}

fn seqs(timeline: &Timeline) -> Vec<Seq> {
    all(timeline).iter().filter_map(|shown| shown.entry.delivery.seq()).collect()
}

#[test]
fn a_pending_entry_becomes_the_confirmed_one() {
    let mut timeline = empty();
    timeline.add_pending(pending(Uuid::from_u128(1), "message 1"));
    assert_eq!(all(&timeline)[0].entry.delivery, DeliveryState::Pending);
    assert_eq!(timeline.apply_events(&[event(1)]), ApplyResult::Applied);
    assert_eq!(seqs(&timeline), [1]);
    assert_eq!(all(&timeline).len(), 1, "it is not shown twice");
}

#[test]
fn a_gap_applies_nothing_beyond_it() {
    let mut timeline = empty();
    assert_eq!(timeline.apply_events(&[event(1), event(3)]), ApplyResult::Gap);
    assert_eq!((timeline.last(), seqs(&timeline)), (1, vec![1]));
}

#[test]
fn an_event_of_an_unknown_kind_counts() {
    let mut timeline = empty();
    let unknown = Event { body: EventBody::Unknown, ..(*event(1)).clone() };
    assert_eq!(timeline.apply_events(&[Arc::new(unknown), event(2)]), ApplyResult::Applied);
    assert_eq!((timeline.last(), seqs(&timeline)), (2, vec![2]));
}

fn changed(seq: Seq, body: EventBody) -> Arc<Event> {
    Arc::new(Event { body, ..(*event(seq)).clone() })
}

#[test]
fn edits_and_deletions_change_their_entry() {
    let mut timeline = empty();
    timeline.apply_events(&[event(1), event(2), event(3)]);
    timeline.apply_events(&[
        changed(4, EventBody::Edit { target: 1, text: "better".into(), mentions: Mentions::default() }),
        changed(5, EventBody::Delete { target: 3 }),
        changed(6, EventBody::Delete { target: 99 }),
    ]);
    let entries: Vec<_> = all(&timeline)
        .into_iter()
        .map(|shown| (shown.entry.text.to_string(), shown.entry.edited, shown.entry.deleted))
        .collect();
    let expected = [("better", true, false), ("message 2", false, false), ("", false, true)];
    assert_eq!(entries, expected.map(|(text, edited, deleted)| (text.to_owned(), edited, deleted)));
    assert_eq!(timeline.last(), 6);
}

#[test]
fn a_change_is_shown_at_once_until_its_event_or_rejection() {
    let mut timeline = empty();
    timeline.apply_events(&[event(1), event(2)]);
    let (edit, delete) = (Uuid::from_u128(71), Uuid::from_u128(72));
    timeline.add_local(
        &Command { id: edit, operation: OutboxOperation::Edit { target: 1, text: "new".into() } },
        author(1),
    );
    timeline.add_local(&Command { id: delete, operation: OutboxOperation::Delete { target: 2 } }, author(1));
    let shown = all(&timeline);
    assert_eq!((&*shown[0].entry.text, shown[1].entry.deleted), ("new", true));
    assert_eq!(shown[0].pending_change, Some((edit, None)));
    let done = Event {
        id: edit,
        ..(*changed(3, EventBody::Edit { target: 1, text: "new".into(), mentions: Mentions::default() }))
            .clone()
    };
    timeline.apply_events(&[Arc::new(done)]);
    assert_eq!(all(&timeline)[0].pending_change, None);
    timeline.fail(delete, ErrorCode::NotAllowed);
    let shown = &all(&timeline)[1];
    assert_eq!(
        (shown.entry.deleted, &shown.pending_change),
        (false, &Some((delete, Some(ErrorCode::NotAllowed))))
    );
    assert_eq!(timeline.retry(delete).map(|command| command.id), Some(delete));
    timeline.remove_pending(delete);
    assert_eq!(&*all(&timeline)[1].entry.text, "message 2");
}

#[test]
fn a_range_starts_a_group_according_to_the_entry_above_it() {
    let mut timeline = empty();
    let message = |seq, who| Arc::new(Event { at: 0, author: author(who), ..(*event(seq)).clone() });
    timeline.apply_events(&[message(1, 1), message(2, 1), message(3, 2)]);
    let shown = timeline.visible_entries(1..3);
    let starts: Vec<bool> = shown.iter().map(|shown| shown.starts_group).collect();
    assert_eq!(starts, [false, true]);
    assert!(timeline.visible_entries(3..9).is_empty());
}

#[test]
fn the_first_message_of_a_day_starts_the_day_and_a_group() {
    const DAY: u64 = 86_400_000;
    let mut timeline = empty();
    let message = |seq, at| Arc::new(Event { at, author: author(1), ..(*event(seq)).clone() });
    timeline.apply_events(&[message(1, 5), message(2, DAY - 1), message(3, DAY), message(4, DAY + 1)]);
    timeline.add_pending(pending(Uuid::from_u128(9), "not stored yet"));
    let shown = all(&timeline);
    let days: Vec<bool> = shown.iter().map(|shown| shown.starts_day).collect();
    assert_eq!(days, [true, false, true, false, false]);
    assert!(shown[2].starts_group, "a name under each day");
}

#[test]
fn the_first_unread_message_is_by_another_user() {
    let mut timeline = empty();
    let message = |seq, who| Arc::new(Event { at: 0, author: author(who), ..(*event(seq)).clone() });
    timeline.apply_events(&[message(1, 2), message(2, 1), message(3, 2), message(4, 2)]);
    assert_eq!(timeline.first_unread(), None, "no read marker is known");
    timeline.set_unread_after(1, UserId(1));
    assert_eq!((timeline.first_unread(), timeline.count_unread_after(1, UserId(1))), (Some(3), 2));
    let marked: Vec<bool> = all(&timeline).iter().map(|shown| shown.is_first_unread).collect();
    assert_eq!(marked, [false, false, true, false]);
    timeline.apply_events(&[changed(5, EventBody::Delete { target: 3 })]);
    assert_eq!(
        (timeline.first_unread(), timeline.count_unread_after(1, UserId(1))),
        (Some(4), 1),
        "a deleted message is not unread"
    );
    timeline.set_unread_after(4, UserId(1));
    assert_eq!((timeline.first_unread(), timeline.count_unread_after(4, UserId(1))), (None, 0));
}

#[test]
fn prepend_adds_older_messages_once() {
    let mut timeline = Timeline::new("log".into(), 9, vec![Message::from_event(&event(8)).unwrap()]);
    timeline.prepend((5..=8).filter_map(|seq| Message::from_event(&event(seq))).collect());
    assert_eq!((seqs(&timeline), timeline.first(), timeline.last()), ((5..=8).collect(), Some(5), 9));
}

#[test]
fn a_reset_replaces_confirmed_entries_and_keeps_pending_ones() {
    let mut timeline = empty();
    timeline.apply_events(&[event(1)]);
    timeline.add_pending(pending(Uuid::from_u128(7), "mine"));
    timeline.add_pending(pending(Uuid::from_u128(9), "stored meanwhile"));
    let messages = vec![Message::from_event(&event(9)).unwrap()];
    timeline.reset("other".into(), 9, messages);
    let ids: Vec<u128> = all(&timeline).iter().map(|shown| shown.entry.id.as_u128()).collect();
    assert_eq!((timeline.log(), timeline.last(), ids), ("other", 9, vec![9, 7]));
}

#[test]
fn failed_message_keeps_its_text_until_retried_or_discarded() {
    let mut timeline = empty();
    let id = Uuid::from_u128(5);
    timeline.add_pending(pending(id, "too much"));
    timeline.fail(id, ErrorCode::TooLong);
    assert_eq!(all(&timeline)[0].entry.delivery.failure(), Some(ErrorCode::TooLong));
    let again = Command { id, operation: OutboxOperation::post("too much") };
    assert_eq!(timeline.retry(id), Some(again));
    assert_eq!(timeline.retry(id), None, "it is pending already");
    timeline.remove_pending(id);
    assert!(all(&timeline).is_empty());
}

#[test]
fn messages_of_one_author_are_grouped_for_five_minutes() {
    let mut timeline = empty();
    let message = |seq, who, at| Arc::new(Event { at, author: author(who), ..(*event(seq)).clone() });
    timeline.apply_events(&[
        message(1, 1, 0),
        message(2, 1, GROUPING_WINDOW_MS - 1),
        message(3, 1, 2 * GROUPING_WINDOW_MS),
        message(4, 2, 2 * GROUPING_WINDOW_MS),
    ]);
    let starts: Vec<bool> = all(&timeline).iter().map(|shown| shown.starts_group).collect();
    assert_eq!(starts, [true, false, true, true]);
}

#[test]
fn a_new_name_is_on_every_entry_of_its_author() {
    let mut timeline = empty();
    timeline.apply_events(&[event(1), event(2)]);
    timeline.update_user(&User::new(UserId(1), "Ann".parse().unwrap()));
    let names: Vec<String> = all(&timeline).iter().map(|shown| shown.entry.author.name.to_string()).collect();
    assert_eq!(names[0], "Ann");
    assert_ne!(names[1], "Ann");
}

proptest! {
    #[test]
    fn timeline_equals_log_after_repeated_missing_and_late_events(
        pieces in prop::collection::vec((1_u64..40, 1_u64..10), 0..60),
        mine in prop::collection::vec(1_u128..45, 0..10),
    ) {
        let log: Vec<Arc<Event>> = (1..=40).map(event).collect();
        let mut timeline = empty();
        for id in mine {
            timeline.add_pending(pending(Uuid::from_u128(id), "mine"));
        }
        for (from, count) in pieces {
            let piece = &log[from as usize - 1..(from + count - 1).min(40) as usize];
            if timeline.apply_events(piece) == ApplyResult::Gap {
                let rest = &log[timeline.last() as usize..];
                prop_assert_eq!(timeline.apply_events(&rest[..rest.len().min(3)]), ApplyResult::Applied);
            }
        }
        timeline.apply_events(&log[timeline.last() as usize..]);
        prop_assert_eq!(seqs(&timeline), (1..=40).collect::<Vec<_>>());
        let shown = all(&timeline);
        let mut ids: Vec<_> = shown.iter().map(|shown| shown.entry.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert!(shown.iter().all(|shown| shown.entry.delivery.seq().is_some() || shown.entry.id.as_u128() > 40));
    }
}
