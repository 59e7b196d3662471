//! Uploads, and the files of messages.

use super::{ANN, BOB, delete, every_store, latest_page, message, room};
use app::wire::{FileId, FileInfo, Files, Operation, Retention, UserId};
use server::store::{
    Content, ContentState, MAX_UNPOSTED_FILES, MAX_UNPOSTED_FILES_PER_NETWORK, NewEvent, NewFile, RoomInfo,
    ServerRetention, Store, StoreError, Sweep, UNPOSTED_SHARE_OF_NETWORK, UNPOSTED_SHARE_OF_USER,
};
use std::sync::Arc;
use uuid::Uuid;

every_store! {
    an_upload_grows_part_by_part_and_gets_its_content_once
    a_file_keeps_its_first_content
    bytes_of_a_file_that_is_gone_are_removed
    a_message_shows_the_files_that_its_author_has_claimed
    a_file_is_claimed_for_one_message_of_its_owner_and_room
    content_goes_when_the_last_message_that_shows_it_is_deleted
    a_content_that_is_being_removed_is_given_to_no_file
    files_expire_with_their_messages_and_go_with_their_room
    the_quota_counts_contents_once_and_what_has_come_of_uploads
    parts_and_contents_that_exceed_the_quota_are_refused
    a_user_has_a_share_of_the_quota_for_files_in_no_message
    the_users_of_a_network_share_what_is_in_no_message
    erasure_refuses_new_uploads_and_abandons_earlier_ones
    exactly_the_files_that_a_message_shows_are_posted
    released_file_is_claimed_again_or_taken_by_a_late_append
    a_repeated_command_is_acknowledged_after_its_files_are_gone
}

const QUOTA: u64 = 1_000;

fn new_file(owner: UserId, size: u64) -> NewFile {
    NewFile {
        id: Uuid::new_v4(),
        owner,
        room: room("tea"),
        name: "tea.png".into(),
        alt: "a cup".into(),
        size,
        network: None,
        is_imported: false,
    }
}

fn content(n: u8, bytes: u64) -> Content {
    Content { hash: [n; 32], bytes }
}

fn picture(id: FileId) -> FileInfo {
    FileInfo {
        id,
        name: "tea.png".into(),
        media_type: "image/png".into(),
        size: 90,
        width: Some(3),
        height: Some(2),
        alt: "a cup".into(),
        animated: false,
    }
}

/// Uploads a file of 100 bytes with the content `n`.
pub(super) async fn upload(store: &dyn Store, owner: UserId, n: u8) -> FileId {
    let file = new_file(owner, 100);
    let id = file.id;
    store.create_file(file, u64::MAX).await.unwrap();
    assert_eq!(store.note_part(id, 0, 100, u64::MAX).await.unwrap(), 100);
    let reserved = store.reserve_content(id, content(n, 90), picture(id), u64::MAX).await.unwrap();
    assert_eq!(reserved, ContentState::Reserved);
    store.note_ready(id).await.unwrap();
    id
}

/// Posts a message with files. Returns its event.
async fn post(store: &dyn Store, author: UserId, ids: &[FileId]) -> NewEvent {
    let event = message("tea", author, "look");
    let files = store.claim_files(author, room("tea"), event.id, ids.to_vec()).await.unwrap();
    let event = NewEvent { files, ..event };
    store.append(event.clone()).await.unwrap();
    event
}

async fn unused(store: &dyn Store) -> Vec<u8> {
    let mut found: Vec<u8> = store.take_unused_contents().await.unwrap().iter().map(|hash| hash[0]).collect();
    found.sort_unstable();
    found
}

async fn an_upload_grows_part_by_part_and_gets_its_content_once(store: Arc<dyn Store>) {
    let file = new_file(ANN, 100);
    let id = file.id;
    assert_eq!(store.file(id).await.unwrap(), None);
    store.create_file(file, QUOTA).await.unwrap();
    assert_eq!(store.note_part(id, 0, 40, u64::MAX).await.unwrap(), 40);
    // A part that does not follow, a repeat, and one beyond the end change nothing.
    for (from, to) in [(50, 60), (0, 40), (40, 101)] {
        assert_eq!(store.note_part(id, from, to, u64::MAX).await.unwrap(), 40);
    }
    assert!(matches!(store.note_ready(id).await, Err(StoreError::FileNotFound)));
    assert_eq!(store.note_part(id, 40, 100, u64::MAX).await.unwrap(), 100);
    for _ in 0..2 {
        let reserved = store.reserve_content(id, content(1, 90), picture(id), u64::MAX).await.unwrap();
        assert_eq!(reserved, ContentState::Reserved);
    }
    store.describe_file(id, ANN, "two cups".into()).await.unwrap();
    assert!(matches!(store.describe_file(id, BOB, "x".into()).await, Err(StoreError::FileNotFound)));
    store.note_ready(id).await.unwrap();
    let found = store.file(id).await.unwrap().unwrap();
    assert_eq!(found.info, FileInfo { alt: "two cups".into(), ..picture(id) });
    assert_eq!((found.owner, found.room.clone(), found.size, found.received), (ANN, room("tea"), 100, 100));
    assert_eq!(
        (found.content, found.is_ready, found.is_posted, found.message),
        (Some([1; 32]), true, false, None)
    );
    assert!(matches!(store.note_part(Uuid::new_v4(), 0, 1, u64::MAX).await, Err(StoreError::FileNotFound)));
}

