//! Everything of a user: reading it, and erasing it.

use super::{ANN, BOB, delete, edit, every_store, message, post, reply, room_info};
use crate::support::room;
use app::wire::{DisplayName, Operation, Seq, UserId};
use futures_util::StreamExt;
use server::{
    store::{
        Action, DeviceId, DeviceLabel, EntryRequest, MAX_RECORDS_PER_READ, Moderation, NewEvent,
        Notification, Role, ScanPosition, Scope, Setting, SignIn, Store, StoreError, Until, UserContent,
        UserRecord, UserRight,
    },
    upkeep::erase_step,
};
use std::{sync::Arc, time::Duration};

every_store! {
    user_records_hold_what_still_exists_and_nothing_of_others
    records_are_read_in_bounded_steps
    an_erased_user_leaves_nothing
    erasure_ends_rights_devices_and_codes_but_no_restriction
    an_erased_user_stores_nothing_more
    an_erasure_of_a_user_who_has_written_nothing_ends_at_once
    an_erasure_goes_on_where_it_was_interrupted
}

fn react(user: UserId, target: Seq, on: bool) -> NewEvent {
    let operation = Operation::React { target, emoji: "👍".into(), on };
    NewEvent { operation, ..message("tea", user, "") }
}

async fn records(store: &dyn Store, user: UserId) -> Vec<UserRecord> {
    let (mut records, mut position) = (Vec::new(), Some(ScanPosition::default()));
    while let Some(at) = position {
        let found = store.user_records(user, at).await.unwrap();
        records.extend(found.records);
        position = found.next;
    }
    records
}

/// Erases everything of a user. Returns the number of steps.
async fn erase(store: &dyn Store, user: UserId) -> u32 {
    store.begin_erasure(user).await.unwrap();
    let mut steps = 1;
    while !erase_step(store, user).await.unwrap() {
        steps += 1;
    }
    steps
}

async fn user_records_hold_what_still_exists_and_nothing_of_others(store: Arc<dyn Store>) {
    for (author, said) in [(ANN, "one"), (BOB, "two"), (ANN, "three")] {
        store.append(message("tea", author, said)).await.unwrap();
    }
    store.append(edit(ANN, 1, "edited")).await.unwrap();
    store.append(delete(ANN, 3)).await.unwrap();
    store.append(reply(ANN, 2)).await.unwrap();
    store.append(react(ANN, 2, true)).await.unwrap();
    store.append(react(BOB, 1, true)).await.unwrap();
    for on in [true, false] {
        store.append(react(ANN, 1, on)).await.unwrap();
    }
    post(&*store, "jam", "elsewhere").await;
    let found = records(&*store, ANN).await;
    let mut contents: Vec<_> = found.iter().map(|it| (it.room.to_string(), it.seq, &it.content)).collect();
    contents.sort_by_key(|(room, seq, _)| (room.clone(), *seq));
    let [jam, edited, reply, reaction] = &contents[..] else { panic!("{contents:?}") };
    assert!(
        matches!(jam, (name, 1, UserContent::Message { text, .. }) if name == "jam" && &**text == "elsewhere")
    );
    assert!(
        matches!(edited, (_, 1, UserContent::Message { text, edited_at: Some(_), reply_to: None, .. }) if &**text == "edited"),
        "{edited:?}"
    );
    assert!(matches!(reply, (_, 6, UserContent::Message { reply_to: Some(2), .. })), "{reply:?}");
    assert!(
        matches!(reaction, (_, 7, UserContent::Reaction { target: 2, emoji }) if &**emoji == "👍"),
        "{reaction:?}"
    );
    assert_eq!(records(&*store, UserId(0xc)).await, []);
}

async fn records_are_read_in_bounded_steps(store: Arc<dyn Store>) {
    let most = MAX_RECORDS_PER_READ as usize;
    let posts = (0..2 * most + 1).map(|n| store.append(message("tea", ANN, &n.to_string())));
    futures_util::future::try_join_all(posts).await.unwrap();
    let first = store.user_records(ANN, ScanPosition::default()).await.unwrap();
    assert_eq!(first.records.len(), most);
    assert!(first.next.is_some());
    let all: Vec<Seq> = records(&*store, ANN).await.iter().map(|record| record.seq).collect();
    assert_eq!(all, (1..=2 * most as Seq + 1).collect::<Vec<_>>());
}

