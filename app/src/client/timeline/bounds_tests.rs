//! The entries that the timeline stores, drops, hides and fetches again.

use super::*;
use crate::wire::DisplayName;
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

/// Returns message `seq` of the log. All are by one author and within a minute.
fn event(seq: Seq) -> Arc<Event> {
    let body = EventBody::Message {
        text: format!("message {seq}").into(),
        reply_to: None,
        mentions: Mentions::default(),
        files: Files::default(),
    };
    Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: author(1), body })
}

fn messages(seqs: Range<Seq>) -> Vec<Message> {
    seqs.filter_map(|seq| Message::from_event(&event(seq))).collect()
}

fn events(seqs: Range<Seq>) -> Vec<Arc<Event>> {
    seqs.map(event).collect()
}

fn timeline(len: Seq) -> Timeline {
    Timeline::new("log".into(), len, messages(1..len + 1))
}

fn seqs(timeline: &Timeline) -> Vec<Seq> {
    timeline.confirmed.iter().filter_map(|entry| entry.delivery.seq()).collect()
}

fn heads(timeline: &Timeline) -> Vec<Seq> {
    let shown = timeline.visible_entries(0..timeline.len());
    shown.iter().filter(|shown| shown.starts_group).filter_map(|shown| shown.entry.delivery.seq()).collect()
}

fn deletion(id: u128, target: Seq) -> Command {
    Command { id: Uuid::from_u128(id), operation: OutboxOperation::Delete { target } }
}

#[test]
fn heads_repeat_every_ten_entries_and_stay_if_others_come_or_go() {
    let mut timeline = Timeline::new("log".into(), 130, messages(101..131));
    assert_eq!(heads(&timeline), [101, 111, 121]);
    timeline.prepend(messages(76..101));
    assert_eq!(heads(&timeline), [76, 86, 96, 101, 111, 121]);
    timeline.apply_events(&events(131..133));
    assert_eq!(heads(&timeline), [76, 86, 96, 101, 111, 121, 131]);
    timeline.confirmed.drain(..30);
    assert_eq!(heads(&timeline), [106, 111, 121, 131], "and the oldest entry has one");
}

#[test]
fn a_pending_message_is_in_the_group_in_which_it_is_confirmed() {
    let mut timeline = timeline(9);
    for seq in 10..13 {
        timeline.add_pending(pending(Uuid::from_u128(seq), &format!("message {seq}")));
    }
    let starts = |timeline: &Timeline| {
        timeline.visible_entries(0..timeline.len()).iter().map(|shown| shown.starts_group).collect::<Vec<_>>()
    };
    let waiting = starts(&timeline);
    timeline.apply_events(&events(10..13));
    assert_eq!((starts(&timeline), waiting[10]), (waiting, true));
}

#[test]
fn a_reader_at_the_end_loses_only_the_oldest_entries() {
    let mut timeline = timeline(1_500);
    timeline.apply_events(&events(1_501..1_702));
    let dropped = timeline.trim(1_401..1_701, true);
    assert_eq!(
        (dropped, timeline.len(), timeline.first(), timeline.detached_at()),
        (301, 1_400, Some(302), None)
    );
    assert_eq!(timeline.first_unread(), None);
    timeline.prepend(messages(202..302));
    assert_eq!(seqs(&timeline), (202..1_702).collect::<Vec<_>>());
}

#[test]
fn the_newest_entries_are_trimmed_and_read_again_without_a_gap() {
    let mut timeline = timeline(1_601);
    assert_eq!(
        (timeline.trim(0..300, false), timeline.detached_at(), timeline.last()),
        (0, Some(1_400), 1_601)
    );
    timeline.apply_events(&events(1_602..1_604));
    assert_eq!((timeline.len(), timeline.last()), (1_400, 1_603), "the events are known but not stored");
    timeline.append_page(messages(1_401..1_501), 1_500);
    assert_eq!(timeline.detached_at(), Some(1_500));
    timeline.append_page(messages(1_501..1_604), 1_603);
    assert_eq!((timeline.detached_at(), seqs(&timeline)), (None, (1..1_604).collect()));
    timeline.apply_events(&events(1_604..1_605));
    assert_eq!(seqs(&timeline).last(), Some(&1_604));
}

