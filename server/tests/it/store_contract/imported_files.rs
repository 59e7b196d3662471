//! Files of imported messages: they become theirs with the messages, and go with them.

use super::{ANN, BOB, delete, every_store, files::upload, latest_page, room};
use app::wire::{Event, EventBody, FileId, FileInfo, Files, Mentions, Seq, User, UserId};
use server::store::{ImportRefusal, MAX_UNPOSTED_FILES, NewFile, RoomImport, RoomInfo, Store, StoreError};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    files_of_imported_messages_are_theirs
    import_with_a_foreign_file_is_refused_and_stores_nothing
    a_message_that_is_deleted_in_the_same_import_gets_no_files
    files_of_a_user_who_has_erased_everything_are_not_posted
    limit_of_unposted_files_does_not_apply_to_an_import
}

/// Returns what an archive says of a file: the store knows better.
fn named(id: FileId) -> FileInfo {
    FileInfo {
        id,
        name: "other.html".into(),
        media_type: "text/html".into(),
        size: 7,
        width: None,
        height: None,
        alt: "".into(),
        animated: false,
    }
}

async fn event(store: &dyn Store, seq: Seq, author: UserId, files: &[FileId]) -> Event {
    let files = files.iter().copied().map(named).collect();
    let body =
        EventBody::Message { text: "look".into(), reply_to: None, mentions: Mentions::default(), files };
    let author = User::new(author, format!("User {}", author.0).parse().unwrap());
    Event { seq, at: store.clock().await.unwrap(), id: Uuid::now_v7(), author, body }
}

fn import(events: &[Event]) -> RoomImport {
    RoomImport {
        room: room("tea"),
        info: RoomInfo::default(),
        members_only: false,
        owner: None,
        events: events.to_vec(),
    }
}

async fn shown(store: &dyn Store) -> Vec<Vec<FileId>> {
    latest_page(store).await.messages.iter().map(|message| message.files.ids()).collect()
}

async fn files_of_imported_messages_are_theirs(store: Arc<dyn Store>) {
    let (one, two, other) =
        (upload(&*store, ANN, 1).await, upload(&*store, ANN, 2).await, upload(&*store, BOB, 1).await);
    let events = [
        event(&*store, 1, ANN, &[two, one]).await,
        event(&*store, 2, BOB, &[other]).await,
        event(&*store, 3, BOB, &[]).await,
    ];
    assert_eq!(store.import_events(import(&events)).await.unwrap(), Ok(3));
    assert_eq!(shown(&*store).await, [vec![two, one], vec![other], vec![]]);
    let stored = store.file(one).await.unwrap().unwrap();
    assert_eq!((stored.message, stored.is_posted), (Some(events[0].id), true));
    let page = latest_page(&*store).await;
    let expected: Files = [store.file(two).await.unwrap().unwrap().info, stored.info].into_iter().collect();
    assert_eq!(page.messages[0].files, expected, "as they are stored");
    let found = store.events_after(&room("tea"), 0, 10).await.unwrap();
    assert!(matches!(&found[0].body, EventBody::Message { files, .. } if *files == expected));
    assert_eq!(store.import_events(import(&events)).await.unwrap(), Ok(0), "a repeat changes nothing");
    assert_eq!(store.abandoned_files().await.unwrap(), [] as [FileId; 0]);
    // The content goes with the last message that shows it.
    store.append(delete(ANN, 1)).await.unwrap();
    assert_eq!((store.file(one).await.unwrap(), store.file(two).await.unwrap()), (None, None));
    assert_eq!(store.take_unused_contents().await.unwrap(), [[2; 32]]);
    let gone = Event { body: EventBody::Delete { target: 2 }, ..event(&*store, 5, BOB, &[]).await };
    assert_eq!(store.import_events(import(&[gone])).await.unwrap(), Ok(1), "an imported delete as well");
    let mut unused = store.take_unused_contents().await.unwrap();
    unused.sort_unstable();
    assert_eq!((shown(&*store).await, unused), (vec![vec![]; 3], vec![[1; 32], [2; 32]]));
}

