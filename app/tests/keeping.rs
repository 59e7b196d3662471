//! Whatever the network and the tab do, a browser ends with what the server has, and the server with
//! what was written, once and in order.

use app::{
    client::{ApplyResult, Command, Operation, Outbox, Timeline},
    wire::{DisplayName, ErrorCode, Event, EventBody, Message, Seq, User, UserId},
};
use proptest::{collection::vec, prelude::*};
use std::sync::Arc;
use uuid::Uuid;

/// Messages on a page that the server renders.
const PAGE: usize = 5;

/// What can happen, each with numbers that choose how.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Somebody here writes.
    Post,
    /// Somebody here changes one of the messages that they see.
    Change { which: usize, delete: bool },
    /// Somebody elsewhere writes, edits or deletes.
    Elsewhere { which: usize },
    /// The browser sends what is next; the server does it, and its answer may be lost.
    Send { answered: bool },
    /// Some of what happened arrives, perhaps not from where it should, perhaps again.
    Tell { from: usize, count: usize },
    /// The connection is lost and made anew.
    Backoff,
    /// The page is loaded anew.
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Post),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, delete)| Step::Change { which, delete }),
        2 => any::<usize>().prop_map(|which| Step::Elsewhere { which }),
        4 => any::<bool>().prop_map(|answered| Step::Send { answered }),
        4 => (any::<usize>(), 1_usize..6).prop_map(|(from, count)| Step::Tell { from, count }),
        1 => Just(Step::Backoff),
        1 => Just(Step::Reload),
    ];
    vec(step, 0..120)
}

