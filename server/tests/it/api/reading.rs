//! Reading rooms, messages and events.

use super::{event_id, get, problem};
use crate::{
    joining::fill,
    support::{TestServer, room},
};
use app::wire::{Events, Messages, RoomName, Rooms, Seq};
use serde_json::{Value, json};
use server::store::RoomInfo;
use std::collections::HashSet;

#[tokio::test]
async fn rooms_with_messages_are_listed() {
    let server = TestServer::start().await;
    let rooms: Rooms = get(&server, "/api/rooms").await.json().await.unwrap();
    assert!(rooms.rooms.is_empty());
    fill(&server, "team-tea", 3).await;
    fill(&server, "jam", 1).await;
    let rooms: Value = get(&server, "/api/rooms").await.json().await.unwrap();
    assert_eq!(
        rooms,
        json!({"rooms": [{"room": "jam", "title": "Jam", "head": 1}, {"room": "team-tea", "title": "Team tea", "head": 3}],
            "more": false})
    );
}

#[tokio::test]
async fn rooms_are_paged_by_200() {
    let server = TestServer::start().await;
    let names: Vec<RoomName> = (0..450).map(|n| room(&format!("room-{n:03}"))).collect();
    for name in &names {
        server.store().create_room(name.clone(), RoomInfo::default()).await.unwrap();
    }
    let (mut listed, mut sizes, mut path) = (Vec::new(), Vec::new(), "/api/rooms".to_owned());
    loop {
        let page: Rooms = get(&server, &path).await.json().await.unwrap();
        sizes.push(page.rooms.len());
        listed.extend(page.rooms.into_iter().map(|listed| listed.room));
        path = format!("/api/rooms?after={}", listed.last().unwrap());
        if !page.more {
            break;
        }
    }
    assert_eq!((listed, sizes), (names, vec![200, 200, 50]));
    let page: Rooms = get(&server, "/api/rooms?after=room-100&limit=2").await.json().await.unwrap();
    let listed: Vec<&str> = page.rooms.iter().map(|listed| listed.room.as_str()).collect();
    assert_eq!((listed, page.more), (vec!["room-101", "room-102"], true));
    for limit in ["0", "201"] {
        let rejected = get(&server, &format!("/api/rooms?limit={limit}")).await;
        assert_eq!(problem(rejected).await, (400, Some("bad_request".into())), "{limit}");
    }
    let rejected = get(&server, "/api/rooms?after=No_Room").await;
    assert_eq!(problem(rejected).await, (400, Some("bad_request".into())));
}

#[tokio::test]
async fn messages_are_paged_in_order() {
    let server = TestServer::start().await;
    fill(&server, "tea", 120).await;
    let page = async |query: &str| -> (Vec<Seq>, bool) {
        let path = format!("/api/rooms/tea/messages{query}");
        let page: Messages = get(&server, &path).await.json().await.unwrap();
        assert_eq!((page.log.as_str(), page.head), (server.store().log_id(), 120));
        (page.messages.iter().map(|message| message.seq).collect(), page.more)
    };
    assert_eq!(page("").await, ((71..=120).collect(), true));
    assert_eq!(page("?before=71&limit=500").await, ((1..=70).collect(), false));
    assert_eq!(page("?limit=2").await, (vec![119, 120], true));
    let (around, _) = page("?around=60&limit=11").await;
    assert!(around.contains(&60) && around.len() == 11, "{around:?}");
    assert!(around[0] < 60 && around[10] > 60, "with messages on both sides: {around:?}");
    assert!(page("?before=18446744073709551615").await.0.ends_with(&[120]));
}

#[tokio::test]
async fn events_are_read_in_order_after_any_seq() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1_200).await;
    let events = async |query: &str| -> Events {
        let path = format!("/api/rooms/tea/events{query}");
        get(&server, &path).await.json().await.unwrap()
    };
    let seqs = |page: &Events| page.events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let first = events("").await;
    assert_eq!(seqs(&first), (1..=1_000).collect::<Vec<_>>());
    assert_eq!((first.log.as_str(), first.head, first.reset), (server.store().log_id(), 1_200, false));
    assert_eq!(seqs(&events("?after=1000").await), (1_001..=1_200).collect::<Vec<_>>());
    assert_eq!(seqs(&events("?after=7&limit=2").await), [8, 9]);
    let beyond = events("?after=1201").await;
    assert!(beyond.reset && beyond.events.is_empty(), "the position is of another log");
    let at_the_end = events("?after=1200").await;
    assert!(!at_the_end.reset && at_the_end.events.is_empty());
}

#[tokio::test]
async fn an_event_has_the_fields_of_the_protocol() {
    let server = TestServer::start().await;
    fill(&server, "tea", 1).await;
    let page: Value = get(&server, "/api/rooms/tea/events").await.json().await.unwrap();
    let fields: HashSet<&str> = page["events"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, HashSet::from(["seq", "at", "id", "kind", "author", "text"]));
    assert_eq!(page["events"][0]["kind"], "message");
    let page: Value = get(&server, "/api/rooms/tea/messages").await.json().await.unwrap();
    let fields: HashSet<&str> = page["messages"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, HashSet::from(["seq", "at", "id", "author", "text"]));
}

#[tokio::test]
async fn an_invalid_read_is_a_problem() {
    let server = TestServer::start().await;
    for path in [
        "/api/rooms/tea/messages?limit=0",
        "/api/rooms/tea/messages?limit=501",
        "/api/rooms/tea/messages?before=x",
        "/api/rooms/tea/events?limit=1001",
        "/api/rooms/tea/events?after=-1",
    ] {
        assert_eq!(problem(get(&server, path).await).await, (400, Some("bad_request".into())), "{path}");
    }
    for path in ["/api/rooms/No%20Room/messages", "/api/rooms/-/events"] {
        assert_eq!(problem(get(&server, path).await).await, (404, Some("no_such_room".into())), "{path}");
    }
    for path in ["/api", "/api/", "/api/nothing", "/api/rooms/tea", "/api/rooms/tea/messages/"] {
        assert_eq!(problem(get(&server, path).await).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_page_of_events_continues_only_the_event_with_the_given_id() {
    let server = TestServer::start().await;
    fill(&server, "tea", 4).await;
    let (second, third) = (event_id(&server, 2).await, event_id(&server, 3).await);
    let mut tags = HashSet::new();
    for (after_id, reset) in [(&second, false), (&third, true)] {
        let answer = get(&server, &format!("/api/rooms/tea/events?after=2&after_id={after_id}")).await;
        tags.insert(answer.headers()["etag"].clone());
        let page: Events = answer.json().await.unwrap();
        let seqs: Vec<Seq> = page.events.iter().map(|event| event.seq).collect();
        assert_eq!((page.reset, seqs), (reset, if reset { vec![] } else { vec![3, 4] }), "{after_id}");
    }
    assert_eq!(tags.len(), 2, "the responses have different tags");
    let rejected = get(&server, "/api/rooms/tea/events?after=2&after_id=x").await;
    assert_eq!(problem(rejected).await, (400, Some("bad_request".into())));
}