async fn a_file_keeps_its_first_content(store: Arc<dyn Store>) {
    let file = new_file(ANN, 100);
    store.create_file(file.clone(), QUOTA).await.unwrap();
    store.note_part(file.id, 0, 100, QUOTA).await.unwrap();
    for (n, state) in [(1, ContentState::Reserved), (2, ContentState::Different), (1, ContentState::Reserved)]
    {
        let reserved = store.reserve_content(file.id, content(n, 90), picture(file.id), QUOTA).await.unwrap();
        assert_eq!(reserved, state, "{n}");
    }
    assert_eq!(store.file(file.id).await.unwrap().unwrap().content, Some([1; 32]));
    assert_eq!(store.file_bytes().await.unwrap(), 90);
    assert_eq!(unused(&*store).await, [] as [u8; 0]);
}

async fn bytes_of_a_file_that_is_gone_are_removed(store: Arc<dyn Store>) {
    let release = async |n| store.release_content(content(n, 90)).await.unwrap();
    assert_eq!(release(1).await, ContentState::Reserved);
    upload(&*store, ANN, 2).await;
    assert_eq!(release(2).await, ContentState::Reserved);
    assert_eq!(store.file_bytes().await.unwrap(), 180);
    assert_eq!(unused(&*store).await, [1], "another file has the other ones");
    assert_eq!(release(1).await, ContentState::Removing);
    store.forget_contents(vec![[1; 32]]).await.unwrap();
    assert_eq!(release(1).await, ContentState::Reserved);
    assert_eq!(unused(&*store).await, [1]);
}

async fn a_message_shows_the_files_that_its_author_has_claimed(store: Arc<dyn Store>) {
    let (one, other) = (upload(&*store, ANN, 1).await, upload(&*store, ANN, 2).await);
    post(&*store, ANN, &[other, one]).await;
    let expected = Files::from_iter([picture(other), picture(one)]);
    let page = latest_page(&*store).await;
    assert_eq!(page.messages[0].files, expected);
    let events = store.events_after(&room("tea"), 0, 10).await.unwrap();
    let app::wire::EventBody::Message { files, .. } = &events[0].body else { panic!("a message") };
    assert_eq!(*files, expected);
    let snapshot = store.snapshot(&room("tea"), BOB, None, 10).await.unwrap();
    assert_eq!(snapshot.page.unwrap().messages[0].files, expected);
    assert!(store.file(one).await.unwrap().unwrap().is_posted);
    // An edit keeps them.
    store.append(super::edit(ANN, 1, "look here")).await.unwrap();
    let page = latest_page(&*store).await;
    assert_eq!((&*page.messages[0].text, &page.messages[0].files), ("look here", &expected));
    assert!(!store.forget_file(one, Some(ANN)).await.unwrap(), "a posted file stays");
}

async fn a_file_is_claimed_for_one_message_of_its_owner_and_room(store: Arc<dyn Store>) {
    let (mine, posted) = (upload(&*store, ANN, 1).await, upload(&*store, ANN, 2).await);
    let unfinished = new_file(ANN, 100);
    store.create_file(unfinished.clone(), u64::MAX).await.unwrap();
    post(&*store, ANN, &[posted]).await;
    let claim = async |owner, name: &str, id| {
        store.claim_files(owner, room(name), Uuid::now_v7(), vec![mine, id]).await
    };
    for (owner, name, id) in [
        (BOB, "tea", mine),
        (ANN, "work", mine),
        (ANN, "tea", posted),
        (ANN, "tea", unfinished.id),
        (ANN, "tea", Uuid::new_v4()),
    ] {
        assert!(matches!(claim(owner, name, id).await, Err(StoreError::FileNotFound)), "{owner} {name}");
    }
    let id = Uuid::now_v7();
    for _ in 0..2 {
        let claimed = store.claim_files(ANN, room("tea"), id, vec![mine]).await.unwrap();
        assert_eq!(claimed, Files::from_iter([picture(mine)]));
    }
    assert!(matches!(claim(ANN, "tea", mine).await, Err(StoreError::FileNotFound)), "another message");
    assert!(!store.forget_file(mine, Some(ANN)).await.unwrap(), "it is on its way");
}

