//! The retention of data, and what is left of it afterwards.

use super::{ANN, BOB, delete, edit, every_store, info, latest_page, message, post, reply, room_info};
use crate::support::room;
use app::wire::{EventBody, Millis, Operation, Retention, Seq, UserId};
use server::store::{
    ABANDONED_AFTER, Action, Invitation, MAX_EXPIRED_PER_STEP, MarkerUpdate, Moderation, NewEvent, Role,
    Scope, ServerRetention, Setting, Store, StoreError, Sweep, Until, VISIT_INTERVAL,
};
use std::{sync::Arc, time::Duration};

every_store! {
    only_the_owner_says_how_long_a_room_keeps_messages
    the_server_has_a_retention_of_its_own
    expired_messages_are_gone_with_everything_about_them
    an_edit_that_is_younger_than_its_message_expires_with_it
    positions_stay_without_gaps_and_a_repeat_stays_a_repeat
    a_sweep_is_bounded_and_goes_on_where_it_ended
    nothing_expires_in_a_room_that_keeps_messages
    followers_are_told_what_has_expired
    expired_messages_are_not_unread_and_address_nobody
    an_abandoned_room_is_removed_with_everything_in_it
    a_room_with_a_visitor_an_owner_or_two_messages_stays
}

const CAT: UserId = UserId(0xc);
const DAN: UserId = UserId(0xd);

const HOUR: Millis = 3_600_000;

fn hours(hours: u32) -> Retention {
    hours.try_into().unwrap()
}

/// Returns a sweep so many milliseconds from now, on a server that keeps messages for a day.
async fn sweep_in(store: &dyn Store, later: Millis) -> Sweep {
    let server = ServerRetention { default: hours(24), is_limit: false };
    Sweep { now: store.clock().await.unwrap() + later, server }
}

async fn expire_all(store: &dyn Store) -> u32 {
    let sweep = sweep_in(store, 25 * HOUR).await;
    store.expire(room("tea"), sweep).await.unwrap()
}

async fn only_the_owner_says_how_long_a_room_keeps_messages(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    let set = async |name, user, retention| store.set_retention(room(name), user, retention).await;
    assert!(matches!(set("tea", BOB, Some(hours(1))).await, Err(StoreError::Forbidden)));
    assert!(matches!(set("none", ANN, Some(hours(1))).await, Err(StoreError::RoomNotFound)));
    assert!(matches!(set("lobby", ANN, Some(hours(1))).await, Err(StoreError::Forbidden)));
    assert_eq!(info(&*store, &room("tea")).await.retention, None);
    for retention in [Some(hours(1)), Some(Retention::UNLIMITED), None] {
        set("tea", ANN, retention).await.unwrap();
        assert_eq!(info(&*store, &room("tea")).await.retention, retention);
    }
    set("tea", ANN, Some(hours(1))).await.unwrap();
    store.update_room(room("tea"), ANN, "Tea!".parse().unwrap(), "leaves".parse().unwrap()).await.unwrap();
    assert_eq!(info(&*store, &room("tea")).await.retention, Some(hours(1)), "a new title changes nothing");
    let aging = store.aging_rooms(None, 10).await.unwrap();
    let tea = aging.iter().find(|aging| aging.room == room("tea")).unwrap();
    assert_eq!((tea.retention, tea.has_owner, tea.head, tea.oldest_at), (Some(hours(1)), true, 0, None));
    assert!(store.aging_rooms(Some(&room("tea")), 10).await.unwrap().is_empty());
}

async fn the_server_has_a_retention_of_its_own(store: Arc<dyn Store>) {
    assert_eq!(store.settings().await.unwrap().retention, ServerRetention::default());
    for (kept, is_limit) in [(hours(168), true), (hours(1), false), (Retention::UNLIMITED, false)] {
        let wanted = ServerRetention { default: kept, is_limit };
        store.set(Setting::Retention, Some(wanted.to_string().into())).await.unwrap();
        assert_eq!(store.settings().await.unwrap().retention, wanted);
    }
}

