//! Mentions: whom a name means, whatever sends it, and what clients and pages show of it.

use crate::support::{Lines, TestServer, V1, room, sent, visitor, within_timeout};
use app::wire::{ClientFrame, Event, EventBody, MentionHint, Mentions, Messages, Seq, ServerFrame, UserId};
use reqwest::header;
use std::sync::Arc;
use uuid::Uuid;

/// Returns a client of a new user with this name, who has posted a message in `tea`.
async fn named(server: &TestServer, name: &str) -> V1 {
    let mut client = V1::connect_and_join(server, "tea").await;
    client.set_name(name).await;
    client.post("tea", "hello").await;
    client.expect_reply().await;
    client
}

/// Returns what stands in the text of the event, and whom it means.
fn shown(mentions: &Mentions) -> Vec<(String, UserId)> {
    mentions.iter().map(|it| (it.name.to_string(), it.user.id)).collect()
}

/// Returns the next event that is `wanted`.
async fn event(client: &mut V1, wanted: impl Fn(&Event) -> bool) -> Arc<Event> {
    loop {
        if let ServerFrame::Events { events, .. } = client.expect_frame().await
            && let Some(found) = events.into_iter().find(|event| wanted(event))
        {
            return found;
        }
    }
}

/// Returns the next event whose text begins so.
async fn with_text(client: &mut V1, begin: &str) -> Arc<Event> {
    let begins = |text: &str| text.starts_with(begin);
    let wanted = |event: &Event| match &event.body {
        EventBody::Message { text, .. } | EventBody::Edit { text, .. } => begins(text),
        _ => false,
    };
    event(client, wanted).await
}

fn mentions(event: &Arc<Event>) -> Vec<(String, UserId)> {
    event.body.mentions().map(shown).unwrap_or_default()
}

async fn send(client: &mut V1, text: &str, reply_to: Option<Seq>, hints: &[(&str, UserId)]) -> Arc<Event> {
    let hint = |(name, id): &(&str, UserId)| MentionHint { name: (*name).into(), id: *id };
    let (id, room, mentions) = (Uuid::now_v7(), "tea".into(), hints.iter().map(hint).collect());
    client
        .send(&ClientFrame::Post { id, room, text: text.into(), reply_to, mentions, files: Vec::new() })
        .await;
    event(client, |event| event.id == id).await
}

async fn edit(client: &mut V1, target: Seq, text: &str) -> Arc<Event> {
    let (id, room, mentions) = (Uuid::now_v7(), "tea".into(), Vec::new());
    client.send(&ClientFrame::Edit { id, room, target, text: text.into(), mentions }).await;
    event(client, |event| event.id == id).await
}

