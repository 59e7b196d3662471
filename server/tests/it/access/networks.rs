//! Users who are removed together with their network, wherever they came in.

use super::{Visitor, client, make_admin};
use crate::support::{TestDatabase, TestServer, V1, within_timeout};

const TROLL: &str = "192.0.2.66";
const ELSEWHERE: &str = "198.51.100.7";

/// Posts over the API from a network, without a connection that stays. Returns the status.
async fn post_from(server: &TestServer, user: &Visitor, network: &str) -> u16 {
    let request = client().post(server.http("/api/rooms/tea/messages")).body("hello");
    user.send(request.header("x-forwarded-for", network)).await.status().as_u16()
}

/// Removes a user from the server, with their network. Returns what the next page says.
async fn remove_with_network(server: &TestServer, admin: &Visitor, user: &Visitor) -> String {
    let person = format!("/admin/people/{}", user.id);
    let fields = [("action", "remove"), ("hours", "24"), ("network", "yes")];
    let (status, location, page) = admin.form(server, &person, &fields).await;
    assert_eq!(status, 303, "{page}");
    location.split_once("done=").map(|(_, done)| done.to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn user_who_only_posts_by_api_is_removed_with_their_network() {
    let server = TestServer::alone().await;
    let (admin, troll, neighbor) =
        (Visitor::new(&server).await, Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    assert_eq!(post_from(&server, &troll, TROLL).await, 201);
    assert_eq!(remove_with_network(&server, &admin, &troll).await, "");
    assert_eq!(post_from(&server, &troll, ELSEWHERE).await, 403);
    assert_eq!(post_from(&server, &neighbor, TROLL).await, 403);
    assert_eq!(post_from(&server, &neighbor, ELSEWHERE).await, 201);
}

#[tokio::test]
async fn user_is_removed_alone_with_a_notice_if_network_is_unknown() {
    let server = TestServer::start().await;
    let (admin, lurker) = (Visitor::new(&server).await, Visitor::new(&server).await);
    make_admin(server.store(), admin.id).await;
    assert_eq!(remove_with_network(&server, &admin, &lurker).await, "without-network");
    assert_eq!(post_from(&server, &lurker, ELSEWHERE).await, 403);
}

#[tokio::test]
async fn postgres_user_of_other_server_is_removed_with_their_network() {
    let Some(database) = TestDatabase::create().await else { return };
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let (admin, troll, neighbor) =
        (Visitor::new(&one).await, Visitor::new(&one).await, Visitor::new(&one).await);
    make_admin(one.store(), admin.id).await;
    assert_eq!(post_from(&one, &neighbor, TROLL).await, 201);
    let mut of_neighbor = V1::connect_from(&one, TROLL).await;
    assert_eq!(post_from(&one, &troll, ELSEWHERE).await, 201);
    assert_eq!(post_from(&one, &troll, TROLL).await, 201, "the last network counts");
    let expected = TROLL.parse::<std::net::IpAddr>().map(|ip| format!("{ip}/32")).unwrap();
    within_timeout(async {
        while two.store().recent_network(troll.id).await.unwrap().map(|network| network.to_string())
            != Some(expected.clone())
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(remove_with_network(&two, &admin, &troll).await, "");
    assert_eq!(post_from(&two, &troll, ELSEWHERE).await, 403);
    assert_eq!(post_from(&one, &neighbor, TROLL).await, 403);
    of_neighbor.closed().await;
    assert_eq!(post_from(&one, &neighbor, ELSEWHERE).await, 201);

    one.store().begin_erasure(troll.id).await.unwrap();
    assert_eq!(two.store().recent_network(troll.id).await.unwrap(), None);
    one.store().record_networks(&[(troll.id, expected.parse().unwrap())]).await.unwrap();
    assert_eq!(
        two.store().recent_network(troll.id).await.unwrap(),
        None,
        "who is erased is not recorded again"
    );
    one.store().remove_old_networks().await.unwrap();
    assert!(two.store().recent_network(neighbor.id).await.unwrap().is_some(), "a day has not passed");
}