async fn expired_messages_are_gone_with_everything_about_them(store: Arc<dyn Store>) {
    for n in 1..=3 {
        post(&*store, "tea", &format!("secret {n}")).await;
    }
    store.append(edit(ANN, 1, "secret edit")).await.unwrap();
    store.append(delete(ANN, 2)).await.unwrap();
    let react = Operation::React { target: 3, emoji: "👍".into(), on: true };
    store.append(NewEvent { operation: react.clone(), ..message("tea", BOB, "") }).await.unwrap();
    assert_eq!(expire_all(&*store).await, 6);
    assert_eq!(latest_page(&*store).await.messages, []);
    assert!(!latest_page(&*store).await.more);
    let events = store.events_after(&room("tea"), 0, 100).await.unwrap();
    assert_eq!(events.len(), 7);
    assert!(events[..6].iter().all(|event| event.body == EventBody::Expired), "{events:?}");
    assert_eq!(events[6].body, EventBody::Expire { up_to: 6 });
    let refused = [edit(ANN, 1, "again"), delete(ANN, 3), reply(BOB, 3)];
    for refused in refused.into_iter().chain([NewEvent { operation: react, ..message("tea", BOB, "") }]) {
        let result = store.append(refused).await;
        assert!(matches!(result, Err(StoreError::MessageNotFound)), "{result:?}");
    }
    assert_eq!(post(&*store, "tea", "new").await.seq, 8);
    assert_eq!(latest_page(&*store).await.messages.len(), 1);
}

async fn an_edit_that_is_younger_than_its_message_expires_with_it(store: Arc<dyn Store>) {
    post(&*store, "tea", "old").await;
    let first = store.events_after(&room("tea"), 0, 1).await.unwrap()[0].at;
    super::advance_clock().await;
    store.append(edit(ANN, 1, "secret")).await.unwrap();
    let server = ServerRetention { default: hours(1), is_limit: false };
    let expired = store.expire(room("tea"), Sweep { now: first + HOUR, server }).await.unwrap();
    assert_eq!(expired, 1, "the edit is younger");
    let events = store.events_after(&room("tea"), 0, 100).await.unwrap();
    let [gone, edit, expire] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&gone.body, &expire.body), (&EventBody::Expired, &EventBody::Expire { up_to: 1 }));
    assert_eq!(edit.seq, 2);
    assert!(matches!(&edit.body, EventBody::Edit { target: 1, text, .. } if text.is_empty()), "{edit:?}");
}

async fn positions_stay_without_gaps_and_a_repeat_stays_a_repeat(store: Arc<dyn Store>) {
    let first = message("tea", ANN, "secret");
    store.append(first.clone()).await.unwrap();
    expire_all(&*store).await;
    let again = store.append(first.clone()).await.unwrap();
    assert!(again.is_duplicate && again.seq == 1, "{again:?}");
    let stolen = store.append(NewEvent { author: BOB, ..first }).await;
    assert!(matches!(stolen, Err(StoreError::IdConflict)), "{stolen:?}");
    let seqs: Vec<Seq> =
        store.events_after(&room("tea"), 0, 10).await.unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2]);
}

async fn a_sweep_is_bounded_and_goes_on_where_it_ended(store: Arc<dyn Store>) {
    let most = u64::from(MAX_EXPIRED_PER_STEP);
    let posts = (0..most + 50).map(|n| store.append(message("tea", ANN, &format!("secret {n}"))));
    futures_util::future::try_join_all(posts).await.unwrap();
    let page = async || store.messages_before(&room("tea"), Seq::MAX, 500).await.unwrap();
    assert_eq!(expire_all(&*store).await, MAX_EXPIRED_PER_STEP);
    assert_eq!(page().await.messages.len(), 50);
    // The event that says so expires as well, and says nothing.
    assert_eq!(expire_all(&*store).await, 51);
    assert_eq!(page().await.messages.len(), 0);
    assert_eq!(expire_all(&*store).await, 1);
    assert_eq!(expire_all(&*store).await, 0);
    assert_eq!(store.head(&room("tea")).await.unwrap(), most + 52);
    let aging = store.aging_rooms(None, 10).await.unwrap().remove(0);
    assert_eq!((aging.head, aging.oldest_at), (most + 52, None));
}