async fn content_goes_when_the_last_message_that_shows_it_is_deleted(store: Arc<dyn Store>) {
    let (first, second) = (upload(&*store, ANN, 1).await, upload(&*store, BOB, 1).await);
    post(&*store, ANN, &[first]).await;
    post(&*store, BOB, &[second]).await;
    store.append(delete(ANN, 1)).await.unwrap();
    assert_eq!(store.file(first).await.unwrap(), None);
    let page = latest_page(&*store).await;
    assert!(page.messages[0].deleted && page.messages[0].files.is_empty());
    assert_eq!(unused(&*store).await, [] as [u8; 0], "the other message shows it");
    store.append(delete(BOB, 2)).await.unwrap();
    assert_eq!(unused(&*store).await, [1]);
    // Until it is gone, each step finds it again.
    assert_eq!(unused(&*store).await, [1]);
    store.forget_contents(vec![[1; 32]]).await.unwrap();
    assert_eq!((unused(&*store).await, store.file_bytes().await.unwrap()), (Vec::new(), 0));
}

async fn a_content_that_is_being_removed_is_given_to_no_file(store: Arc<dyn Store>) {
    let first = upload(&*store, ANN, 1).await;
    assert!(store.forget_file(first, Some(ANN)).await.unwrap());
    let second = new_file(BOB, 100);
    let id = second.id;
    store.create_file(second, QUOTA).await.unwrap();
    assert_eq!(unused(&*store).await, [1]);
    let reserve = async || store.reserve_content(id, content(1, 90), picture(id), u64::MAX).await.unwrap();
    assert_eq!(reserve().await, ContentState::Removing);
    store.forget_contents(vec![[1; 32]]).await.unwrap();
    assert_eq!(reserve().await, ContentState::Reserved);
    // A content that is used again is not removed.
    let third = upload(&*store, ANN, 2).await;
    assert!(store.forget_file(third, Some(ANN)).await.unwrap());
    upload(&*store, ANN, 2).await;
    assert_eq!(unused(&*store).await, [] as [u8; 0]);
}

async fn files_expire_with_their_messages_and_go_with_their_room(store: Arc<dyn Store>) {
    let owned = RoomInfo { owner: Some(ANN), ..RoomInfo::default() };
    store.create_room(room("tea"), owned).await.unwrap();
    let retention: Retention = 1.try_into().unwrap();
    store.set_retention(room("tea"), ANN, Some(retention)).await.unwrap();
    let id = upload(&*store, ANN, 1).await;
    post(&*store, ANN, &[id]).await;
    let later = store.clock().await.unwrap() + 2 * 60 * 60 * 1_000;
    let sweep = Sweep { now: later, server: ServerRetention::default() };
    assert_eq!(store.expire(room("tea"), sweep).await.unwrap(), 1);
    assert_eq!((store.file(id).await.unwrap(), unused(&*store).await), (None, vec![1]));
}

async fn the_quota_counts_contents_once_and_what_has_come_of_uploads(store: Arc<dyn Store>) {
    let used = async || store.file_bytes().await.unwrap();
    let file = new_file(ANN, 300);
    store.create_file(file.clone(), QUOTA).await.unwrap();
    assert_eq!(used().await, 0, "an announcement takes nothing");
    assert_eq!(store.note_part(file.id, 0, 150, QUOTA).await.unwrap(), 150);
    store.shrink_file(file.id, ANN, 200).await.unwrap();
    assert!(matches!(store.shrink_file(file.id, ANN, 300).await, Err(StoreError::FileNotFound)));
    assert_eq!(used().await, 150);
    let second = new_file(BOB, 851);
    assert!(matches!(store.create_file(second, QUOTA).await, Err(StoreError::FilesFull)));
    upload(&*store, ANN, 1).await;
    upload(&*store, BOB, 1).await;
    assert_eq!(used().await, 240);
    assert!(store.forget_file(file.id, Some(ANN)).await.unwrap());
    assert_eq!(used().await, 90);
}

