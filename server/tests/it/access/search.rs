//! A search finds what the user may see, and nothing of anything else: not its text, not its number.

use super::{Visitor, act, client, create_room, make_admin, names, remove};
use crate::support::{TestServer, room};
use app::wire::{Operation, RoomName, Seq, UserId};
use serde_json::Value;
use server::store::{Action, MAX_EXCLUDED_ROOMS, NewEvent, Role, RoomInfo, Store};
use std::time::{Duration, Instant};
use uuid::Uuid;

async fn post(store: &dyn Store, name: &RoomName, author: UserId, text: &str) -> Seq {
    store.append(NewEvent::message(Uuid::now_v7(), name.clone(), author, text)).await.unwrap().seq
}

async fn index(store: &dyn Store) {
    while store.index(&[]).await.unwrap().more {}
}

/// Searches over the API. Returns the status and the answer.
async fn search(server: &TestServer, user: &Visitor, query: &[(&str, &str)]) -> (u16, Value) {
    index(server.store()).await;
    let request = client().get(server.http("/api/search")).query(query);
    let answer = user.send(request).await;
    if answer.status() == 200 {
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Returns the rooms in which a user finds something, in their order by name.
async fn found(server: &TestServer, user: &Visitor, text: &str) -> Vec<String> {
    let (status, answer) = search(server, user, &[("q", text)]).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    let mut rooms: Vec<String> =
        results.iter().map(|result| result["room"].as_str().unwrap().to_owned()).collect();
    rooms.sort();
    rooms
}

#[tokio::test]
async fn a_search_finds_what_the_user_may_see() {
    let server = TestServer::start().await;
    let store = server.store();
    let [public, unlisted, members] = names();
    let (admin, owner, member, visitor, removed, stranger) = (
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
        Visitor::new(&server).await,
    );
    make_admin(store, admin.id).await;
    for name in [&public, &unlisted, &members] {
        create_room(store, name, owner.id).await;
        post(store, name, owner.id, "needle").await;
    }
    let appoint = Action::Appoint { user: member.id, role: Some(Role::Member) };
    act(store, owner.id, Some(&members), appoint.clone()).await.unwrap();
    for user in [&member, &visitor, &removed] {
        store.set_read_marker(user.id, unlisted.clone(), 1).await.unwrap();
    }
    store.set_read_marker(member.id, members.clone(), 1).await.unwrap();
    store.set_read_marker(removed.id, members.clone(), 1).await.unwrap();
    for name in [&public, &unlisted] {
        act(store, owner.id, Some(name), remove(removed.id)).await.unwrap();
    }
    let all = [members.as_str(), unlisted.as_str(), public.as_str()];
    for (user, who, expected) in [
        (&owner, "the owner", &all[..]),
        (&member, "a member", &all[..]),
        (&visitor, "a visitor", &all[1..]),
        (&stranger, "a stranger", &all[2..]),
        (&admin, "the administrator", &all[2..]),
        (&removed, "a removed user", &[]),
    ] {
        assert_eq!(found(&server, user, "needle").await, expected, "{who}");
        for name in [&public, &unlisted, &members] {
            // A user who knows the name of an unlisted room may enter it.
            let may_enter = user.page(&server, &name.path()).await.0 == 200;
            let rooms = found(&server, user, &format!("in:{name} needle")).await;
            assert_eq!(!rooms.is_empty(), may_enter, "{who} in {name}");
        }
        let (_, answer) = search(&server, user, &[("q", "needle"), ("limit", "1")]).await;
        assert_eq!(
            answer["next"].is_string(),
            expected.len() > 1,
            "{who} learns of no other result: {answer}"
        );
    }
}

#[tokio::test]
async fn unlisted_room_of_ordinary_name_is_found_by_its_visitors() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, visitor, stranger) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    // As `hubbub import --room attic` creates it.
    let info = RoomInfo { private: true, owner: Some(owner.id), ..RoomInfo::default() };
    store.create_room(room("attic"), info).await.unwrap();
    post(store, &room("attic"), owner.id, "needle").await;
    post(store, &room("attic"), visitor.id, "needle").await;
    for (user, count) in [(&owner, 2), (&visitor, 2), (&stranger, 0)] {
        assert_eq!(found(&server, user, "needle").await.len(), count, "{count}");
        assert_eq!(found(&server, user, "needle in:attic").await.len(), 2, "{count}");
    }
}