async fn nothing_expires_in_a_room_that_keeps_messages(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    store.set_retention(room("tea"), ANN, Some(Retention::UNLIMITED)).await.unwrap();
    post(&*store, "tea", "kept").await;
    assert_eq!(expire_all(&*store).await, 0);
    let unlimited = Sweep { server: ServerRetention::default(), ..sweep_in(&*store, 1_000_000 * HOUR).await };
    store.set_retention(room("tea"), ANN, None).await.unwrap();
    assert_eq!(store.expire(room("tea"), unlimited).await.unwrap(), 0);
    assert_eq!(store.expire(room("none"), unlimited).await.unwrap(), 0);
    let soon = sweep_in(&*store, 23 * HOUR).await;
    assert_eq!(store.expire(room("tea"), soon).await.unwrap(), 0);
    assert_eq!(latest_page(&*store).await.messages.len(), 1);
    // A limit of the server applies to every room.
    store.set_retention(room("tea"), ANN, Some(Retention::UNLIMITED)).await.unwrap();
    let limit = ServerRetention { default: hours(24), is_limit: true };
    let sweep = Sweep { server: limit, ..sweep_in(&*store, 25 * HOUR).await };
    assert_eq!(store.expire(room("tea"), sweep).await.unwrap(), 1);
}

async fn followers_are_told_what_has_expired(store: Arc<dyn Store>) {
    use futures_util::StreamExt;
    post(&*store, "tea", "secret").await;
    let active = store.aging_rooms(None, 1).await.unwrap()[0].oldest_at;
    let mut notifications = store.subscribe();
    expire_all(&*store).await;
    let (head, events) = loop {
        if let Some(server::store::Notification::Appended { head, events, .. }) = notifications.next().await {
            break (head, events);
        }
    };
    assert_eq!(head, 2);
    assert!(events.is_none_or(|events| events[0].body == EventBody::Expire { up_to: 1 }));
    let last = store.events_after(&room("tea"), 1, 1).await.unwrap();
    assert_eq!(Some(last[0].at), active, "the room is no more active than before");
}

async fn expired_messages_are_not_unread_and_address_nobody(store: Arc<dyn Store>) {
    let first = store.append(message("tea", BOB, "hello")).await.unwrap();
    let mentions =
        [app::wire::Mention { name: "Ann".into(), user: store.users(&[ANN]).await.unwrap().remove(0) }];
    let event = NewEvent { mentions: mentions.into_iter().collect(), ..message("tea", BOB, "hi @Ann") };
    store.append(event).await.unwrap();
    assert_eq!(first.seq, 1);
    let counts = async || {
        let rooms = [(room("tea"), 0)];
        let unread = store.unread_counts(ANN, &rooms).await.unwrap()[0];
        (unread, store.mention_counts(ANN, &rooms).await.unwrap()[0])
    };
    assert_eq!(counts().await, (2, 1));
    expire_all(&*store).await;
    assert_eq!(counts().await, (0, 0));
}