fn author(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

/// The server as far as it matters here: one order, ids that make repeats harmless.
#[derive(Default)]
struct Server {
    events: Vec<Arc<Event>>,
}

impl Server {
    fn obey(&mut self, command: &Command, who: u64) -> Result<Seq, ErrorCode> {
        if let Some(first) = self.events.iter().find(|event| event.id == command.id) {
            return Ok(first.seq);
        }
        let body = match command.operation.clone() {
            Operation::Post { text } => EventBody::Message { text, reply_to: None },
            Operation::Edit { target, text } => {
                self.of(target, who).map(|()| EventBody::Edit { target, text })?
            }
            Operation::Delete { target } => self.of(target, who).map(|()| EventBody::Delete { target })?,
        };
        let seq = self.events.len() as Seq + 1;
        self.events.push(Arc::new(Event { seq, at: seq, id: command.id, author: author(who), body }));
        Ok(seq)
    }

    fn of(&self, target: Seq, who: u64) -> Result<(), ErrorCode> {
        let messages = self.messages();
        let found = messages.iter().find(|message| message.seq == target && !message.deleted);
        found.filter(|message| message.author.id == UserId(who)).map(drop).ok_or(ErrorCode::NotAllowed)
    }

    fn messages(&self) -> Vec<Message> {
        let mut messages: Vec<Message> =
            self.events.iter().filter_map(|event| Message::from_event(event)).collect();
        for event in &self.events {
            for message in &mut messages {
                match &event.body {
                    EventBody::Edit { target, text } if *target == message.seq => {
                        message.edit(text.clone(), event.at);
                    }
                    EventBody::Delete { target } if *target == message.seq => message.delete(),
                    _ => {}
                }
            }
        }
        messages
    }

    fn page(&self) -> Timeline {
        let messages = self.messages();
        let newest = messages[messages.len().saturating_sub(PAGE)..].to_vec();
        Timeline::new("log".into(), self.events.len() as Seq, newest)
    }
}

/// A browser: its feed, its outbox, and what it keeps over a reload.
struct Browser {
    feed: Timeline,
    outbox: Outbox,
    kept: Vec<Command>,
    made: u128,
    refused: Vec<Command>,
}

impl Browser {
    fn give(&mut self, operation: Operation) {
        self.made += 1;
        let command = Command { id: Uuid::from_u128(self.made), operation };
        self.kept.push(command.clone());
        self.take(command);
    }

    fn take(&mut self, command: Command) {
        self.feed.add_local(&command, author(1));
        self.outbox.push(command);
    }

    fn change(&mut self, which: usize, delete: bool) {
        let shown = self.feed.visible_entries(0..self.feed.len());
        let mine: Vec<Seq> = shown
            .iter()
            .filter(|shown| shown.entry.author.id == UserId(1) && !shown.entry.deleted)
            .filter_map(|shown| shown.entry.delivery.seq())
            .collect();
        let Some(&target) = mine.get(which % mine.len().max(1)) else { return };
        let text = format!("edit {}", self.made).into();
        self.give(if delete { Operation::Delete { target } } else { Operation::Edit { target, text } });
    }

    fn send(&mut self, server: &mut Server, answered: bool) {
        let Some(command) = self.outbox.next_to_send() else { return };
        let done = server.obey(&command, 1);
        if !answered {
            return self.reconnect(server);
        }
        self.outbox.complete(command.id);
        self.kept.retain(|kept| kept.id != command.id);
        match done {
            Ok(seq) if seq <= self.feed.last() => self.feed.remove_pending(command.id),
            Ok(_) => {}
            Err(why) => {
                self.feed.fail(command.id, why);
                self.refused.push(command);
            }
        }
    }

    fn tell(&mut self, server: &Server, from: usize, count: usize) {
        let from = from % (server.events.len() + 1);
        let told: Vec<_> = server.events.iter().skip(from).take(count).cloned().collect();
        if self.feed.apply_events(&told) == ApplyResult::Gap {
            self.reconnect(server);
        }
    }

    fn reconnect(&mut self, server: &Server) {
        self.outbox.reset_in_flight();
        let missed = &server.events[self.feed.last() as usize..];
        assert_eq!(self.feed.apply_events(missed), ApplyResult::Applied);
    }

    fn reload(&mut self, server: &Server) {
        self.feed = server.page();
        self.outbox = Outbox::default();
        for command in self.kept.clone() {
            self.take(command);
        }
    }
}

/// The feed as far as its author sees it: places and texts.
fn seen(feed: &Timeline) -> Vec<(Seq, String, bool)> {
    let shown = feed.visible_entries(0..feed.len());
    let confirmed = shown.into_iter().filter_map(|shown| Some((shown.entry.delivery.seq()?, shown.entry)));
    confirmed.map(|(seq, row)| (seq, row.text.to_string(), row.deleted)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn browser_always_ends_with_the_list_of_the_server(steps in steps()) {
        let mut server = Server::default();
        let mut browser = Browser {
            feed: server.page(),
            outbox: Outbox::default(),
            kept: Vec::new(),
            made: 0,
            refused: Vec::new(),
        };
        let mut written = 0;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Post => { written += 1; browser.give(Operation::Post { text: format!("post {n}").into() }); }
                Step::Change { which, delete } => browser.change(which, delete),
                Step::Elsewhere { which } => {
                    let target = which as Seq % (server.events.len() as Seq + 1);
                    let operation = match which % 4 {
                        0 => Operation::Delete { target },
                        1 => Operation::Edit { target, text: "theirs".into() },
                        _ => Operation::Post { text: "theirs".into() },
                    };
                    let _ = server.obey(&Command { id: Uuid::from_u128(1_000_000 + n as u128), operation }, 2);
                }
                Step::Send { answered } => browser.send(&mut server, answered),
                Step::Tell { from, count } => browser.tell(&server, from, count),
                Step::Backoff => browser.reconnect(&server),
                Step::Reload => browser.reload(&server),
            }
        }
        browser.reconnect(&server);
        while !browser.outbox.is_empty() {
            browser.send(&mut server, true);
            browser.reconnect(&server);
        }
        for refused in std::mem::take(&mut browser.refused) {
            browser.feed.remove_pending(refused.id);
        }

        let all: Vec<_> = server.messages().into_iter().map(|m| (m.seq, m.text.to_string(), m.deleted)).collect();
        let seen = seen(&browser.feed);
        prop_assert!(all.ends_with(&seen), "{seen:?} is not the end of {all:?}");
        prop_assert_eq!(browser.feed.len(), seen.len(), "nothing waits any more");
        prop_assert!(browser.kept.is_empty());
        let posts: Vec<u128> = server.events.iter()
            .filter(|event| event.author.id == UserId(1) && matches!(event.body, EventBody::Message { .. }))
            .map(|event| event.id.as_u128())
            .collect();
        prop_assert_eq!(posts.len(), written, "everything that was written is there, once");
        prop_assert!(posts.is_sorted(), "in the order in which it was written");
    }
}
