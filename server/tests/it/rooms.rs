//! Rooms that users create: titles, topics, lists and private rooms.

use crate::{
    joining::fill,
    support::{TestServer, V1, browser, visitor, within_timeout},
};
use app::wire::ServerFrame;
use reqwest::{Client, Response, StatusCode};
use server::store::RoomInfo;

async fn get(browser: &Client, server: &TestServer, path: &str) -> String {
    let answer =
        within_timeout(browser.get(server.http(path)).header("accept", "text/html").send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

async fn post(browser: &Client, server: &TestServer, path: &str, form: &[(&str, &str)]) -> Response {
    within_timeout(browser.post(server.http(path)).form(form).send()).await.unwrap()
}

/// Creates a room and returns its path.
async fn create(browser: &Client, server: &TestServer, form: &[(&str, &str)]) -> String {
    let created = post(browser, server, "/rooms", form).await;
    assert_eq!(created.status(), StatusCode::SEE_OTHER, "{:?}", created.text().await);
    created.headers()["location"].to_str().unwrap().into()
}

#[tokio::test]
async fn a_created_room_is_listed_for_every_user() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, browser());
    let path = create(&ann, &server, &[("title", "Tea & Cake"), ("topic", "Every day at four")]).await;
    assert_eq!(path, "/r/tea-cake");
    let page = get(&ann, &server, &path).await;
    assert!(page.contains("Tea &amp; Cake") && page.contains("Every day at four"), "{page}");
    assert!(get(&bob, &server, "/rooms").await.contains("Tea &amp; Cake"));
    assert!(get(&bob, &server, "/").await.contains("href=\"/r/tea-cake\""));
    let api = get(&bob, &server, "/api/rooms").await;
    assert!(
        api.contains(r#"{"room":"tea-cake","title":"Tea & Cake","topic":"Every day at four","head":0}"#),
        "{api}"
    );
}

#[tokio::test]
async fn a_private_room_is_listed_only_for_users_who_have_joined_it() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, browser());
    let path = create(&ann, &server, &[("title", "Surprise party"), ("private", "yes")]).await;
    assert!(path.starts_with("/r/p-") && path.len() == 37, "{path}");
    for list in ["/", "/rooms", "/api/rooms"] {
        assert!(!get(&bob, &server, list).await.contains("Surprise"), "{list}");
    }
    assert!(get(&ann, &server, "/").await.contains("Surprise"), "her own list has the new room");
    assert!(get(&bob, &server, &path).await.contains("Surprise party"), "a user with the link can join");
}

#[tokio::test]
async fn invalid_or_taken_title_is_rejected_and_the_form_keeps_fields() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    create(&browser, &server, &[("title", "Tea House")]).await;
    for (title, why) in
        [("tea  HOUSE", "already"), ("\u{202e}evil", "hidden"), ("  ", "room name"), (&"x".repeat(49), "48")]
    {
        let rejected = post(&browser, &server, "/rooms", &[("title", title), ("topic", "as it was")]).await;
        assert!(rejected.status().is_client_error(), "{title}");
        let page = rejected.text().await.unwrap();
        assert!(page.contains(why) && page.contains("as it was"), "{title}: {page}");
    }
    let room = create(&browser, &server, &[("title", "Tea-House!")]).await;
    assert!(room.starts_with("/r/tea-house-"), "another title, an address of its own: {room}");
}

#[tokio::test]
async fn the_owner_updates_a_room_and_its_members_receive_the_change() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    create(&ann, &server, &[("title", "Tea")]).await;
    let mut carol = V1::connect_and_join(&server, "tea").await;
    let form = [("title", "Tea and cake"), ("topic", "at four")];
    let rejected = post(&bob, &server, "/r/tea/about", &form).await;
    assert_eq!(rejected.status(), StatusCode::FORBIDDEN);
    let page = rejected.text().await.unwrap();
    assert!(page.contains("Tea and cake") && page.contains("at four"), "the form keeps its fields: {page}");
    create(&ann, &server, &[("title", "Coffee")]).await;
    let rejected = post(&ann, &server, "/r/tea/about", &[("title", "COFFEE"), ("topic", "at nine")]).await;
    assert_eq!(rejected.status(), StatusCode::CONFLICT);
    let page = rejected.text().await.unwrap();
    assert!(page.contains("href=\"/r/coffee\"") && page.contains("value=\"at nine\""), "{page}");
    assert_eq!(post(&ann, &server, "/r/tea/about", &form).await.status(), StatusCode::SEE_OTHER);
    let titled = ServerFrame::RoomUpdated {
        room: "tea".parse().unwrap(),
        title: "Tea and cake".into(),
        topic: "at four".into(),
        kept_hours: None,
    };
    assert_eq!(carol.expect_frame().await, titled);
    match V1::connect(&server).await.join("tea", None).await {
        ServerFrame::Joined { title, topic, .. } => {
            assert_eq!((&*title, &*topic), ("Tea and cake", "at four"));
        }
        other => panic!("{other:?}"),
    }
    assert!(get(&ann, &server, "/r/tea").await.contains("action=\"/r/tea/about\""));
    assert!(!get(&bob, &server, "/r/tea").await.contains("action=\"/r/tea/about\""));
}