async fn parts_and_contents_that_exceed_the_quota_are_refused(store: Arc<dyn Store>) {
    let (one, other) = (new_file(ANN, 200), new_file(BOB, 200));
    for file in [&one, &other] {
        store.create_file(file.clone(), 300).await.unwrap();
    }
    assert_eq!(store.note_part(one.id, 0, 200, 300).await.unwrap(), 200);
    assert_eq!(store.note_part(other.id, 0, 100, 300).await.unwrap(), 100);
    assert!(matches!(store.note_part(other.id, 100, 200, 300).await, Err(StoreError::FilesFull)));
    assert_eq!(store.file(other.id).await.unwrap().unwrap().received, 100);
    // The content takes the place of the parts, but a thumbnail comes to it.
    let reserve = async |id, bytes| store.reserve_content(id, content(1, bytes), picture(id), 300).await;
    assert!(matches!(reserve(one.id, 201).await, Err(StoreError::FilesFull)));
    assert_eq!(store.file(one.id).await.unwrap().unwrap().content, None);
    assert_eq!(reserve(one.id, 200).await.unwrap(), ContentState::Reserved);
    // A content that is there already takes nothing.
    assert_eq!(reserve(other.id, 200).await.unwrap(), ContentState::Reserved);
    assert_eq!(store.file_bytes().await.unwrap(), 200);
}

async fn a_user_has_a_share_of_the_quota_for_files_in_no_message(store: Arc<dyn Store>) {
    let begin = async |owner, size| store.create_file(new_file(owner, size), QUOTA).await;
    begin(ANN, QUOTA / UNPOSTED_SHARE_OF_USER - 1).await.unwrap();
    begin(ANN, 1).await.unwrap();
    assert!(matches!(begin(ANN, 1).await, Err(StoreError::TooMany)));
    // A first file may have more.
    begin(BOB, QUOTA).await.unwrap();
    assert!(matches!(begin(BOB, 1).await, Err(StoreError::TooMany)));
    let eve = UserId(77);
    for _ in 0..MAX_UNPOSTED_FILES {
        begin(eve, 1).await.unwrap();
    }
    assert!(matches!(begin(eve, 1).await, Err(StoreError::TooMany)));
}

async fn the_users_of_a_network_share_what_is_in_no_message(store: Arc<dyn Store>) {
    let begin = async |owner, network: &str, size| {
        let file = NewFile { network: network.parse().ok(), ..new_file(UserId(owner), size) };
        store.create_file(file.clone(), QUOTA).await.map(|()| file.id)
    };
    let (here, there) = ("192.0.2.1/32", "2001:db8::/64");
    let share = QUOTA / UNPOSTED_SHARE_OF_NETWORK;
    let first = begin(1, here, share / 2).await.unwrap();
    begin(2, here, share / 2).await.unwrap();
    assert!(matches!(begin(3, here, 1).await, Err(StoreError::TooMany)));
    begin(3, there, share).await.unwrap();
    // What a message shows does not count any more.
    store.note_part(first, 0, share / 2, QUOTA).await.unwrap();
    store.reserve_content(first, content(1, share / 2), picture(first), QUOTA).await.unwrap();
    store.note_ready(first).await.unwrap();
    assert!(matches!(begin(4, here, 1).await, Err(StoreError::TooMany)), "it is not posted yet");
    post(&*store, UserId(1), &[first]).await;
    for n in 1..MAX_UNPOSTED_FILES_PER_NETWORK {
        let file = NewFile { network: here.parse().ok(), ..new_file(UserId(u64::from(n) + 100), 1) };
        store.create_file(file, u64::MAX).await.unwrap();
    }
    let refused = NewFile { network: here.parse().ok(), ..new_file(UserId(5), 1) };
    assert!(matches!(store.create_file(refused, u64::MAX).await, Err(StoreError::TooMany)));
}

async fn erasure_refuses_new_uploads_and_abandons_earlier_ones(store: Arc<dyn Store>) {
    super::post(&*store, "tea", "hello").await;
    let id = upload(&*store, ANN, 1).await;
    assert_eq!(store.abandoned_files().await.unwrap(), [] as [FileId; 0]);
    assert!(!store.forget_file(id, None).await.unwrap(), "it is not abandoned");
    store.begin_erasure(ANN).await.unwrap();
    assert!(matches!(store.create_file(new_file(ANN, 1), QUOTA).await, Err(StoreError::Erased)));
    assert_eq!(store.abandoned_files().await.unwrap(), [id]);
    assert!(store.forget_file(id, None).await.unwrap());
    assert_eq!(unused(&*store).await, [1]);
}

