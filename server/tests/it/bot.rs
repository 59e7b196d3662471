//! The example bot answers in a room.

use crate::support::{Lines, TestServer};

#[allow(dead_code, reason = "the test calls what `main` calls")]
#[path = "../../examples/bot.rs"]
mod example;

#[tokio::test]
async fn the_example_bot_answers_a_ping() {
    let server = TestServer::start().await;
    let mut ann = Lines::join(&server, "tea").await;
    let url = format!("ws://{}/ws", server.address);
    let bot = example::run(&url, "tea");
    let talk = async {
        // The bot may still be joining.
        while {
            ann.send_line("!ping").await;
            ann.expect_line().await != "pong"
        } {}
    };
    tokio::select! {
        ended = bot => panic!("the bot ended: {ended:?}"),
        () = talk => {}
    }
}
