//! Imports: a room that comes from elsewhere becomes what it was there.

use super::{
    ANN, BOB, delete, edit, every_store, info, latest_page, message, on_memory, post, reply, room_info, title,
};
use crate::support::room;
use app::wire::{
    DisplayName, Event, EventBody, Files, Mention, Mentions, Operation, Retention, RoomName, Seq, User,
    UserId,
};
use server::store::{
    EntryRequest, ImportRefusal, MAX_IMPORTED_EVENTS, NewEvent, RoomImport, RoomInfo, RoomOrder, RoomQuery,
    ServerRetention, Store, Sweep, may_enter_room,
};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    an_import_makes_the_room_that_was_exported
    what_is_there_is_not_added_again
    whatever_happens_between_two_imports_the_last_one_decides
    import_of_impossible_events_is_refused_and_stores_nothing
    a_room_that_has_gone_on_by_itself_is_refused
    users_who_exist_keep_their_names
    nothing_of_a_user_who_has_erased_everything_comes_back
    a_room_is_created_with_its_description
    a_room_for_members_is_one_again
}

const CAT: UserId = UserId(0xc);

fn react(user: UserId, target: Seq, emoji: &str, on: bool) -> NewEvent {
    NewEvent { operation: Operation::React { target, emoji: emoji.into(), on }, ..message("tea", user, "") }
}

fn import(events: &[Arc<Event>]) -> RoomImport {
    RoomImport {
        room: room("tea"),
        info: RoomInfo::default(),
        members_only: false,
        owner: None,
        events: events.iter().map(|event| (**event).clone()).collect(),
    }
}

async fn exported(store: &dyn Store) -> Vec<Arc<Event>> {
    let mut events: Vec<Arc<Event>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |last| last.seq);
        let more = store.events_after(&room("tea"), after, 1_000).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

/// Imports events in steps of a size. Returns how many were added.
async fn import_all(store: &dyn Store, events: &[Arc<Event>], size: usize) -> u32 {
    let mut added = 0;
    for events in events.chunks(size) {
        added += store.import_events(import(events)).await.unwrap().unwrap();
    }
    added
}

async fn refusal(store: &dyn Store, events: &[Arc<Event>]) -> ImportRefusal {
    store.import_events(import(events)).await.unwrap().expect_err("it is refused")
}

/// Returns a store in memory with a room in which much has happened.
async fn source(test: impl AsyncFnOnce(Arc<dyn Store>)) {
    on_memory(async |store| {
        let rename =
            async |user, name: &str| store.set_display_name(user, name.parse().unwrap()).await.unwrap();
        rename(ANN, "Ann").await;
        rename(BOB, "Bob").await;
        let bob = Mention { name: "Bob".into(), user: User::new(BOB, DisplayName::generated(BOB)) };
        let mentions = Mentions::from_iter([bob.clone()]);
        post(&*store, "tea", "<script>alert(1)</script>").await;
        for event in [
            NewEvent { mentions: mentions.clone(), ..message("tea", ANN, "hi @Bob") },
            reply(BOB, 1),
            edit(ANN, 1, "first"),
            NewEvent { mentions, ..edit(ANN, 1, "second, @Bob") },
            message("tea", CAT, "gone"),
            react(ANN, 6, "👍", true),
            delete(CAT, 6),
            react(BOB, 2, "🎉", true),
            react(CAT, 2, "🎉", true),
            react(BOB, 2, "🎉", false),
            edit(ANN, 2, "nobody is addressed any more"),
        ] {
            store.append(event).await.unwrap();
        }
        test(store).await;
    })
    .await;
}

/// Compares everything that readers see of the room.
async fn assert_same(store: &dyn Store, source: &dyn Store) {
    assert_eq!(exported(store).await, exported(source).await);
    let (page, expected) = (latest_page(store).await, latest_page(source).await);
    assert_eq!(page.messages, expected.messages);
    for user in [ANN, BOB, CAT] {
        let rooms = [(room("tea"), 0)];
        let counted = store.mention_counts(user, &rooms).await.unwrap();
        assert_eq!(counted, source.mention_counts(user, &rooms).await.unwrap(), "{user}");
        let unread = store.unread_counts(user, &rooms).await.unwrap();
        assert_eq!(unread, source.unread_counts(user, &rooms).await.unwrap(), "{user}");
    }
}