/// Returns whether a message shows a file, and the command that has claimed it.
async fn claim_state(store: &dyn Store, id: FileId) -> (bool, Option<Uuid>) {
    let file = store.file(id).await.unwrap().unwrap();
    (file.is_posted, file.message)
}

async fn exactly_the_files_that_a_message_shows_are_posted(store: Arc<dyn Store>) {
    let event = message("tea", ANN, "look");
    let claim = async |owner, ids: &[FileId]| {
        store.claim_files(owner, room("tea"), event.id, ids.to_vec()).await.unwrap()
    };
    let (one, other) = (upload(&*store, ANN, 1).await, upload(&*store, ANN, 2).await);
    let (of_bob, shown) = (upload(&*store, BOB, 3).await, upload(&*store, ANN, 4).await);
    claim(ANN, &[one, other]).await;
    claim(BOB, &[of_bob]).await;
    let files = claim(ANN, &[shown]).await;
    assert_eq!(files, Files::from_iter([picture(shown)]));
    let event = NewEvent { files, ..event };
    store.append(event.clone()).await.unwrap();
    for hidden in [one, other] {
        assert_eq!(claim_state(&*store, hidden).await, (false, None));
    }
    assert_eq!(claim_state(&*store, of_bob).await, (false, Some(event.id)));
    assert_eq!(claim_state(&*store, shown).await, (true, Some(event.id)));
    // A repeat with other files shows what the first one does, and claims nothing.
    let files = store.claim_files(ANN, room("tea"), event.id, vec![one]).await.unwrap();
    assert_eq!(files, Files::default());
    assert_eq!(claim_state(&*store, one).await, (false, None));
    store.append(delete(ANN, 1)).await.unwrap();
    assert_eq!(store.file(shown).await.unwrap(), None);
    assert!(store.file(of_bob).await.unwrap().is_some());
}

async fn released_file_is_claimed_again_or_taken_by_a_late_append(store: Arc<dyn Store>) {
    let file = upload(&*store, ANN, 1).await;
    let claim = async |event: NewEvent| {
        let files = store.claim_files(ANN, room("tea"), event.id, vec![file]).await.unwrap();
        NewEvent { files, ..event }
    };
    let first = claim(message("tea", ANN, "first")).await;
    store.release_files(BOB, first.id).await.unwrap();
    assert_eq!(claim_state(&*store, file).await, (false, Some(first.id)), "it is Ann's");
    store.release_files(ANN, first.id).await.unwrap();
    assert_eq!(claim_state(&*store, file).await, (false, None));
    let second = claim(message("tea", ANN, "second")).await;
    // Whatever is appended with it must not suffer.
    let (refused, plain) =
        tokio::join!(store.append(first.clone()), store.append(message("tea", BOB, "hello")));
    assert!(matches!(refused, Err(StoreError::FileNotFound)), "{refused:?}");
    plain.unwrap();
    store.release_files(ANN, second.id).await.unwrap();
    store.append(first.clone()).await.unwrap();
    assert_eq!(claim_state(&*store, file).await, (true, Some(first.id)));
    store.release_files(ANN, first.id).await.unwrap();
    assert_eq!(claim_state(&*store, file).await, (true, Some(first.id)));
    assert!(matches!(store.append(second).await, Err(StoreError::FileNotFound)));
    let page = latest_page(&*store).await;
    let shown: Vec<_> = page.messages.iter().map(|it| (&*it.text, it.files.iter().count())).collect();
    assert_eq!(shown, [("hello", 0), ("first", 1)]);
}

async fn a_repeated_command_is_acknowledged_after_its_files_are_gone(store: Arc<dyn Store>) {
    let id = upload(&*store, ANN, 1).await;
    let event = post(&*store, ANN, &[id]).await;
    store.append(delete(ANN, 1)).await.unwrap();
    let files = store.claim_files(ANN, room("tea"), event.id, vec![id]).await.unwrap();
    assert_eq!(files, Files::default());
    let repeated = store.append(NewEvent { files, ..event.clone() }).await.unwrap();
    assert!(repeated.is_duplicate && repeated.seq == 1);
    let operation = Operation::Post { text: "x".into(), reply_to: None };
    let unknown = NewEvent { operation, id: Uuid::now_v7(), ..event };
    let refused = store.claim_files(ANN, room("tea"), unknown.id, vec![id]).await;
    assert!(matches!(refused, Err(StoreError::FileNotFound)));
}