async fn page(server: &TestServer) -> Messages {
    within_timeout(reqwest::get(server.http("/api/rooms/tea/messages"))).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_name_means_the_user_of_the_room_whatever_sends_it() {
    let server = TestServer::start().await;
    let bob = named(&server, "Bob Lee").await.you().id;
    let mut ann = named(&server, "Ann").await;
    let at = |name: &str| vec![(name.to_owned(), bob)];
    assert_eq!(mentions(&send(&mut ann, "hi @bob lee, `@Bob Lee`", None, &[]).await), at("bob lee"));
    assert_eq!(mentions(&send(&mut ann, "hi @Bob, me@Bob Lee", None, &[]).await), []);
    let mut lines = Lines::join(&server, "tea").await;
    lines.send_line("a line for @Bob Lee").await;
    assert_eq!(mentions(&with_text(&mut ann, "a line").await), at("Bob Lee"));
    let browser = visitor(&server).await;
    sent(browser.post(server.http("/r/tea")).form(&[("text", "a form for ＠Bob Lee")])).await;
    let posted = with_text(&mut ann, "a form").await;
    assert_eq!(mentions(&posted), at("Bob Lee"));
    let api = browser.post(server.http("/api/rooms/tea/messages")).body("the API for @Bob Lee");
    sent(api.header(header::CONTENT_TYPE, "text/plain")).await;
    assert_eq!(mentions(&with_text(&mut ann, "the API").await), at("Bob Lee"));
    sent(
        browser
            .post(server.http(&format!("/r/tea/{}/edit", posted.seq)))
            .form(&[("text", "@Ann and @Bob Lee")]),
    )
    .await;
    let edited = mentions(&with_text(&mut ann, "@Ann and").await);
    assert_eq!(edited, [("Ann".to_owned(), ann.you().id), ("Bob Lee".to_owned(), bob)]);
    let last = page(&server).await;
    assert_eq!(
        shown(&last.messages.iter().find(|message| message.seq == posted.seq).unwrap().mentions),
        edited
    );
}

#[tokio::test]
async fn a_mention_follows_a_rename_and_a_namesake_takes_nothing_over() {
    let server = TestServer::start().await;
    let mut ann = named(&server, "Ann").await;
    let mut bob = named(&server, "Bob").await;
    let (bob_id, seq) = (bob.you().id, send(&mut ann, "hi @Bob", None, &[]).await.seq);
    bob.set_name("Robert").await;
    let mut eve = named(&server, "Bob").await;
    let message = page(&server).await.messages.into_iter().find(|message| message.seq == seq).unwrap();
    let mention = message.mentions.iter().next().unwrap();
    assert_eq!((&*mention.name, mention.user.id, mention.user.name.as_str()), ("Bob", bob_id, "Robert"));
    let renamed = ann.frames_until_pong().await;
    assert!(renamed.iter().any(|frame| matches!(frame, ServerFrame::Renamed { id, .. } if *id == bob_id)));
    let edited = edit(&mut ann, seq, "hi @Bob!").await;
    assert_eq!(mentions(&edited), [("Bob".to_owned(), bob_id)], "an edit keeps whom the message meant");
    let html = sent(visitor(&server).await.get(server.http("/r/tea"))).await.text().await.unwrap();
    let pill = format!("<span class=\"mention\" data-user=\"{bob_id}\">@Robert</span>!");
    assert!(html.contains(&pill), "{html}");
    eve.set_name("Eve").await;
    let late = V1::connect(&server).await.join("tea", None).await;
    let ServerFrame::Joined { messages: Some(messages), .. } = late else { panic!("{late:?}") };
    let message = messages.iter().find(|message| message.seq == seq).unwrap();
    assert_eq!(message.mentions.iter().next().unwrap().user.name.as_str(), "Robert");
}

#[tokio::test]
async fn author_chooses_among_namesakes_or_the_mention_stays_text() {
    let server = TestServer::start().await;
    let (one, two) = (named(&server, "Bob").await, named(&server, "Bob").await);
    let mut ann = named(&server, "Ann").await;
    assert_eq!(mentions(&send(&mut ann, "hi @Bob", None, &[]).await), []);
    let (first, second) = (one.you().id, two.you().id);
    assert_eq!(
        mentions(&send(&mut ann, "hi @Bob", None, &[("Bob", second)]).await),
        [("Bob".into(), second)]
    );
    let unknown = [("Bob", UserId(1)), ("Ann", first), ("", first), ("ob", first)];
    assert_eq!(mentions(&send(&mut ann, "hi @Bob", None, &unknown).await), []);
    let many: String = (0..30).map(|n| format!("@name{n} ")).collect();
    let names: Vec<String> = (0..30).map(|n| format!("name{n}")).collect();
    let hints: Vec<(&str, UserId)> = names.iter().map(|name| (name.as_str(), first)).collect();
    assert_eq!(mentions(&send(&mut ann, &many, None, &hints).await).len(), 20);
}

#[tokio::test]
async fn messages_to_a_user_are_counted_apart() {
    let server = TestServer::start().await;
    let cookie = server.new_user_cookie().await;
    let (mut bob, mut phone) =
        (V1::connect_as(&server, &cookie).await, V1::connect_as(&server, &cookie).await);
    bob.join("tea", None).await;
    bob.set_name("Bob").await;
    bob.post("tea", "hello").await;
    bob.expect_reply().await;
    let mut ann = named(&server, "Ann").await;
    let bob_id = bob.you().id;
    let first = send(&mut ann, "hi @Bob", None, &[]).await.seq;
    send(&mut ann, "and the others", None, &[]).await;
    let answer = send(&mut ann, "yes", Some(1), &[]).await;
    assert_eq!(mentions(&answer), [(String::new(), bob_id)], "a reply is to its author");
    let to_herself = send(&mut ann, "me too", Some(answer.seq), &[]).await;
    assert_eq!(mentions(&to_herself), []);
    let count =
        async |after| server.store().mention_counts(bob_id, &[(room("tea"), after)]).await.unwrap()[0];
    assert_eq!((count(1).await, count(first).await, count(answer.seq).await), (2, 1, 0));
    phone.join("tea", None).await;
    bob.send(&ClientFrame::Read { room: "tea".into(), seq: first }).await;
    let read = loop {
        if let ServerFrame::Read { unread, mentions, .. } = phone.expect_frame().await {
            break (unread, mentions);
        }
    };
    assert_eq!(read, (Some(3), Some(1)));
    let id = Uuid::now_v7();
    ann.send(&ClientFrame::Delete { id, room: "tea".into(), target: answer.seq }).await;
    event(&mut ann, |event| event.id == id).await;
    assert_eq!(count(first).await, 0);
}

#[tokio::test]
async fn the_list_of_rooms_shows_messages_to_the_user_apart() {
    let server = TestServer::start().await;
    let browser = visitor(&server).await;
    sent(browser.post(server.http("/name")).form(&[("name", "Bob"), ("room", "tea")])).await;
    sent(browser.post(server.http("/r/tea")).form(&[("text", "hi")])).await;
    let mut ann = named(&server, "Ann").await;
    for text in ["hi @Bob", "see #jam and #1", "<b>@Bob</b>"] {
        send(&mut ann, text, None, &[]).await;
    }
    let lobby = sent(browser.get(server.http("/"))).await.text().await.unwrap();
    assert!(lobby.contains("<span class=\"badge mentions\" aria-hidden=\"true\">@2</span>"));
    assert!(lobby.contains("2 unread mentions"));
    let tea = sent(browser.get(server.http("/r/tea"))).await.text().await.unwrap();
    assert_eq!(tea.matches("class=\"mention you\"").count(), 2);
    assert!(tea.contains("see <a class=\"room-link\" href=\"/r/jam\">#jam</a> and #1"));
    assert!(tea.contains("&lt;b&gt;<span class=\"mention you\""), "nothing typed becomes HTML");
    assert_eq!(tea.matches("to-you").count(), 2, "the rows are marked");
}