async fn an_import_makes_the_room_that_was_exported(store: Arc<dyn Store>) {
    source(async |source| {
        let events = exported(&*source).await;
        assert_eq!(import_all(&*store, &events, MAX_IMPORTED_EVENTS).await, 12);
        assert_same(&*store, &*source).await;
        let marker = store.read_markers(BOB, 0, 10).await.unwrap();
        assert_eq!(marker, [(room("tea"), 3)], "as if they had posted here");
        assert_eq!(post(&*store, "tea", "it goes on").await.seq, 13);
    })
    .await;
}

async fn what_is_there_is_not_added_again(store: Arc<dyn Store>) {
    source(async |source| {
        let events = exported(&*source).await;
        // As if an import had been killed after each of its steps.
        for size in 1..=events.len() {
            assert_eq!(import_all(&*store, &events[..size], 5).await, 1, "only the last one is new");
        }
        assert_eq!(import_all(&*store, &events, 4).await, 0);
        assert_same(&*store, &*source).await;
        assert_eq!(import_all(&*store, &events[..3], 3).await, 0, "an older archive adds nothing");
        assert_same(&*store, &*source).await;
    })
    .await;
}

/// Random operations: after each part of them the room is imported again.
async fn whatever_happens_between_two_imports_the_last_one_decides(store: Arc<dyn Store>) {
    on_memory(async |source| {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..6 {
            for _ in 0..30 {
                let head = source.head(&room("tea")).await.unwrap();
                let user = [ANN, BOB, CAT][random.usize(..3)];
                let target = random.u64(1..=head.max(1));
                let emoji = ["👍", "🎉"][random.usize(..2)];
                let event = match random.u8(..8) {
                    0..=2 => message("tea", user, &format!("message {round}")),
                    3 => reply(user, target),
                    4 => edit(user, target, &format!("edit {round}")),
                    5 if random.bool() => delete(user, target),
                    _ => react(user, target, emoji, random.bool()),
                };
                // Many are refused, as they should be.
                let _ = source.append(event).await;
            }
            if round == 3 {
                let server = ServerRetention { default: 24.try_into().unwrap(), is_limit: false };
                let now = source.clock().await.unwrap() + 25 * 3_600_000;
                source.expire(room("tea"), Sweep { now, server }).await.unwrap();
            }
            import_all(&*store, &exported(&*source).await, random.usize(1..20)).await;
            assert_same(&*store, &*source).await;
        }
    })
    .await;
}

async fn import_of_impossible_events_is_refused_and_stores_nothing(store: Arc<dyn Store>) {
    source(async |source| {
        let events = exported(&*source).await;
        let changed = |n: usize, change: &dyn Fn(&mut Event)| {
            let mut events = events.clone();
            change(Arc::make_mut(&mut events[n]));
            events
        };
        let emoji = |event: &mut Event| {
            event.body = EventBody::React { target: 2, emoji: "evil".into(), on: true };
        };
        let twice = |event: &mut Event| {
            (event.author, event.body) =
                (events[8].author.clone(), EventBody::React { target: 2, emoji: "🎉".into(), on: true });
        };
        for (events, expected) in [
            (events[1..].to_vec(), ImportRefusal::Gap(2)),
            (changed(4, &|event| event.seq = 7), ImportRefusal::Gap(7)),
            (changed(4, &|event| event.id = events[0].id), ImportRefusal::IdTaken(5)),
            (changed(2, &|event| event.body = EventBody::Delete { target: 9 }), ImportRefusal::NoMessage(3)),
            (changed(8, &|event| event.body = EventBody::Delete { target: 4 }), ImportRefusal::NoMessage(9)),
            (changed(3, &|event| event.author = events[2].author.clone()), ImportRefusal::OtherAuthor(4)),
            (changed(3, &|event| event.body = EventBody::Expire { up_to: 4 }), ImportRefusal::NoMessage(4)),
            (changed(9, &emoji), ImportRefusal::Reaction(10)),
            (changed(9, &twice), ImportRefusal::Reaction(10)),
            (changed(3, &|event| event.body = EventBody::Unknown), ImportRefusal::UnknownKind(4)),
        ] {
            assert_eq!(refusal(&*store, &events).await, expected);
            assert_eq!(store.room(&room("tea")).await.unwrap().head, 0);
        }
        let rooms = store.list_rooms(RoomQuery::new(RoomOrder::Name, 10)).await.unwrap();
        assert!(rooms.iter().all(|found| found.room != room("tea")), "the room was not created");
        assert!(store.known_users(&room("tea"), &[ANN, BOB]).await.unwrap().is_empty());
        // The ids may be those of another room.
        let elsewhere = RoomImport { room: room("coffee"), ..import(&events) };
        store.import_events(elsewhere).await.unwrap().unwrap();
        assert_eq!(refusal(&*store, &events).await, ImportRefusal::IdTaken(1));
    })
    .await;
}