#[tokio::test]
async fn access_that_ends_or_begins_counts_at_once() {
    let server = TestServer::start().await;
    let store = server.store();
    let [.., members] = names();
    let (owner, user) = (Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(store, &members, owner.id).await;
    post(store, &members, owner.id, "needle").await;
    assert_eq!(found(&server, &user, "needle").await, [""; 0]);
    let appoint = |role| Action::Appoint { user: user.id, role };
    act(store, owner.id, Some(&members), appoint(Some(Role::Member))).await.unwrap();
    store.set_read_marker(user.id, members.clone(), 1).await.unwrap();
    assert_eq!(found(&server, &user, "needle").await, [members.as_str()]);
    act(store, owner.id, Some(&members), appoint(None)).await.unwrap();
    assert_eq!(found(&server, &user, "needle").await, [""; 0]);
    let before = format!("{members}.1");
    let (status, answer) = search(&server, &user, &[("q", "needle"), ("before", &before)]).await;
    assert_eq!((status, answer["results"].as_array().map(Vec::len)), (200, Some(0)));
}

#[tokio::test]
async fn search_reveals_nothing_of_more_removals_than_it_excludes() {
    let server = TestServer::start().await;
    let store = server.store();
    let (owner, user) = (Visitor::new(&server).await, Visitor::new(&server).await);
    post(store, &room("tea"), owner.id, "needle").await;
    for n in 0..MAX_EXCLUDED_ROOMS + 2 {
        let name = room(&format!("closed-{n}"));
        create_room(store, &name, owner.id).await;
        post(store, &name, owner.id, "needle").await;
        act(store, owner.id, Some(&name), remove(user.id)).await.unwrap();
    }
    let (mut before, mut pages, mut rooms) = (None::<String>, 0, Vec::new());
    loop {
        let mut query = vec![("q", "needle"), ("limit", "1")];
        query.extend(before.as_deref().map(|before| ("before", before)));
        let (status, answer) = search(&server, &user, &query).await;
        assert!(status == 200 && !answer.to_string().contains("closed-"), "{answer}");
        rooms.extend(answer["results"].as_array().unwrap().iter().map(|result| result["room"].clone()));
        before = answer["next"].as_str().map(str::to_owned);
        pages += 1;
        if before.is_none() || pages == 9 {
            break;
        }
    }
    assert_eq!((pages, rooms), (1, vec![Value::from("tea")]));
}

#[tokio::test]
async fn blocked_users_and_deleted_texts_are_not_found() {
    let server = TestServer::start().await;
    let store = server.store();
    let (ann, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    post(store, &room("tea"), bob.id, "needle of bob").await;
    let own = post(store, &room("tea"), ann.id, "needle of ann").await;
    assert_eq!(found(&server, &ann, "needle").await.len(), 2);
    store.set_blocked(ann.id, bob.id, true).await.unwrap();
    assert_eq!(found(&server, &ann, "needle").await.len(), 1);
    assert_eq!(found(&server, &ann, "from:me needle").await.len(), 1);
    let delete = NewEvent {
        operation: Operation::Delete { target: own },
        ..NewEvent::message(Uuid::now_v7(), room("tea"), ann.id, "")
    };
    store.append(delete).await.unwrap();
    assert_eq!(found(&server, &ann, "needle").await.len(), 0);
    assert_eq!(found(&server, &bob, "needle").await.len(), 1);
}

#[tokio::test]
async fn a_closed_server_is_not_searched() {
    use server::store::{ServerAccess, Setting};
    let server = TestServer::start().await;
    let user = Visitor::new(&server).await;
    let access = Some(ServerAccess::Invite.to_string().into());
    server.store().set(Setting::Access, access).await.unwrap();
    let request = client().get(server.http("/api/search?q=tea"));
    assert_eq!(user.send(request).await.status(), 403);
    assert_eq!(user.page(&server, "/search?q=tea").await.0, 403);
}

#[tokio::test]
async fn results_have_their_room_their_matches_and_a_link() {
    let server = TestServer::start().await;
    let store = server.store();
    let ann = Visitor::new(&server).await;
    store.set_display_name(ann.id, "Ann Lee".parse().unwrap()).await.unwrap();
    for n in 0..25 {
        post(store, &room("tea"), ann.id, &format!("<b>Green</b> tea {n} & more")).await;
    }
    let (_, first) = search(&server, &ann, &[("q", "from:\"ann lee\" in:tea green")]).await;
    let result = &first["results"][0];
    assert_eq!((first["results"].as_array().map(Vec::len), &result["seq"]), (Some(20), &Value::from(25)));
    assert_eq!(result["href"], "/r/tea?around=25");
    assert_eq!(result["author"]["name"], "Ann Lee");
    let parts = serde_json::json!([
        { "text": "<b>" }, { "text": "Green", "match": true }, { "text": "</b> tea 24 & more" }
    ]);
    assert_eq!(result["excerpt"], parts);
    for (text, query, shown) in [
        ("**bold** [kettle](https://x.example/spout) `code`", "kettle", "bold kettle code"),
        (
            "**bold** [kettle](https://x.example/spout) `code`",
            "spout",
            "**bold** [kettle](https://x.example/spout) `code`",
        ),
    ] {
        post(store, &room("markup"), ann.id, text).await;
        let (_, found) = search(&server, &ann, &[("q", query), ("limit", "1")]).await;
        let parts = found["results"][0]["excerpt"].as_array().unwrap().iter();
        assert_eq!(parts.map(|part| part["text"].as_str().unwrap()).collect::<String>(), shown);
    }
    let next = first["next"].as_str().unwrap();
    let (_, second) = search(&server, &ann, &[("q", "green"), ("before", next)]).await;
    assert_eq!(second["results"].as_array().map(Vec::len), Some(5));
    assert!(second["next"].is_null());
    let (status, page) = ann.page(&server, "/search?q=green+tea").await;
    assert_eq!(status, 200);
    for part in
        ["&lt;b&gt;", "<mark>Green</mark>", "<mark>tea</mark>", "href=\"/r/tea?around=25\"", "Ann Lee"]
    {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    assert!(page.contains("/search?q=green%20tea&amp;before=tea.6"), "{page}");
    let (status, page) = ann.page(&server, "/search?q=%3C/title%3E%3Cscript%3E").await;
    assert!(status == 200 && !page.contains("</title><script>"), "{page}");
}

#[tokio::test]
async fn hostile_queries_get_an_answer_or_one_sentence() {
    let server = TestServer::start().await;
    let user = Visitor::new(&server).await;
    post(server.store(), &room("tea"), user.id, "tea").await;
    let (long, many) = ("x".repeat(8_192), "a ".repeat(500));
    for query in [&*long, &*many, "before:yesterday", "has:money", "\"", ""] {
        let (status, answer) = search(&server, &user, &[("q", query)]).await;
        assert_eq!((status, &answer["code"]), (400, &Value::from("bad_request")), "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{answer}");
    }
    for query in ["tea\" OR \"", "tea*", "te\u{0}a", "NEAR(tea)", "{words}: tea", "tea AND (", "' OR 1=1 --"]
    {
        assert_eq!(search(&server, &user, &[("q", query)]).await.0, 200, "{query}");
    }
    for (name, value) in [("limit", "0"), ("limit", "51"), ("before", "tea"), ("before", "TEA.1")] {
        assert_eq!(search(&server, &user, &[("q", "tea"), (name, value)]).await.0, 400, "{name}={value}");
    }
    for path in ["/search", "/search?q=", "/search?q=tea&before=x"] {
        assert_eq!(user.page(&server, path).await.0, 200, "{path}");
    }
    let (status, page) = user.page(&server, &format!("/search?q={long}")).await;
    assert!(status == 200 && page.len() < 20_000 && page.contains("too long"), "{status}: {page}");
}

#[tokio::test]
async fn no_answer_comes_before_the_first_step() {
    let server = TestServer::start().await;
    let user = Visitor::new(&server).await;
    post(server.store(), &room("tea"), user.id, "needle").await;
    let late = format!("m-{}.1", "0".repeat(32));
    let queries = [
        (200, vec![("q", "needle")]),
        (200, vec![("q", "absent")]),
        (200, vec![("q", "needle in:nowhere")]),
        (200, vec![("q", "needle from:nobody")]),
        (200, vec![("q", "needle"), ("before", &*late)]),
        (400, vec![("q", "after:never")]),
    ];
    index(server.store()).await;
    for path in ["/api/search", "/search"] {
        for (status, query) in &queries {
            let begun = Instant::now();
            let answer = user.send(client().get(server.http(path)).query(query)).await;
            assert!(begun.elapsed() >= Duration::from_millis(50), "{path} {query:?}");
            assert!(path == "/search" || answer.status() == *status, "{path} {query:?}");
        }
    }
}
