//! Rooms: creation, titles, owners, privacy.

use super::{
    ANN, BOB, delete, every_store, info, message, not_joined, post, room_info, rooms_by_name, title,
};
use crate::support::room;
use futures_util::{FutureExt, future::join_all};
use server::store::{RoomInfo, RoomOrder, Store, StoreError};
use std::sync::Arc;

every_store! {
    a_created_room_has_its_title_topic_and_owner
    names_and_titles_of_rooms_are_unique
    a_private_room_reserves_no_title
    no_other_room_can_have_the_lobbys_title_in_any_language
    a_room_keeps_its_title_if_the_name_of_a_later_room_equals_it
    untitled_room_shows_its_address_if_its_title_is_taken
    only_the_owner_can_update_a_room
    a_room_created_by_its_first_message_has_no_owner
    a_room_with_a_private_name_is_private_however_it_is_created
}

async fn a_created_room_has_its_title_topic_and_owner(store: Arc<dyn Store>) {
    let wanted = RoomInfo { topic: "leaves".parse().unwrap(), ..room_info("Tea House", ANN) };
    store.create_room(room("tea"), wanted.clone()).await.unwrap();
    assert_eq!(info(&*store, &room("tea")).await, wanted);
    assert_eq!(title(&*store, "tea").await, "Tea House");
    assert_eq!(
        (rooms_by_name(&*store).await, title(&*store, "team-tea").await),
        (vec![(room("tea"), 0)], "Team tea".into())
    );
    post(&*store, "tea", "first").await;
    assert_eq!(
        (rooms_by_name(&*store).await, info(&*store, &room("tea")).await),
        (vec![(room("tea"), 1)], wanted)
    );
}

async fn names_and_titles_of_rooms_are_unique(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea House", ANN)).await.unwrap();
    post(&*store, "coffee", "anybody?").await;
    for taken in ["tea", "coffee", "lobby"] {
        let again = store.create_room(room(taken), room_info("Something else", BOB)).await;
        assert!(matches!(again, Err(StoreError::RoomExists)), "{taken}: {again:?}");
    }
    for confusable in ["tea  house", "TEA HOUSE", "Te\u{430} House", "Coffee"] {
        let again = store.create_room(room("other"), room_info(confusable, BOB)).await;
        assert!(matches!(again, Err(StoreError::TitleTaken(_))), "{confusable}: {again:?}");
    }
    let both =
        join_all(["one", "two"].map(|name| store.create_room(room(name), room_info("At once", ANN)))).await;
    assert_eq!(both.iter().filter(|created| created.is_ok()).count(), 1, "{both:?}");
}

async fn a_private_room_reserves_no_title(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    store.create_room(room("p-1"), RoomInfo { private: true, ..room_info("Tea", BOB) }).await.unwrap();
    store.create_room(room("p-2"), RoomInfo { private: true, ..room_info("Secret", BOB) }).await.unwrap();
    store.create_room(room("open"), room_info("Secret", ANN)).await.unwrap();
}

async fn no_other_room_can_have_the_lobbys_title_in_any_language(store: Arc<dyn Store>) {
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    for title in ["Lobby", "l\u{43e}bby", "大厅"] {
        let created = store.create_room(room("other"), room_info(title, BOB)).await;
        assert!(
            matches!(&created, Err(StoreError::TitleTaken(taken)) if taken.is_lobby()),
            "{title}: {created:?}"
        );
        let updated = store.update_room(room("tea"), ANN, title.parse().unwrap(), "".parse().unwrap()).await;
        assert!(
            matches!(&updated, Err(StoreError::TitleTaken(taken)) if taken.is_lobby()),
            "{title}: {updated:?}"
        );
    }
    post(&*store, "lobby", "hello").await;
    let created = store.create_room(room("other"), room_info("大厅", BOB)).await;
    assert!(matches!(created, Err(StoreError::TitleTaken(_))), "{created:?}");
}

async fn a_room_keeps_its_title_if_the_name_of_a_later_room_equals_it(store: Arc<dyn Store>) {
    store.create_room(room("leaves"), room_info("Tea", ANN)).await.unwrap();
    store.append(message("tea", BOB, "created by its first message")).await.unwrap();
    let retitle = |name: &str, title: &str, topic: &str| {
        store.update_room(room(name), ANN, title.parse().unwrap(), topic.parse().unwrap())
    };
    retitle("leaves", "TEA", "green").await.unwrap();
    assert_eq!(info(&*store, &room("leaves")).await.topic.as_str(), "green");
    store.create_room(room("jam"), room_info("Jam", ANN)).await.unwrap();
    let taken = retitle("jam", "Tea", "").await;
    assert!(matches!(taken, Err(StoreError::TitleTaken(_))), "{taken:?}");
    retitle("leaves", "Leaves", "").await.unwrap();
    retitle("jam", "Tea", "").await.expect("the title is free, since the other one shows its address");
    assert_eq!(title(&*store, "tea").await, "Tea (/r/tea)");
}

