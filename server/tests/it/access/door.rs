//! The way into a closed server: the password, invitations and the admin link.

use super::{Visitor, act, create_room, make_admin, names};
use crate::support::TestServer;
use server::{
    administration,
    store::{Action, Role, Scope, ServerAccess, Setting},
};

/// Returns the path of the link on a page.
fn link_on(page: &str, start: &str) -> String {
    let rest = page.split(start).nth(1).unwrap_or_else(|| panic!("no {start} on {page}"));
    format!("{start}{}", rest.split('"').next().unwrap_or_default())
}

async fn close(server: &TestServer, admin: &Visitor, access: &str) {
    let change = Action::Change(Setting::Access, Some(access.into()));
    act(server.store(), admin.id, None, change).await.unwrap();
}

#[tokio::test]
async fn invitation_admits_its_number_of_users_not_counting_previews() {
    let server = TestServer::start().await;
    let (admin, ann, bob) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    close(&server, &admin, "invite").await;
    let invite = [("action", "invite"), ("hours", "24"), ("uses", "1")];
    let (status, _, page) = admin.form(&server, "/admin", &invite).await;
    assert_eq!(status, 200);
    let path = link_on(&page, "/invite/");
    for user in [&ann, &bob, &ann] {
        let (status, page) = user.page(&server, &path).await;
        assert!(status == 200 && page.contains("invites you"), "{page}");
    }
    let (status, location, _) = ann.form(&server, &path, &[]).await;
    assert_eq!((status, location.as_str()), (303, "/"));
    assert_eq!(ann.page(&server, "/").await.0, 200);
    let (status, _, page) = bob.form(&server, &path, &[]).await;
    assert!(status == 410 && page.contains("This link does not work"), "{page}");
    assert_eq!(bob.page(&server, "/").await.0, 403);
    let (used, guessed) =
        (bob.page(&server, &path).await, bob.page(&server, "/invite/AAAAAAAAAAAAAAAAAAAAAA").await);
    let without_nonce = |page: &str| {
        page.split("nonce=").map(|part| part.get(24..).unwrap_or(part).to_owned()).collect::<String>()
    };
    assert_eq!(used.0, guessed.0);
    assert_eq!(without_nonce(&used.1).len(), without_nonce(&guessed.1).len(), "nothing is learned");
}

#[tokio::test]
async fn the_password_lets_in_and_attempts_are_limited_by_network() {
    let server = TestServer::alone().await;
    let (admin, ann) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let (status, _, page) =
        admin.form(&server, "/admin", &[("action", "set-access"), ("access", "password")]).await;
    assert!(status == 400 && page.contains("role=\"alert\""), "a password is needed first: {page}");
    let fields = [("action", "set-access"), ("access", "password"), ("password", "correct horse")];
    assert_eq!(admin.form(&server, "/admin", &fields).await.0, 303);
    let (status, page) = ann.page(&server, "/r/tea").await;
    assert!(status == 403 && page.contains("name=\"password\""), "{page}");
    let (status, _, page) = ann.form(&server, "/enter", &[("password", "wrong")]).await;
    assert!(status == 403 && page.contains("This is not the password."), "{page}");
    assert_eq!(ann.form(&server, "/enter", &[("password", "correct horse")]).await.0, 303);
    assert_eq!(ann.page(&server, "/r/tea").await.0, 200);
    let guess = async || ann.form(&server, "/enter", &[("password", "wrong")]).await.0;
    let mut tries = 0;
    while guess().await == 403 {
        tries += 1;
        assert!(tries < 200, "guesses are limited");
    }
    assert_eq!(guess().await, 429);
}

#[tokio::test]
async fn closed_page_sets_the_cookies_its_form_needs_in_a_new_browser() {
    let server = TestServer::start().await;
    let admin = Visitor::new(&server).await;
    make_admin(server.store(), admin.id).await;
    close(&server, &admin, "password").await;
    let request = super::client().get(server.http("/"));
    let page = request.header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 403);
    assert!(page.headers().contains_key("set-cookie"), "the form needs an identity");
    let program = super::client().get(server.http("/api/rooms/tea/messages")).send().await.unwrap();
    assert_eq!(program.status(), 403);
    assert!(!program.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn the_admin_link_works_once_and_a_guessed_one_never() {
    let server = TestServer::start().await;
    let (ann, bob) = (Visitor::new(&server).await, Visitor::new(&server).await);
    let token = administration::prepare(&server.state).await.unwrap().expect("the first start has a link");
    assert_eq!(administration::prepare(&server.state).await.unwrap(), None, "the next one has none");
    let path = format!("/admin/link/{token}");
    assert_eq!(bob.page(&server, "/admin/link/AAAAAAAAAAAAAAAAAAAAAA").await.0, 410);
    assert_eq!(bob.form(&server, "/admin/link/AAAAAAAAAAAAAAAAAAAAAA", &[]).await.0, 410);
    assert_eq!(ann.page(&server, &path).await.0, 200, "opening it does not use it");
    assert_eq!(ann.page(&server, "/admin").await.0, 404);
    assert_eq!(ann.form(&server, &path, &[]).await.0, 303);
    let (status, page) = ann.page(&server, "/admin").await;
    assert!(status == 200 && page.contains("Administration"), "{page}");
    assert_eq!(bob.form(&server, &path, &[]).await.0, 410);
    assert_eq!(bob.page(&server, "/admin").await.0, 404, "for others there is no such page");
    let admins = server.store().roles(&Scope::Server, Role::Admin, app::wire::UserId(0)).await.unwrap();
    assert_eq!(admins, [(ann.id, Role::Admin)]);
}

#[tokio::test]
async fn the_option_applies_again_only_when_its_value_changes() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |access: Option<ServerAccess>| {
        let server = TestServer::with(|config| {
            config.ephemeral = false;
            config.data = folder.path().into();
            config.access = access;
        })
        .await;
        administration::prepare(&server.state).await.unwrap();
        server
    };
    let access = async |server: &TestServer| server.store().settings().await.unwrap().access;
    let server = start(Some(ServerAccess::Invite)).await;
    assert_eq!(access(&server).await, ServerAccess::Invite);
    server.store().set(Setting::Access, Some("open".into())).await.unwrap();
    server.stop().await;
    let server = start(Some(ServerAccess::Invite)).await;
    assert_eq!(access(&server).await, ServerAccess::Open, "the administrator has changed it since");
    server.stop().await;
    let server = start(Some(ServerAccess::Password)).await;
    assert_eq!(access(&server).await, ServerAccess::Password);
    server.stop().await;
    let server = start(None).await;
    assert_eq!(access(&server).await, ServerAccess::Password);
    server.stop().await;
}

#[tokio::test]
async fn room_invitation_admits_to_the_room_not_to_a_closed_server() {
    let server = TestServer::start().await;
    let (admin, ann, bob) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    let [_, _, club] = names();
    create_room(server.store(), &club, admin.id).await;
    let manage = format!("/r/{club}/manage");
    let (_, _, page) =
        admin.form(&server, &manage, &[("action", "invite"), ("hours", "24"), ("uses", "0")]).await;
    let path = link_on(&page, "/invite/");
    let (status, location, _) = ann.form(&server, &path, &[]).await;
    assert_eq!((status, location), (303, club.path()));
    assert_eq!(ann.page(&server, &club.path()).await.0, 200);
    close(&server, &admin, "invite").await;
    let (status, ..) = bob.form(&server, &path, &[]).await;
    assert_eq!(status, 403, "first the server must let him in");
    assert_eq!(bob.page(&server, &club.path()).await.0, 403);
}