async fn an_abandoned_room_is_removed_with_everything_in_it(store: Arc<dyn Store>) {
    let mentions =
        [app::wire::Mention { name: "Bob".into(), user: store.users(&[BOB]).await.unwrap().remove(0) }];
    let first = message("tea", ANN, "hi @Bob, anybody here?");
    let event = NewEvent { mentions: mentions.into_iter().collect(), ..first.clone() };
    store.append(event).await.unwrap();
    store.append(edit(ANN, 1, "hello")).await.unwrap();
    let react = Operation::React { target: 1, emoji: "👍".into(), on: true };
    store.append(NewEvent { operation: react, ..message("tea", BOB, "") }).await.unwrap();
    store.set_read_marker(BOB, room("tea"), 2).await.unwrap();
    leave_rights(&*store).await;
    let now = store.clock().await.unwrap();
    let remove = async |at| store.remove_if_abandoned(room("tea"), at).await.unwrap();
    assert!(!remove(now + ABANDONED_AFTER - HOUR).await);
    assert!(remove(now + ABANDONED_AFTER + HOUR).await);
    let record = store.room(&room("tea")).await.unwrap();
    assert_eq!((record.head, record.info), (0, server::store::RoomInfo::default()));
    assert_eq!(store.events_after(&room("tea"), 0, 10).await.unwrap(), []);
    for user in [ANN, BOB] {
        assert_eq!(store.read_markers(user, 0, 10).await.unwrap(), []);
    }
    assert!(store.aging_rooms(None, 10).await.unwrap().is_empty());
    let missing = store.set_read_marker(BOB, room("tea"), 1).await;
    assert!(matches!(missing, Err(StoreError::RoomNotFound)), "{missing:?}");
    assert!(!remove(now + 2 * ABANDONED_AFTER).await, "there is nothing to remove");
    for scope in [Scope::Room(room("tea")), Scope::All] {
        assert_eq!(store.reports(&scope).await.unwrap(), []);
    }
    // It is an ordinary missing room, and its first message creates it again.
    let again = store.append(first).await.unwrap();
    assert!(again.seq == 1 && !again.is_duplicate, "{again:?}");
    let moved = store.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    assert_eq!(moved, MarkerUpdate::Moved(1));
    assert_eq!(
        rights_of_tea(&*store).await,
        "[] [] []",
        "who moderated the room before has no right in the new one"
    );
}

/// Stores rights, restrictions, an invitation and a report of the room.
async fn leave_rights(store: &dyn Store) {
    store.set(Setting::AdminLink, Some("07".repeat(32).into())).await.unwrap();
    assert!(store.redeem_admin_link([7; 32], ANN).await.unwrap());
    store.report(BOB, room("tea"), 1, "rude".into()).await.unwrap();
    let invitation = Invitation { hash: [9; 32], expires_at: i64::MAX as u64, most_uses: None };
    for action in [
        Action::Appoint { user: CAT, role: Some(Role::Moderator) },
        Action::Mute { user: DAN, until: Until(None) },
        Action::Invite(invitation),
    ] {
        let reason = String::new();
        store.moderate(Moderation { actor: ANN, room: Some(room("tea")), action, reason }).await.unwrap();
    }
}

async fn rights_of_tea(store: &dyn Store) -> String {
    let scope = Scope::Room(room("tea"));
    let roles = store.roles(&scope, Role::Member, UserId(0)).await.unwrap();
    let (restrictions, invitations) = (store.restrictions(&scope).await, store.invitations(&scope).await);
    format!("{roles:?} {:?} {:?}", restrictions.unwrap(), invitations.unwrap())
}

async fn a_room_with_a_visitor_an_owner_or_two_messages_stays(store: Arc<dyn Store>) {
    store.create_room(room("owned"), room_info("Owned", ANN)).await.unwrap();
    for name in ["owned", "two", "two", "visited", "lobby"] {
        post(&*store, name, "hello").await;
    }
    let now = store.clock().await.unwrap();
    store.record_room_visit(room("visited"), now + VISIT_INTERVAL + HOUR).await.unwrap();
    for name in ["owned", "two", "visited", "lobby", "none"] {
        let removed = store.remove_if_abandoned(room(name), now + ABANDONED_AFTER + HOUR).await.unwrap();
        assert!(!removed, "{name}");
    }
    let later = now + ABANDONED_AFTER + VISIT_INTERVAL + 2 * HOUR;
    assert!(store.remove_if_abandoned(room("visited"), later).await.unwrap());
    assert!(store.take_lease("test", Duration::from_secs(60)).await.unwrap());
    assert!(store.take_lease("test", Duration::from_secs(60)).await.unwrap(), "it is renewed");
}