async fn a_room_that_has_gone_on_by_itself_is_refused(store: Arc<dyn Store>) {
    source(async |source| {
        let events = exported(&*source).await;
        import_all(&*store, &events[..5], 5).await;
        post(&*store, "tea", "mine").await;
        assert_eq!(refusal(&*store, &events).await, ImportRefusal::OtherEvent(6));
        assert_eq!(exported(&*store).await.len(), 6);
        assert_eq!(import_all(&*store, &events[..5], 5).await, 0, "what it knows is no reason to refuse");
    })
    .await;
}

async fn users_who_exist_keep_their_names(store: Arc<dyn Store>) {
    source(async |source| {
        store.set_display_name(ANN, "Anna".parse().unwrap()).await.unwrap();
        store.set_display_name(UserId(1), "Bob".parse().unwrap()).await.unwrap();
        let mut events = exported(&*source).await;
        Arc::make_mut(&mut events[5]).author.name = "Administrator".parse().unwrap();
        import_all(&*store, &events, 12).await;
        let names: Vec<String> =
            store.users(&[ANN, BOB, CAT]).await.unwrap().iter().map(User::disambiguated).collect();
        let generated = DisplayName::generated(CAT).to_string();
        assert_eq!(names, ["Anna".to_owned(), "Bob #2".into(), generated]);
    })
    .await;
}

async fn nothing_of_a_user_who_has_erased_everything_comes_back(store: Arc<dyn Store>) {
    source(async |source| {
        store.begin_erasure(ANN).await.unwrap();
        let events = exported(&*source).await;
        import_all(&*store, &events, 7).await;
        let shown: Vec<(UserId, String)> = latest_page(&*store)
            .await
            .messages
            .iter()
            .filter(|message| !message.deleted)
            .map(|message| (message.author.id, message.text.to_string()))
            .collect();
        assert_eq!(shown, [(BOB, "yes".to_owned())]);
        let stored = serde_json::to_string(&exported(&*store).await).unwrap();
        assert!(["@Bob", "first", "script"].iter().all(|text| !stored.contains(text)), "{stored}");
        assert_eq!(import_all(&*store, &events, 7).await, 0);
    })
    .await;
}

async fn a_room_is_created_with_its_description(store: Arc<dyn Store>) {
    let owner = User::new(BOB, "Bob".parse().unwrap());
    let described = |name: &str| RoomImport {
        room: room(name),
        info: RoomInfo {
            topic: "Kettles".parse().unwrap(),
            retention: Some(Retention::UNLIMITED),
            ..room_info("Cake", BOB)
        },
        owner: Some(owner.clone()),
        ..import(&[])
    };
    assert_eq!(store.import_events(described("tea")).await.unwrap(), Ok(0), "a room may have no events");
    let stored = info(&*store, &room("tea")).await;
    assert_eq!(stored, described("tea").info);
    assert_eq!(store.users(&[BOB]).await.unwrap()[0].name.as_str(), "Bob");
    store.import_events(described("cake")).await.unwrap().unwrap();
    assert_eq!(title(&*store, "cake").await, "Cake (/r/cake)", "another room has the title");
    store.import_events(described("lobby")).await.unwrap().unwrap();
    assert_eq!(info(&*store, &RoomName::lobby()).await.title, None);
}

async fn a_room_for_members_is_one_again(store: Arc<dyn Store>) {
    let enters = async |user| {
        let entry_request = EntryRequest { user, network: None, room: Some(room("tea")) };
        may_enter_room(&room("tea"), &store.standing(entry_request).await.unwrap()).is_ok()
    };
    let at = store.clock().await.unwrap();
    let body = EventBody::Message {
        text: "hi".into(),
        reply_to: None,
        mentions: Mentions::default(),
        files: Files::default(),
    };
    let event =
        Event { seq: 1, at, id: Uuid::now_v7(), author: User::new(ANN, "Ann".parse().unwrap()), body };
    let generation = store.access_changes(0).await.unwrap().generation;
    let closed = RoomImport { members_only: true, ..import(&[Arc::new(event)]) };
    store.import_events(closed).await.unwrap().unwrap();
    assert!(enters(ANN).await && !enters(BOB).await);
    assert!(store.access_changes(0).await.unwrap().generation > generation, "subscribers are checked again");
    let rooms = store.list_rooms(RoomQuery::new(RoomOrder::Name, 10)).await.unwrap();
    assert!(rooms.iter().all(|found| found.room != room("tea")), "no list has it");
}