async fn an_erased_user_leaves_nothing(store: Arc<dyn Store>) {
    store.set_display_name(ANN, "Ann".parse().unwrap()).await.unwrap();
    store.append(message("tea", BOB, "hello")).await.unwrap();
    store.append(message("tea", ANN, "secret")).await.unwrap();
    store.append(edit(ANN, 2, "secret too")).await.unwrap();
    store.append(react(ANN, 1, true)).await.unwrap();
    store.append(react(BOB, 2, true)).await.unwrap();
    store.set_read_marker(ANN, room("tea"), 3).await.unwrap();
    store.create_device_link([1; 32], ANN, Duration::from_secs(60)).await.unwrap().unwrap();
    assert_eq!(store.erasure(ANN).await.unwrap(), None);
    erase(&*store, ANN).await;
    let erasure = store.erasure(ANN).await.unwrap().unwrap();
    assert_eq!(erasure.erased, 2);
    assert!(erasure.finished_at.is_some());
    assert_eq!(store.unfinished_erasures().await.unwrap(), []);
    assert_eq!(records(&*store, ANN).await, []);
    assert_eq!(store.read_markers(ANN, 0, 10).await.unwrap(), []);
    assert!(store.device_link([1; 32]).await.unwrap().is_err());
    let name = store.users(&[ANN]).await.unwrap()[0].name.clone();
    assert_eq!(name, DisplayName::generated(ANN));
    let page = store.messages_before(&room("tea"), Seq::MAX, 10).await.unwrap();
    let [hello, secret] = &page.messages[..] else { panic!("{page:?}") };
    assert!(secret.deleted && secret.text.is_empty());
    assert!(hello.reactions.list.is_empty() && &*hello.text == "hello");
    let events = store.events_after(&room("tea"), 0, 100).await.unwrap();
    assert!(!format!("{events:?}").contains("secret"), "{events:?}");
}

/// Gives a user a role, a blocked user, a report, a device and a recovery code, and mutes them.
async fn give_rights(store: &dyn Store) {
    store.set(Setting::AdminLink, Some("07".repeat(32).into())).await.unwrap();
    assert!(store.redeem_admin_link([7; 32], BOB).await.unwrap());
    store.append(message("tea", BOB, "hello")).await.unwrap();
    store.append(message("tea", ANN, "hi")).await.unwrap();
    for action in [
        Action::Appoint { user: ANN, role: Some(Role::Moderator) },
        Action::Mute { user: ANN, until: Until(None) },
    ] {
        let room = Some(room("tea"));
        store.moderate(Moderation { actor: BOB, room, action, reason: String::new() }).await.unwrap();
    }
    store.set_blocked(ANN, BOB, true).await.unwrap();
    store.report(ANN, room("tea"), 1, "rude".into()).await.unwrap();
    let label = DeviceLabel { browser: "Firefox".into(), system: "Linux".into() };
    let sign_in = SignIn { device: DeviceId(7), generation: 0 };
    store.record_device(ANN, sign_in, Some(label)).await.unwrap();
    assert!(store.set_recovery_code(ANN, [5; 32]).await.unwrap());
}

async fn erasure_ends_rights_devices_and_codes_but_no_restriction(store: Arc<dyn Store>) {
    give_rights(&*store).await;
    let tea = room("tea");
    let rights = store.user_rights(ANN, 0, 10).await.unwrap();
    let at = store.reports(&Scope::All).await.unwrap()[0].at;
    let expected = [
        UserRight::Role { room: Some(tea.clone()), role: Role::Moderator },
        UserRight::Blocked { user: BOB },
        UserRight::Report { room: tea.clone(), seq: 1, at, reason: "rude".into() },
    ];
    assert_eq!(rights, expected);
    assert_eq!(store.user_rights(ANN, 1, 1).await.unwrap(), expected[1..2]);
    assert_eq!(
        store.user_rights(BOB, 0, 10).await.unwrap(),
        [UserRight::Role { room: None, role: Role::Admin }]
    );
    let mut changes = store.subscribe();
    let generation = store.sign_ins(ANN).await.unwrap().generation;
    erase(&*store, ANN).await;
    assert_eq!(store.user_rights(ANN, 0, 10).await.unwrap(), []);
    assert_eq!(store.blocked(ANN).await.unwrap(), []);
    assert_eq!(store.reports(&Scope::All).await.unwrap(), []);
    let sign_ins = store.sign_ins(ANN).await.unwrap();
    assert!(sign_ins.devices.is_empty() && sign_ins.generation > generation, "{sign_ins:?}");
    assert_eq!(store.redeem_recovery_code([5; 32]).await.unwrap(), None);
    while !matches!(changes.next().await, Some(Notification::SignedOut(ANN))) {}
    let standing = store.standing(EntryRequest { user: ANN, network: None, room: Some(tea) }).await.unwrap();
    assert_eq!((standing.room.role, standing.room.mute), (None, Some(Until(None))), "nobody escapes a mute");
    // Another device knows nothing of it yet.
    let label = DeviceLabel { browser: "Firefox".into(), system: "Linux".into() };
    let late = SignIn { device: DeviceId(8), generation: sign_ins.generation };
    store.record_device(ANN, late, Some(label)).await.unwrap();
    assert!(!store.set_recovery_code(ANN, [5; 32]).await.unwrap());
    assert!(matches!(store.set_blocked(ANN, BOB, true).await, Err(StoreError::Erased)));
    assert!(matches!(store.report(ANN, room("tea"), 1, String::new()).await, Err(StoreError::Erased)));
    assert!(store.sign_ins(ANN).await.unwrap().devices.is_empty());
}