#[tokio::test]
async fn the_room_list_has_unread_counts_without_script_too() {
    let server = TestServer::start().await;
    let ann = browser();
    get(&ann, &server, "/r/tea").await;
    let seen = async |seq| {
        within_timeout(ann.get(server.http(&format!("/r/tea/seen?seq={seq}"))).send()).await.unwrap()
    };
    assert_eq!(seen(0).await.status(), StatusCode::NOT_FOUND, "the room does not exist");
    fill(&server, "tea", 1).await;
    assert_eq!(seen(1).await.status(), StatusCode::NO_CONTENT);
    fill(&server, "tea", 3).await;
    let page = get(&ann, &server, "/").await;
    assert!(page.contains("3 unread") && page.contains("href=\"/r/tea#new\""), "{page}");
    let room = get(&ann, &server, "/r/tea").await;
    assert!(room.contains("id=\"new\""), "{room}");
    let beacon = room.split("<noscript>").nth(1).unwrap().split("src=\"").nth(1).unwrap();
    let beacon = beacon.split('"').next().unwrap();
    let (stranger, ahead) = (within_timeout(browser().get(server.http(beacon)).send()), format!("{beacon}0"));
    assert_eq!(
        stranger.await.unwrap().status(),
        StatusCode::BAD_REQUEST,
        "the server does not know this user"
    );
    let ahead = within_timeout(ann.get(server.http(&ahead)).send()).await.unwrap();
    assert_eq!(ahead.status(), StatusCode::BAD_REQUEST, "no event has this seq yet");
    within_timeout(ann.get(server.http(beacon)).send()).await.unwrap();
    assert!(!get(&ann, &server, "/").await.contains("3 unread"));
}

#[tokio::test]
async fn pages_have_the_chosen_language_or_that_of_the_browser() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    let page = async |accept: &str| {
        let request = browser.get(server.http("/")).header("accept-language", accept);
        within_timeout(request.send()).await.unwrap().text().await.unwrap()
    };
    assert!(page("zh-CN,zh;q=0.9,en;q=0.5").await.contains("<html lang=\"zh-Hans\""));
    assert!(page("de").await.contains("<html lang=\"en\""));
    let chosen = post(&browser, &server, "/settings", &[("lang", "zh-Hans"), ("back", "/r/tea")]).await;
    assert_eq!(
        (chosen.status(), &chosen.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/r/tea".parse().unwrap())
    );
    assert!(page("en").await.contains("<html lang=\"zh-Hans\""));
    post(&browser, &server, "/settings", &[("theme", "dark"), ("back", "//evil.example")]).await;
    assert!(page("en").await.contains("data-theme=\"dark\""));
    let missing = browser.get(server.http("/r/No_Such")).header("accept", "text/html");
    let missing = within_timeout(missing.send()).await.unwrap().text().await.unwrap();
    assert!(missing.contains("页面不存在"), "{missing}");
}

#[tokio::test]
async fn the_room_list_reaches_every_room_in_pages_of_200() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    for n in 0..250 {
        let name = format!("tea-{n:03}").parse().unwrap();
        server.store().create_room(name, RoomInfo::default()).await.unwrap();
    }
    post(&bob, &server, "/r/tea-100", &[("text", "mine")]).await;
    let page = get(&ann, &server, "/").await;
    assert!(page.contains("href=\"/r/tea-100\""), "every page lists the room with recent activity: {page}");
    let first = get(&bob, &server, "/rooms").await;
    let next = first.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let path = next.split(['"', '#']).next().unwrap();
    assert_eq!(path, "/rooms?after=tea-200", "his own room is not counted");
    let second = get(&bob, &server, path).await;
    assert!(!second.contains("rel=\"next\""), "{second}");
    let links = |page: &str, n: u32| page.matches(&format!("href=\"/r/tea-{n:03}\"")).count();
    for n in 0..250 {
        let expected = if n == 100 { 2 } else { 1 };
        assert_eq!(links(&first, n) + links(&second, n), expected, "tea-{n:03}");
    }
    assert!(get(&bob, &server, "/rooms?after=No_Room").await.contains("href=\"/r/tea-000\""));
}

#[tokio::test]
async fn page_shows_the_latest_100_own_rooms_and_the_room_list_all() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    for n in 0..250 {
        let path = format!("/r/p-{n:032x}");
        assert_eq!(post(&ann, &server, &path, &[("text", "mine")]).await.status(), StatusCode::SEE_OTHER);
    }
    let links = |page: &str| page.matches("<a href=\"/r/p-").count();
    let room = get(&ann, &server, "/").await;
    let own = room.matches("href=\"/r/p-").count();
    assert_eq!(own, 100, "{own} rooms on the page of a room");
    let mut pages = vec![get(&ann, &server, "/rooms").await];
    for next in ["/rooms?yours=100", "/rooms?yours=200"] {
        assert!(pages.last().unwrap().contains(&format!("href=\"{next}#yours\"")), "the way to {next}");
        pages.push(get(&ann, &server, next).await);
    }
    assert_eq!(pages.iter().map(|page| links(page)).collect::<Vec<_>>(), [100, 100, 50]);
    assert!(!pages[2].contains("rel=\"next\""));
    let beyond = get(&ann, &server, "/rooms?yours=4294967295").await;
    assert_eq!(links(&beyond), 0);
}