async fn import_with_a_foreign_file_is_refused_and_stores_nothing(store: Arc<dyn Store>) {
    let (mine, other) = (upload(&*store, ANN, 1).await, upload(&*store, BOB, 2).await);
    let claimed = upload(&*store, ANN, 3).await;
    store.claim_files(ANN, room("tea"), Uuid::now_v7(), vec![claimed]).await.unwrap();
    let begun = NewFile {
        id: Uuid::new_v4(),
        owner: ANN,
        room: room("tea"),
        name: "a".into(),
        alt: "".into(),
        size: 1,
        network: None,
        is_imported: true,
    };
    store.create_file(begun.clone(), u64::MAX).await.unwrap();
    let many: Vec<FileId> = (0..11).map(|_| mine).collect();
    for files in
        [vec![other], vec![mine, Uuid::new_v4()], vec![mine, mine], vec![claimed], vec![begun.id], many]
    {
        let events = [event(&*store, 1, ANN, &[]).await, event(&*store, 2, ANN, &files).await];
        let refused = store.import_events(import(&events)).await.unwrap();
        assert_eq!(refused, Err(ImportRefusal::File(2)), "{files:?}");
    }
    let twice = [event(&*store, 1, ANN, &[mine]).await, event(&*store, 2, ANN, &[mine]).await];
    assert_eq!(store.import_events(import(&twice)).await.unwrap(), Err(ImportRefusal::File(2)));
    let elsewhere = RoomImport { room: room("coffee"), ..import(&twice[..1]) };
    assert_eq!(store.import_events(elsewhere).await.unwrap(), Err(ImportRefusal::File(1)));
    assert_eq!(store.room(&room("tea")).await.unwrap().head, 0);
    let left = store.file(mine).await.unwrap().unwrap();
    assert_eq!((left.message, left.is_posted), (None, false));
    assert!(store.forget_file(mine, Some(ANN)).await.unwrap(), "the importer takes it back");
}

async fn a_message_that_is_deleted_in_the_same_import_gets_no_files(store: Arc<dyn Store>) {
    let (one, two) = (upload(&*store, ANN, 1).await, upload(&*store, ANN, 2).await);
    let delete = Event { body: EventBody::Delete { target: 1 }, ..event(&*store, 2, ANN, &[]).await };
    let text = EventBody::Edit { target: 3, text: "edited".into(), mentions: Mentions::default() };
    let edit = Event { body: text, ..event(&*store, 4, ANN, &[]).await };
    let events = [event(&*store, 1, ANN, &[one]).await, delete, event(&*store, 3, ANN, &[two]).await, edit];
    assert_eq!(store.import_events(import(&events)).await.unwrap(), Ok(4));
    assert_eq!(shown(&*store).await, [vec![], vec![two]], "an edit keeps them");
    assert!(!store.file(one).await.unwrap().unwrap().is_posted, "the upkeep removes it");
    let two = store.file(two).await.unwrap().unwrap();
    let expire = Event { body: EventBody::Expire { up_to: 4 }, ..event(&*store, 5, ANN, &[]).await };
    store.import_events(import(&[expire])).await.unwrap().unwrap();
    assert_eq!(store.file(two.info.id).await.unwrap(), None, "it has expired with its message");
}

async fn files_of_a_user_who_has_erased_everything_are_not_posted(store: Arc<dyn Store>) {
    let id = upload(&*store, ANN, 1).await;
    let events = [event(&*store, 1, ANN, &[id]).await];
    store.begin_erasure(ANN).await.unwrap();
    assert_eq!(store.import_events(import(&events)).await.unwrap(), Ok(1));
    assert_eq!(shown(&*store).await, [Vec::<FileId>::new()]);
    assert_eq!(store.abandoned_files().await.unwrap(), [id]);
}

async fn limit_of_unposted_files_does_not_apply_to_an_import(store: Arc<dyn Store>) {
    let new = |is_imported| NewFile {
        id: Uuid::new_v4(),
        owner: ANN,
        room: room("tea"),
        name: "a".into(),
        alt: "".into(),
        size: 10,
        network: None,
        is_imported,
    };
    for _ in 0..MAX_UNPOSTED_FILES {
        store.create_file(new(false), u64::MAX).await.unwrap();
    }
    assert!(matches!(store.create_file(new(false), u64::MAX).await, Err(StoreError::TooMany)));
    store.create_file(new(true), u64::MAX).await.unwrap();
    assert!(matches!(store.create_file(new(true), 9).await, Err(StoreError::FilesFull)), "the quota counts");
}