async fn an_erased_user_stores_nothing_more(store: Arc<dyn Store>) {
    store.append(message("tea", BOB, "hello")).await.unwrap();
    let posted = message("tea", ANN, "secret");
    store.append(posted.clone()).await.unwrap();
    erase(&*store, ANN).await;
    // Another device still has these.
    let late = [message("tea", ANN, "late"), message("new", ANN, "late"), reply(ANN, 1), react(ANN, 1, true)];
    for late in late {
        for repeat in [late.clone(), late] {
            let result = store.append(repeat).await;
            assert!(matches!(result, Err(StoreError::Erased)), "{result:?}");
        }
    }
    let again = store.append(posted).await.unwrap();
    assert!(again.is_duplicate, "a repeat stays a repeat");
    store.append(message("tea", BOB, "between")).await.unwrap();
    let renamed = store.set_display_name(ANN, "Ann".parse().unwrap()).await;
    assert!(matches!(renamed, Err(StoreError::Erased)), "{renamed:?}");
    let created = store.create_room(room("mine"), room_info("Mine", ANN)).await;
    assert!(matches!(created, Err(StoreError::Erased)), "{created:?}");
    let link = store.create_device_link([1; 32], ANN, Duration::from_secs(60)).await;
    assert!(!matches!(link, Ok(Ok(()))), "{link:?}");
    let _ = store.set_read_marker(ANN, room("tea"), 1).await;
    let _ = store.mark_unread(ANN, room("tea"), 1).await;
    assert_eq!(store.read_markers(ANN, 0, 10).await.unwrap(), []);
    assert_eq!(records(&*store, ANN).await, []);
    assert_eq!(store.room(&room("new")).await.unwrap().head, 0);
    store.begin_erasure(ANN).await.unwrap();
    assert!(erase_step(&*store, ANN).await.unwrap(), "it is not begun again");
    post_by_others(&*store).await;
}

async fn post_by_others(store: &dyn Store) {
    let events = [message("tea", BOB, "on"), message("tea", UserId(0xc), "on"), message("tea", ANN, "late")];
    let results = futures_util::future::join_all(events.map(|event| store.append(event))).await;
    assert!(results[..2].iter().all(Result::is_ok), "{results:?}");
    assert!(matches!(results[2], Err(StoreError::Erased)), "{results:?}");
}

async fn an_erasure_of_a_user_who_has_written_nothing_ends_at_once(store: Arc<dyn Store>) {
    post(&*store, "tea", "hello").await;
    store.set_read_marker(BOB, room("tea"), 1).await.unwrap();
    store.begin_erasure(BOB).await.unwrap();
    assert!(store.erasure(BOB).await.unwrap().unwrap().finished_at.is_some());
    assert_eq!(store.unfinished_erasures().await.unwrap(), []);
    assert_eq!(store.read_markers(BOB, 0, 10).await.unwrap(), []);
    let late = store.append(message("tea", BOB, "late")).await;
    assert!(matches!(late, Err(StoreError::Erased)), "{late:?}");
}

async fn an_erasure_goes_on_where_it_was_interrupted(store: Arc<dyn Store>) {
    let count = u64::from(MAX_RECORDS_PER_READ) + 10;
    let posts = (0..count).map(|n| store.append(message("tea", ANN, &format!("secret {n}"))));
    futures_util::future::try_join_all(posts).await.unwrap();
    store.begin_erasure(ANN).await.unwrap();
    assert_eq!(store.unfinished_erasures().await.unwrap(), [ANN]);
    assert!(!erase_step(&*store, ANN).await.unwrap());
    // A step that was carried out, but not noted, changes nothing when it is repeated.
    let done = store.erasure(ANN).await.unwrap().unwrap();
    assert_eq!(done.erased, u64::from(MAX_RECORDS_PER_READ));
    let records = store.user_records(ANN, done.position).await.unwrap().records;
    store.append(delete(ANN, records[0].seq)).await.unwrap();
    while !erase_step(&*store, ANN).await.unwrap() {}
    let erasure = store.erasure(ANN).await.unwrap().unwrap();
    assert_eq!((erasure.erased, erasure.finished_at.is_some()), (count - 1, true));
    assert!(store.user_records(ANN, ScanPosition::default()).await.unwrap().records.is_empty());
}
