//! Coming into a room: what one gets of the past, and that nothing falls between past and present.

mod support;

use app::wire::ServerFrame;
use support::{TestServer, V1, text};

#[tokio::test]
async fn a_message_reaches_everybody_in_the_room_and_its_author_too() {
    let server = TestServer::start().await;
    let mut ann = V1::enter(&server, "tea").await;
    let mut bob = V1::enter(&server, "tea").await;
    let id = ann.post("tea", "  hello  ").await;
    let ack = ann.answer().await;
    assert!(
        matches!(ack, ServerFrame::Ack { id: acked, seq: Some(1), dup: false, .. } if acked == id),
        "{ack:?}"
    );
    let heard = bob.events(1).await;
    assert_eq!((heard[0].seq, heard[0].id, text(&heard[0])), (1, id, "hello"));
}
