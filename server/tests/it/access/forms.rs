//! The pages and forms of moderators and users, as a browser without script uses them.

use super::{Visitor, act, create_room, make_admin, names, pause, remove};
use crate::support::{TestServer, room, within_timeout};
use app::wire::UserId;
use server::store::{Action, Invitation, Role, Scope};
use std::time::Duration;

async fn say(server: &TestServer, user: &Visitor, path: &str, text: &str) {
    assert_eq!(user.form(server, path, &[("text", text)]).await.0, 303, "{text}");
}

#[tokio::test]
async fn user_creates_a_members_only_room_and_lets_others_in_by_name() {
    let server = TestServer::start().await;
    let (ann, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    let fields = [("title", "The club"), ("members", "yes")];
    let (status, club, _) = ann.form(&server, "/rooms", &fields).await;
    assert!(status == 303 && club.starts_with("/r/m-"), "{club}");
    assert_eq!((ann.page(&server, &club).await.0, bob.page(&server, &club).await.0), (200, 404));
    bob.form(&server, "/name", &[("name", "Bob of the hills")]).await;
    say(&server, &bob, "/r/lobby", "hello").await;
    let manage = format!("{club}/manage");
    let (status, _, page) =
        ann.form(&server, &manage, &[("action", "let-in"), ("person", "Nobody here")]).await;
    assert!(status == 400 && page.contains("role=\"alert\""), "{page}");
    assert_eq!(
        ann.form(&server, &manage, &[("action", "let-in"), ("person", "Bob of the hills")]).await.0,
        303
    );
    assert_eq!(bob.page(&server, &club).await.0, 200);
    let (_, page) = bob.page(&server, &manage).await;
    assert!(
        page.contains("Bob of the hills") && !page.contains("name=\"person\""),
        "he sees the members alone"
    );
    assert_eq!(bob.form(&server, &manage, &[("action", "leave")]).await.1, "/");
    assert_eq!(bob.page(&server, &club).await.0, 404);
}

#[tokio::test]
async fn moderator_mutes_removes_and_deletes_on_the_page_of_a_user() {
    let server = TestServer::start().await;
    let (owner, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(server.store(), &room("tea"), owner.id).await;
    for text in ["one <b>", "two"] {
        say(&server, &bob, "/r/tea", text).await;
    }
    assert_eq!(owner.page(&server, "/r/tea/1/author").await.0, 303, "it redirects to the author");
    let person = format!("/r/tea/people/{}", bob.id);
    let (_, page) = owner.page(&server, &format!("{person}?seq=1")).await;
    assert!(page.contains("one &lt;b&gt;") && page.contains("value=\"mute\""), "{page}");
    let (_, own) = bob.page(&server, &person).await;
    assert!(!own.contains("value=\"mute\"") && !own.contains("value=\"block\""), "{own}");
    let fields = [("action", "mute"), ("hours", "24"), ("reason", "shouting <i>")];
    assert_eq!(owner.form(&server, &person, &fields).await.0, 303);
    let (status, _, page) = bob.form(&server, "/r/tea", &[("text", "no")]).await;
    assert!(
        status == 403 && page.contains("muted you") && page.contains("\nno</textarea>"),
        "the text is kept"
    );
    assert_eq!(bob.form(&server, &person, &[("action", "unmute")]).await.0, 403, "not by himself");
    assert_eq!(owner.form(&server, &person, &[("action", "unmute")]).await.0, 303);
    say(&server, &bob, "/r/tea", "three").await;
    let (status, location, _) = owner.form(&server, &person, &[("action", "delete-hour")]).await;
    assert_eq!((status, location), (303, format!("{person}?done=deleted-3")));
    let page = server.store().messages_before(&room("tea"), u64::MAX, 9).await.unwrap();
    assert!(page.messages.iter().all(|message| message.deleted));
    assert_eq!(owner.form(&server, &person, &[("action", "remove"), ("hours", "0")]).await.0, 303);
    let (status, page) = bob.page(&server, "/r/tea").await;
    assert!(status == 403 && page.contains("A moderator has removed you from this room."), "{page}");
    let (_, page) = owner.page(&server, "/r/tea/manage").await;
    assert!(page.contains("shouting &lt;i&gt;"), "{page}");
    let words: Vec<String> = server
        .store()
        .log(&Scope::Room(room("tea")), None)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(words, ["remove", "delete", "unmute", "mute"]);
}

#[tokio::test]
async fn a_report_reaches_the_moderators_and_not_the_author() {
    let server = TestServer::start().await;
    let (owner, bob, cat) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(server.store(), &room("tea"), owner.id).await;
    say(&server, &bob, "/r/tea", "rude words").await;
    let person = format!("/r/tea/people/{}", bob.id);
    let fields = [("action", "report"), ("seq", "1"), ("reason", "please look")];
    let (status, location, _) = cat.form(&server, &person, &fields).await;
    assert_eq!((status, location), (303, format!("{person}?done=reported")));
    assert!(cat.page(&server, &format!("{person}?done=reported")).await.1.contains("Thank you"));
    let (_, page) = owner.page(&server, "/r/tea/manage").await;
    assert!(page.contains("rude words") && page.contains("please look"), "{page}");
    assert!(!bob.page(&server, "/r/tea/manage").await.1.contains("please look"));
    let [report] = &server.store().reports(&Scope::All).await.unwrap()[..] else { panic!("one report") };
    let fields = [("action", "resolve"), ("report", &report.id.to_string())];
    assert_eq!(bob.form(&server, "/r/tea/manage", &fields).await.0, 403);
    assert_eq!(owner.form(&server, "/r/tea/manage", &fields).await.0, 303);
    assert_eq!(server.store().reports(&Scope::All).await.unwrap(), []);
}

#[tokio::test]
async fn messages_of_a_blocked_user_are_marked_for_the_blocker_only() {
    let server = TestServer::start().await;
    let (ann, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    say(&server, &bob, "/r/tea", "hello").await;
    let person = format!("/r/tea/people/{}", bob.id);
    assert_eq!(ann.form(&server, &person, &[("action", "block")]).await.0, 303);
    let is_hidden = async |user: &Visitor| {
        let page = user.page(&server, "/r/tea").await.1;
        scraper::Html::parse_document(&page)
            .select(&scraper::Selector::parse(".line.blocked").unwrap())
            .count()
            == 1
    };
    assert!(is_hidden(&ann).await && !is_hidden(&bob).await);
    assert_eq!(ann.form(&server, &person, &[("action", "unblock")]).await.0, 303);
    assert!(!is_hidden(&ann).await);
}

#[tokio::test]
async fn owner_transfers_a_room_and_a_new_link_closes_its_old_address() {
    let server = TestServer::start().await;
    let (ann, bob, cat) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    let [_, den, _] = names();
    create_room(server.store(), &den, ann.id).await;
    say(&server, &bob, &format!("/r/{den}"), "hello").await;
    let manage = format!("/r/{den}/manage");
    let (status, _, page) = ann.form(&server, &manage, &[("action", "new-link"), ("uses", "0")]).await;
    assert!(status == 200 && page.contains("/invite/"), "{page}");
    assert_eq!((bob.page(&server, &den.path()).await.0, cat.page(&server, &den.path()).await.0), (200, 404));
    let person = format!("/r/{den}/people/{}", bob.id);
    assert_eq!(ann.form(&server, &person, &[("action", "hand-over")]).await.0, 303);
    assert_eq!(server.store().room(&den).await.unwrap().info.owner, Some(bob.id));
    assert_eq!(ann.form(&server, &manage, &[("action", "new-link")]).await.0, 403, "she is a moderator now");
    let roles = server.store().roles(&Scope::Room(den), Role::Moderator, UserId(0)).await.unwrap();
    assert_eq!(roles, [(ann.id, Role::Moderator)]);
}

#[tokio::test]
async fn forms_with_bad_or_foreign_values_are_refused_with_a_sentence() {
    let server = TestServer::start().await;
    let (owner, other) = (Visitor::new(&server).await, Visitor::new(&server).await);
    create_room(server.store(), &room("tea"), owner.id).await;
    create_room(server.store(), &room("jam"), other.id).await;
    for fields in [
        vec![("action", "dance")],
        vec![("action", "set-mode"), ("mode", "7")],
        vec![("action", "set-mode"), ("mode", "0"), ("slow", "99999999")],
        vec![("action", "revoke"), ("hash", "nonsense")],
        vec![("action", "lift"), ("subject", "everyone")],
        vec![("action", "set-access"), ("access", "open")],
        vec![("action", "new-link")],
    ] {
        let (status, _, page) = owner.form(&server, "/r/tea/manage", &fields).await;
        assert!((400..404).contains(&status) && page.contains("role=\"alert\""), "{fields:?}: {status}");
    }
    assert_eq!(owner.form(&server, "/r/jam/manage", &[("action", "invite")]).await.0, 403);
    assert_eq!(owner.form(&server, "/admin", &[("action", "invite")]).await.0, 404);
    let by_other = format!("/r/tea/people/{}", owner.id);
    assert_eq!(other.form(&server, &by_other, &[("action", "remove")]).await.0, 403);
    let own = format!("/r/tea/people/{}", owner.id);
    assert_eq!(
        owner.form(&server, &own, &[("action", "remove")]).await.0,
        403,
        "owners cannot ban themselves"
    );
    assert_eq!(owner.page(&server, "/r/tea/people/nonsense").await.0, 404);
}

#[tokio::test]
async fn the_administrator_appoints_moderators_who_cannot_touch_them() {
    let server = TestServer::start().await;
    let (admin, moderator, user) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let person = |user: &Visitor| format!("/admin/people/{}", user.id);
    let appoint = [("action", "appoint"), ("person", &*person(&moderator))];
    assert_eq!(admin.form(&server, "/admin", &appoint).await.0, 303);
    let (status, page) = moderator.page(&server, "/admin").await;
    assert!(status == 200 && !page.contains("set-access"), "settings are the administrator's: {page}");
    assert_eq!(moderator.form(&server, &person(&admin), &[("action", "remove")]).await.0, 403);
    assert_eq!(moderator.form(&server, &person(&user), &[("action", "remove"), ("hours", "1")]).await.0, 303);
    let (status, page) = user.page(&server, "/").await;
    assert!(status == 403 && page.contains("ended your access"), "{page}");
    assert_eq!(admin.form(&server, &person(&moderator), &[("action", "dismiss")]).await.0, 303);
    assert_eq!(moderator.page(&server, "/admin").await.0, 404);
    // The last moderator may resign, and the administrator is still there.
    let again = Action::Appoint { user: moderator.id, role: Some(Role::Moderator) };
    act(server.store(), admin.id, None, again).await.unwrap();
    let resign = Action::Appoint { user: moderator.id, role: None };
    act(server.store(), moderator.id, None, resign).await.unwrap();
    assert!(act(server.store(), moderator.id, None, remove(user.id)).await.is_err());
}

#[tokio::test]
async fn the_administrator_says_how_long_messages_are_kept() {
    let server = TestServer::start().await;
    let (admin, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    say(&server, &bob, "/r/tea", "hello").await;
    let fields = [("action", "set-retention"), ("keep", "168"), ("keep_limit", "yes")];
    assert_eq!(bob.form(&server, "/admin", &fields).await.0, 404, "for others there is no such page");
    assert_eq!(admin.form(&server, "/admin", &fields).await.0, 303);
    let (_, page) = admin.page(&server, "/admin").await;
    assert!(page.contains("<option value=\"168\" selected"), "{page}");
    assert!(page.contains("changed how long messages are kept: a week, in every room at most"), "{page}");
    let (_, room) = bob.page(&server, "/r/tea").await;
    assert!(room.contains("Messages are kept for a week."), "{room}");
    for bad in ["87601", "-1", "week", ""] {
        let (status, ..) = admin.form(&server, "/admin", &[("action", "set-retention"), ("keep", bad)]).await;
        assert!(status == 400 || status == 422, "{bad}: {status}");
    }
    let (_, page) = admin.page(&server, "/admin").await;
    assert!(page.contains("<option value=\"168\" selected"), "a bad value changes nothing");
}

#[tokio::test]
async fn administrator_exports_and_erases_everything_of_a_user() {
    let server = TestServer::start().await;
    let (admin, moderator) = (Visitor::new(&server).await, Visitor::new(&server).await);
    let bob = Visitor::new(&server).await;
    make_admin(server.store(), admin.id).await;
    let appoint = Action::Appoint { user: moderator.id, role: Some(Role::Moderator) };
    act(server.store(), admin.id, None, appoint).await.unwrap();
    bob.form(&server, "/name", &[("name", "Bob of the hills")]).await;
    say(&server, &bob, "/r/tea", "secret").await;
    let person = format!("/admin/people/{}", bob.id);
    let (export, erase) = (format!("{person}/export"), [("action", "erase"), ("confirm", "yes")]);
    for (who, status) in [(&moderator, 403), (&bob, 404)] {
        assert_eq!(who.form(&server, &export, &[]).await.0, status);
        assert_eq!(who.form(&server, &person, &erase).await.0, status);
    }
    let (_, page) = moderator.page(&server, &person).await;
    assert!(!page.contains("value=\"erase\"") && !page.contains("/export"), "{page}");
    let (_, page) = admin.page(&server, &person).await;
    assert!(page.contains("value=\"erase\"") && page.contains(&export), "{page}");
    let (status, _, lines) = admin.form(&server, &export, &[]).await;
    assert!(status == 200 && lines.contains("secret") && lines.contains("Bob of the hills"), "{lines}");
    assert_eq!(admin.form(&server, &person, &[("action", "erase")]).await.0, 400, "without confirmation");
    let own = format!("/admin/people/{}", admin.id);
    assert_eq!(admin.form(&server, &own, &erase).await.0, 403, "nobody erases themselves by this form");
    assert_eq!(admin.form(&server, &person, &erase).await.0, 303);
    let done = async {
        while !admin.page(&server, &person).await.1.contains("Everything is erased: 1 message") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within_timeout(done).await;
    let (_, room) = admin.page(&server, "/r/tea").await;
    assert!(!room.contains("secret") && !room.contains("Bob of the hills"), "{room}");
    // He is signed out everywhere.
    assert_eq!(bob.form(&server, "/r/tea", &[("text", "again")]).await.0, 401);
    let words: Vec<_> = server.store().log(&Scope::Server, None).await.unwrap();
    let words: Vec<&str> = words.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(words, ["erase", "export", "appoint"]);
}

#[tokio::test]
async fn every_page_shows_the_name_and_color_of_the_server_as_text() {
    let server = TestServer::start().await;
    let (admin, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let (_, page) = bob.page(&server, "/").await;
    assert!(page.contains("· Hubbub</title>") && !page.contains("data-hue"), "{page}");
    let name = "\"><script>alert(1)</script>&amp;";
    let fields = [("action", "set-name"), ("name", name), ("hue", "200")];
    assert_eq!(admin.form(&server, "/admin", &fields).await.0, 303);
    // The notification of the change comes after its acknowledgement.
    let mut page = String::new();
    for _ in 0..200 {
        page = bob.page(&server, "/").await.1;
        if page.contains("data-hue=\"210\"") {
            break;
        }
        pause().await;
    }
    for path in ["/", "/rooms", "/devices", "/r/No_Such_Room", "/recover"] {
        let (_, page) = bob.page(&server, path).await;
        assert!(!page.contains("<script>alert"), "{path}: {page}");
        assert!(
            page.contains("· \"&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</title>"),
            "{path}: {page}"
        );
    }
    assert!(page.contains("data-hue=\"210\""), "the closest of the style sheet: {page}");
    let (_, manifest) = bob.page(&server, "/hubbub.webmanifest").await;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["name"], name);
    let fields = [("action", "set-name"), ("name", " "), ("hue", "")];
    assert_eq!(admin.form(&server, "/admin", &fields).await.0, 303);
    for (name, hue) in [("x", "360"), ("x", "-1"), ("x", "red"), (&*"x".repeat(49), "")] {
        let fields = [("action", "set-name"), ("name", name), ("hue", hue)];
        assert_eq!(admin.form(&server, "/admin", &fields).await.0, 400, "{name} {hue}");
    }
}

#[tokio::test]
async fn the_administrator_finds_rooms_and_users_page_by_page() {
    let server = TestServer::start().await;
    let (admin, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let [_, unlisted, members_only] = names();
    for n in 0..26 {
        create_room(server.store(), &room(&format!("room-{n}")), bob.id).await;
    }
    for room in [&unlisted, &members_only] {
        create_room(server.store(), room, bob.id).await;
    }
    for n in 1..=51_u64 {
        let name = format!("User {n:02}").parse().unwrap();
        server.store().set_display_name(UserId(n), name).await.unwrap();
    }
    server.store().set_display_name(bob.id, "Bob".parse().unwrap()).await.unwrap();
    let (_, page) = admin.page(&server, "/admin").await;
    let listed = |page: &str| page.matches("/manage\"").count();
    assert!(listed(&page) == 25 && page.contains("/r/lobby/manage"), "the lobby comes first: {page}");
    assert!(!page.contains(unlisted.as_str()) && !page.contains(members_only.as_str()), "they are secrets");
    let next = |page: &str, start: &str| {
        let rest = page.split(start).nth(1).unwrap_or_else(|| panic!("no {start}")).split('#').next();
        format!("{start}{}", rest.unwrap_or_default()).replace("&amp;", "&")
    };
    let (_, second) = admin.page(&server, &next(&page, "/admin?rooms=")).await;
    assert_eq!(listed(&second), 2, "{second}");
    for n in 0..26 {
        let path = format!("/r/room-{n}/manage");
        assert_ne!(page.contains(&path), second.contains(&path), "each is on one page: {path}");
    }
    let (_, found) = admin.page(&server, "/admin?name=user").await;
    let users = |page: &str| page.matches("<bdi>User ").count();
    assert!(users(&found) == 50 && !found.contains("<bdi>Bob</bdi>"), "{found}");
    let (_, second) = admin.page(&server, &next(&found, "/admin?name=user")).await;
    assert_eq!(users(&second), 1, "{second}");
    for n in 1..=51 {
        let name = format!("<bdi>User {n:02}</bdi>");
        assert_ne!(found.contains(&name), second.contains(&name), "each is on one page: {name}");
    }
    let (_, found) = admin.page(&server, "/admin?name=%22%3E%3Cscript%3E").await;
    assert!(found.contains("No user has such a name.") && !found.contains("\"><script>"), "{found}");
    assert_eq!(bob.page(&server, "/admin?name=user").await.0, 404);
}

#[tokio::test]
async fn server_moderators_see_nothing_of_rooms_they_may_not_enter() {
    let server = TestServer::start().await;
    let (admin, owner) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let [_, _, club] = names();
    create_room(server.store(), &club, owner.id).await;
    say(&server, &owner, &club.path(), "among us").await;
    server.store().report(owner.id, club.clone(), 1, "rude words".into()).await.unwrap();
    let invite = |user| Action::Appoint { user, role: Some(Role::Member) };
    act(server.store(), owner.id, Some(&club), invite(UserId(7))).await.unwrap();
    let (_, page) = admin.page(&server, "/admin").await;
    assert!(
        !page.contains("rude words") && !page.contains("among us") && !page.contains(club.as_str()),
        "{page}"
    );
    let invitation = Invitation { hash: [3; 32], expires_at: i64::MAX as u64, most_uses: None };
    act(server.store(), owner.id, Some(&club), Action::Invite(invitation)).await.unwrap();
    assert_eq!(server.store().redeem_invitation([3; 32], admin.id).await.unwrap(), Ok(Some(club.clone())));
    let (_, page) = admin.page(&server, "/admin").await;
    assert!(
        page.contains("rude words") && page.contains("among us") && page.contains(club.as_str()),
        "{page}"
    );
}

#[tokio::test]
async fn server_moderator_deletes_last_hour_in_rooms_they_may_enter() {
    let server = TestServer::start().await;
    let (admin, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let [tea, unlisted, club] = names();
    create_room(server.store(), &club, bob.id).await;
    for room in [&tea, &tea, &unlisted, &club] {
        say(&server, &bob, &room.path(), "spam").await;
    }
    say(&server, &admin, "/r/tea", "tidying up").await;
    let person = format!("/admin/people/{}", bob.id);
    let (_, page) = admin.page(&server, &person).await;
    assert!(page.contains("value=\"delete-hour\""), "{page}");
    assert_eq!(bob.form(&server, &person, &[("action", "delete-hour")]).await.0, 404);
    let (status, location, _) = admin.form(&server, &person, &[("action", "delete-hour")]).await;
    assert_eq!((status, location), (303, format!("{person}?done=deleted-3")));
    let left = async |room| {
        let page = server.store().messages_before(room, u64::MAX, 9).await.unwrap();
        page.messages.iter().filter(|message| !message.deleted).count()
    };
    assert_eq!((left(&tea).await, left(&unlisted).await, left(&club).await), (1, 0, 1));
}