#[test]
fn page_that_ends_before_newer_events_keeps_timeline_detached() {
    let mut timeline = timeline(1_601);
    timeline.trim(0..300, false);
    timeline.apply_events(&events(1_602..1_612));
    timeline.append_page(messages(1_401..1_602), 1_601);
    assert_eq!((timeline.detached_at(), timeline.last()), (Some(1_601), 1_611));
}

#[test]
fn a_held_deletion_hides_its_message_until_it_is_undone_or_sent() {
    let mut timeline = timeline(3);
    timeline.hold_deletion(&deletion(7, 1), author(1));
    let hidden = |timeline: &Timeline| {
        timeline.visible_entries(0..3).iter().map(|shown| shown.is_hidden).collect::<Vec<_>>()
    };
    assert_eq!(
        (hidden(&timeline), heads(&timeline)),
        (vec![true, false, false], vec![1, 2]),
        "the next entry has the head"
    );
    assert!(timeline.has_pending(Uuid::from_u128(7)), "restoring the outbox does not send it");
    timeline.remove_pending(Uuid::from_u128(7));
    assert_eq!((hidden(&timeline), heads(&timeline)), (vec![false; 3], vec![1]));
    timeline.hold_deletion(&deletion(8, 2), author(1));
    assert_eq!(timeline.release_deletion(Uuid::from_u128(8)), Some(deletion(8, 2)));
    assert_eq!(timeline.release_deletion(Uuid::from_u128(8)), None, "it is sent once");
    let shown = timeline.visible_entries(1..2).remove(0);
    assert!(
        !shown.is_hidden && shown.entry.deleted && shown.pending_change == Some((Uuid::from_u128(8), None))
    );
}

#[test]
fn hidden_message_neither_starts_a_day_nor_is_the_first_unread() {
    let mut timeline = timeline(3);
    timeline.set_unread_after(0, UserId(2));
    timeline.hold_deletion(&deletion(7, 1), author(2));
    let shown = timeline.visible_entries(0..3);
    assert!(
        !shown[0].starts_day && !shown[0].is_first_unread && shown[1].starts_day && shown[1].is_first_unread
    );
}

proptest! {
    /// Steps: messages arrive, or the reader goes to the end, reads back, or reads on.
    #[test]
    fn the_timeline_is_bounded_and_has_no_gap_for_any_reader(
        steps in prop::collection::vec((0_u8..4, 1_u64..900), 1..60),
    ) {
        let (mut timeline, mut head, mut shown, mut follows) = (timeline(50), 50, 0..50, true);
        for (step, n) in steps {
            let before = seqs(&timeline);
            match step {
                0 => { timeline.apply_events(&events(head + 1..head + n + 1)); head += n; }
                1 if timeline.detached_at().is_none() => { follows = true; }
                1 => {
                    timeline.reset("log".into(), head, messages(head.saturating_sub(99).max(1)..head + 1));
                    follows = true;
                }
                2 => {
                    let first = timeline.first().unwrap_or(1);
                    timeline.prepend(messages(first.saturating_sub(100).max(1)..first));
                    (follows, shown) = (false, 0..300);
                }
                _ => if let Some(detached_at) = timeline.detached_at() {
                    let to = head.min(detached_at + 100);
                    timeline.append_page(messages(detached_at + 1..to + 1), to);
                    shown = timeline.len().saturating_sub(300)..timeline.len();
                },
            }
            if follows { shown = timeline.len().saturating_sub(300)..timeline.len(); }
            shown = shown.start.min(timeline.len())..shown.end.min(timeline.len());
            let dropped = timeline.trim(shown.clone(), follows);
            let after = seqs(&timeline);
            prop_assert!(after.len() <= MAX_ENTRIES, "{} entries", after.len());
            prop_assert!(after.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a hole");
            let newest = timeline.detached_at().unwrap_or(head);
            prop_assert_eq!(after.last().copied(), Some(newest));
            if step == 0 && !follows && dropped <= shown.start {
                let seen = &before[shown.start.min(before.len())..shown.end.min(before.len())];
                prop_assert!(seen.iter().all(|seq| after.contains(seq)), "what is on the page stays");
            }
        }
    }
}