async fn untitled_room_shows_its_address_if_its_title_is_taken(store: Arc<dyn Store>) {
    store.create_room(room("numbers"), room_info("Payroll", ANN)).await.unwrap();
    let title = |name: &'static str| {
        let store = store.clone();
        async move { title(&*store, name).await }
    };
    let posts = ["payroll", "a-b", "a--b", "l0bby", "quiet"];
    for name in posts {
        store.append(message(name, BOB, "created by its first message")).await.unwrap();
    }
    assert_eq!(title("payroll").await, "Payroll (/r/payroll)");
    assert_eq!((title("a-b").await, title("a--b").await), ("A b".into(), "A  b (/r/a--b)".into()));
    assert_eq!((title("l0bby").await, title("quiet").await), ("L0bby (/r/l0bby)".into(), "Quiet".into()));
    let copied = store.create_room(room("copy"), room_info("Payroll (/r/payroll)", ANN)).await;
    assert!(matches!(&copied, Err(StoreError::TitleTaken(taken)) if *taken == room("payroll")), "{copied:?}");
    let retitle = store.update_room(room("numbers"), ANN, "Numbers".parse().unwrap(), "".parse().unwrap());
    retitle.await.unwrap();
    assert_eq!(title("payroll").await, "Payroll (/r/payroll)", "it keeps the title that users know");
    let both = join_all([
        store.append(message("same-time", BOB, "first")).map(drop).boxed(),
        store.create_room(room("other"), room_info("Same time", ANN)).map(drop).boxed(),
    ]);
    both.await;
    assert_ne!(title("same-time").await, title("other").await);
}

async fn only_the_owner_can_update_a_room(store: Arc<dyn Store>) {
    let retitle = |name: &'static str, user, title: &str| {
        store.update_room(room(name), user, title.parse().unwrap(), "about it".parse().unwrap())
    };
    store.create_room(room("tea"), room_info("Tea", ANN)).await.unwrap();
    store.create_room(room("coffee"), room_info("Coffee", ANN)).await.unwrap();
    assert!(matches!(retitle("nothing", ANN, "New").await, Err(StoreError::RoomNotFound)));
    assert!(matches!(retitle("tea", BOB, "Mine").await, Err(StoreError::Forbidden)));
    assert!(matches!(retitle("tea", ANN, "coffee").await, Err(StoreError::TitleTaken(_))));
    retitle("tea", ANN, "TEA").await.unwrap();
    retitle("coffee", ANN, "Cocoa").await.unwrap();
    assert!(matches!(retitle("tea", ANN, "cocoa").await, Err(StoreError::TitleTaken(_))));
    store.append(message("juice", BOB, "first")).await.unwrap();
    assert!(matches!(retitle("coffee", ANN, "Juice").await, Err(StoreError::TitleTaken(_))));
    store.create_room(room("other"), room_info("Coffee", BOB)).await.expect("that title is free again");
    let tea = store.room(&room("tea")).await.unwrap();
    assert_eq!(
        (tea.title().as_str(), tea.info.topic.as_str(), tea.info.owner),
        ("TEA", "about it", Some(ANN))
    );
}

async fn a_room_created_by_its_first_message_has_no_owner(store: Arc<dyn Store>) {
    store.append(message("tea", BOB, "first")).await.unwrap();
    store.append(message("tea", ANN, "second")).await.unwrap();
    store.append(message("lobby", BOB, "hello")).await.unwrap();
    for name in ["tea", "lobby"] {
        assert_eq!(info(&*store, &room(name)).await.owner, None, "{name}");
        let retitled = store.update_room(room(name), BOB, "Mine".parse().unwrap(), "".parse().unwrap()).await;
        assert!(matches!(retitled, Err(StoreError::Forbidden)), "{name}: {retitled:?}");
    }
    let taken = store.append(delete(BOB, 2)).await;
    assert!(matches!(taken, Err(StoreError::Forbidden)), "{taken:?}");
}

async fn a_room_with_a_private_name_is_private_however_it_is_created(store: Arc<dyn Store>) {
    let [by_post, created] = ["0", "f"].map(|digit| room(&format!("p-{}", digit.repeat(32))));
    post(&*store, by_post.as_str(), "psst").await;
    store.create_room(created.clone(), room_info("Created as a public one", ANN)).await.unwrap();
    for name in [&by_post, &created] {
        assert!(info(&*store, name).await.private, "{name}");
    }
    assert_eq!(info(&*store, &by_post).await.owner, None);
    for order in [RoomOrder::Name, RoomOrder::Title, RoomOrder::Activity] {
        assert_eq!(not_joined(&*store, order, None, 9).await, []);
    }
    store
        .create_room(room("tea"), room_info("Created as a public one", BOB))
        .await
        .expect("the private room reserves no title");
}