#[tokio::test]
async fn room_with_private_name_is_not_listed_if_a_post_creates_it() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    let path = format!("/r/p-{}", "0123456789abcdef".repeat(2));
    post(&ann, &server, &path, &[("text", "after a restart that kept nothing")]).await;
    for list in ["/", "/rooms", "/api/rooms"] {
        assert!(!get(&bob, &server, list).await.contains("p-0123"), "{list}");
    }
    assert!(get(&ann, &server, "/").await.contains(&path), "her own list has it");
}

#[tokio::test]
async fn a_room_opened_by_its_address_has_no_owner() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    post(&ann, &server, "/r/support", &[("text", ".")]).await;
    post(&bob, &server, "/r/support", &[("text", "hello?")]).await;
    let deleted = post(&ann, &server, "/r/support/2/delete", &[]).await;
    assert_eq!(deleted.status(), StatusCode::FORBIDDEN);
    let retitled = post(&ann, &server, "/r/support/about", &[("title", "Closed"), ("topic", "")]).await;
    assert_eq!(retitled.status(), StatusCode::FORBIDDEN);
    let page = get(&ann, &server, "/r/support").await;
    assert!(page.contains("hello?") && !page.contains("action=\"/r/support/about\""), "{page}");
}

#[tokio::test]
async fn rooms_of_the_same_title_show_their_addresses() {
    let server = TestServer::start().await;
    let (ann, bob) = (visitor(&server).await, visitor(&server).await);
    let created = RoomInfo { title: Some("Tea".parse().unwrap()), ..RoomInfo::default() };
    server.store().create_room("leaves".parse().unwrap(), created).await.unwrap();
    create(&ann, &server, &[("title", "Coffee")]).await;
    post(&bob, &server, "/r/tea", &[("text", "opened by its address")]).await;
    for list in ["/", "/rooms", "/api/rooms", "/r/tea"] {
        let list = get(&ann, &server, list).await;
        assert!(list.contains("Tea (/r/tea)") && !list.contains("Coffee (/"), "{list}");
    }
}

#[tokio::test]
async fn second_lobby_is_rejected_with_a_link_in_any_language() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    for (lang, title) in [("en", "lobby"), ("zh-Hans", "大厅")] {
        let request =
            ann.post(server.http("/rooms")).header("accept-language", lang).form(&[("title", title)]);
        let rejected = within_timeout(request.send()).await.unwrap();
        assert_eq!(rejected.status(), StatusCode::CONFLICT);
        let page = rejected.text().await.unwrap();
        let way = page.split("id=\"room-problem\"").nth(1).unwrap();
        let lobby = if lang == "en" { "Lobby" } else { title };
        assert!(way.split("</div>").next().unwrap().contains(&format!("<a href=\"/\">{lobby}</a>")), "{way}");
    }
}

#[tokio::test]
async fn an_address_without_a_room_shows_a_hint_and_is_not_listed() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    create(&ann, &server, &[("title", "Garden club")]).await;
    let page = get(&ann, &server, "/r/gardn-club").await;
    assert!(page.contains("This room does not exist yet."), "{page}");
    assert!(page.contains(r#"<a href="/r/garden-club"><b>Garden club</b></a>"#), "{page}");
    for list in ["/", "/rooms"] {
        assert!(!get(&ann, &server, list).await.contains("gardn-club"), "{list}");
    }
    fill(&server, "gardn-club", 1).await;
    let page = get(&ann, &server, "/r/gardn-club").await;
    assert!(!page.contains("This room does not exist yet."), "{page}");
}

#[tokio::test]
async fn a_left_room_is_no_longer_listed_for_its_user() {
    let server = TestServer::start().await;
    let ann = visitor(&server).await;
    let path = create(&ann, &server, &[("title", "Surprise party"), ("private", "yes")]).await;
    assert!(get(&ann, &server, "/").await.contains(&path));
    let left = post(&ann, &server, &format!("{path}/leave"), &[]).await;
    assert_eq!((left.status(), &left.headers()["location"]), (StatusCode::SEE_OTHER, &"/".parse().unwrap()));
    assert!(!get(&ann, &server, "/").await.contains(&path));
    assert!(get(&ann, &server, &path).await.contains("Surprise party"), "its address still leads there");
    let elsewhere =
        ann.post(server.http(&format!("{path}/leave"))).header("origin", "http://evil.example").send();
    assert_eq!(
        within_timeout(elsewhere).await.unwrap().status(),
        StatusCode::FORBIDDEN,
        "no other site can leave it"
    );
}
