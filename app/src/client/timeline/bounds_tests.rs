//! What the feed keeps, drops, hides and fetches again.

use super::*;
use crate::wire::DisplayName;
use proptest::prelude::*;
use uuid::Uuid;

fn author(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

/// Message `seq` of the log, all by one author and within a minute.
fn event(seq: Seq) -> Arc<Event> {
    let body = EventBody::Message { text: format!("message {seq}").into(), reply_to: None };
    Arc::new(Event { seq, at: seq, id: Uuid::from_u128(seq.into()), author: author(1), body })
}

fn messages(seqs: Range<Seq>) -> Vec<Message> {
    seqs.filter_map(|seq| Message::from_event(&event(seq))).collect()
}

fn events(seqs: Range<Seq>) -> Vec<Arc<Event>> {
    seqs.map(event).collect()
}

fn feed(len: Seq) -> Feed {
    Feed::new("log".into(), len, messages(1..len + 1))
}

fn seqs(feed: &Feed) -> Vec<Seq> {
    feed.confirmed.iter().filter_map(|row| row.standing.seq()).collect()
}

fn heads(feed: &Feed) -> Vec<Seq> {
    let shown = feed.shown(0..feed.len());
    shown.iter().filter(|shown| shown.opens).filter_map(|shown| shown.row.standing.seq()).collect()
}

fn deletion(id: u128, target: Seq) -> Command {
    Command { id: Uuid::from_u128(id), deed: Deed::Delete { target } }
}

#[test]
fn a_head_stands_again_after_ten_lines_and_stays_when_older_rows_come_or_go() {
    let mut feed = Feed::new("log".into(), 130, messages(101..131));
    assert_eq!(heads(&feed), [101, 111, 121]);
    feed.prepend(messages(76..101));
    assert_eq!(heads(&feed), [76, 86, 96, 101, 111, 121]);
    feed.hear(&events(131..133));
    assert_eq!(heads(&feed), [76, 86, 96, 101, 111, 121, 131]);
    feed.confirmed.drain(..30);
    assert_eq!(heads(&feed), [106, 111, 121, 131], "and the oldest row has one");
}

#[test]
fn a_message_that_waits_stands_under_the_same_head_as_when_it_is_confirmed() {
    let mut feed = feed(9);
    for seq in 10..13 {
        feed.post(Uuid::from_u128(seq), author(1), format!("message {seq}").into());
    }
    let opens = |feed: &Feed| feed.shown(0..feed.len()).iter().map(|shown| shown.opens).collect::<Vec<_>>();
    let waiting = opens(&feed);
    feed.hear(&events(10..13));
    assert_eq!((opens(&feed), waiting[10]), (waiting, true));
}

#[test]
fn a_reader_at_the_end_loses_the_oldest_rows_and_nothing_else() {
    let mut feed = feed(1_900);
    feed.hear(&events(1_901..2_102));
    let dropped = feed.bound(1_801..2_101, true);
    assert_eq!((dropped, feed.len(), feed.first(), feed.kept_to()), (301, 1_800, Some(302), None));
    assert_eq!(feed.first_new(), None);
    feed.prepend(messages(202..302));
    assert_eq!(seqs(&feed), (202..2_102).collect::<Vec<_>>());
}

#[test]
fn a_reader_far_back_loses_the_newest_rows_and_reads_on_to_the_end_without_a_hole() {
    let mut feed = feed(2_001);
    assert_eq!((feed.bound(0..300, false), feed.kept_to(), feed.last()), (0, Some(1_800), 2_001));
    feed.hear(&events(2_002..2_004));
    assert_eq!((feed.len(), feed.last()), (1_800, 2_003), "it is not kept, but known");
    feed.extend(messages(1_801..1_901), 1_900);
    assert_eq!(feed.kept_to(), Some(1_900));
    feed.extend(messages(1_901..2_004), 2_003);
    assert_eq!((feed.kept_to(), seqs(&feed)), (None, (1..2_004).collect()));
    feed.hear(&events(2_004..2_005));
    assert_eq!(seqs(&feed).last(), Some(&2_004));
}

#[test]
fn a_page_that_ends_before_what_was_posted_meanwhile_leaves_the_feed_detached() {
    let mut feed = feed(2_001);
    feed.bound(0..300, false);
    feed.hear(&events(2_002..2_012));
    feed.extend(messages(1_801..2_002), 2_001);
    assert_eq!((feed.kept_to(), feed.last()), (Some(2_001), 2_011));
}

#[test]
fn a_held_deletion_hides_its_message_until_it_is_undone_or_sent() {
    let mut feed = feed(3);
    feed.hold(&deletion(7, 1), author(1));
    let hidden = |feed: &Feed| feed.shown(0..3).iter().map(|shown| shown.hidden).collect::<Vec<_>>();
    assert_eq!(
        (hidden(&feed), heads(&feed)),
        (vec![true, false, false], vec![1, 2]),
        "the next row has the head"
    );
    assert!(feed.waits(Uuid::from_u128(7)), "another look at what is stored does not send it");
    feed.forget(Uuid::from_u128(7));
    assert_eq!((hidden(&feed), heads(&feed)), (vec![false; 3], vec![1]));
    feed.hold(&deletion(8, 2), author(1));
    assert_eq!(feed.release(Uuid::from_u128(8)), Some(deletion(8, 2)));
    assert_eq!(feed.release(Uuid::from_u128(8)), None, "it is sent once");
    let shown = feed.shown(1..2).remove(0);
    assert!(!shown.hidden && shown.row.deleted && shown.changing == Some((Uuid::from_u128(8), None)));
}

#[test]
fn a_hidden_message_is_neither_the_first_of_a_day_nor_the_first_new_one() {
    let mut feed = feed(3);
    feed.seen(0, UserId(2));
    feed.hold(&deletion(7, 1), author(2));
    let shown = feed.shown(0..3);
    assert!(!shown[0].day && !shown[0].first_new && shown[1].day && shown[1].first_new);
}

proptest! {
    /// Steps: messages come, the reader goes to the end, reads back, or reads on.
    #[test]
    fn the_feed_is_bounded_and_has_no_hole_for_every_reader(
        steps in prop::collection::vec((0_u8..4, 1_u64..900), 1..60),
    ) {
        let (mut feed, mut head, mut shown, mut follows) = (feed(50), 50, 0..50, true);
        for (step, n) in steps {
            let before = seqs(&feed);
            match step {
                0 => { feed.hear(&events(head + 1..head + n + 1)); head += n; }
                1 if feed.kept_to().is_none() => { follows = true; }
                1 => {
                    feed.reset("log".into(), head, messages(head.saturating_sub(99).max(1)..head + 1));
                    follows = true;
                }
                2 => {
                    let first = feed.first().unwrap_or(1);
                    feed.prepend(messages(first.saturating_sub(100).max(1)..first));
                    (follows, shown) = (false, 0..300);
                }
                _ => if let Some(kept_to) = feed.kept_to() {
                    let to = head.min(kept_to + 100);
                    feed.extend(messages(kept_to + 1..to + 1), to);
                    shown = feed.len().saturating_sub(300)..feed.len();
                },
            }
            if follows { shown = feed.len().saturating_sub(300)..feed.len(); }
            shown = shown.start.min(feed.len())..shown.end.min(feed.len());
            let dropped = feed.bound(shown.clone(), follows);
            let after = seqs(&feed);
            prop_assert!(after.len() <= MAX_ROWS, "{} rows", after.len());
            prop_assert!(after.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a hole");
            let newest = feed.kept_to().unwrap_or(head);
            prop_assert_eq!(after.last().copied(), Some(newest));
            if step == 0 && !follows && dropped <= shown.start {
                let seen = &before[shown.start.min(before.len())..shown.end.min(before.len())];
                prop_assert!(seen.iter().all(|seq| after.contains(seq)), "what is on the page stays");
            }
        }
    }
}
