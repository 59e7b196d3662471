//! Convergence: after any sequence of network faults, reloads and edits, the browser shows what the server stores, and
//! the server stores each command once and in order.

use app::{
    client::{ApplyResult, Command, Outbox, OutboxOperation, Timeline},
    wire::{DisplayName, ErrorCode, Event, EventBody, Mentions, Message, Reaction, Seq, User, UserId},
};
use proptest::{collection::vec, prelude::*};
use std::sync::Arc;
use uuid::Uuid;

/// Messages of a page that the server renders.
const PAGE: usize = 5;

const EMOJI: [&str; 2] = ["👍", "🎉"];

/// One step. Its numbers choose among the possibilities.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The user posts.
    Post,
    /// The user edits or deletes one of their visible messages.
    Change { choice: usize, delete: bool },
    /// The user gives a reaction to a visible message, or takes it back.
    React { choice: usize },
    /// Another user posts, edits, deletes or reacts.
    OtherUser { choice: usize },
    /// The browser sends the next command and the server executes it. The ack may be lost.
    Send { is_acknowledged: bool },
    /// Some events arrive, possibly after a gap or repeatedly.
    Receive { from: usize, count: usize },
    /// The connection is lost and opened again.
    Reconnect,
    /// The page is reloaded.
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Post),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(choice, delete)| Step::Change { choice, delete }),
        2 => any::<usize>().prop_map(|choice| Step::React { choice }),
        2 => any::<usize>().prop_map(|choice| Step::OtherUser { choice }),
        4 => any::<bool>().prop_map(|is_acknowledged| Step::Send { is_acknowledged }),
        4 => (any::<usize>(), 1_usize..6).prop_map(|(from, count)| Step::Receive { from, count }),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Reload),
    ];
    vec(step, 0..120)
}

fn author(n: u64) -> User {
    User::new(UserId(n), DisplayName::generated(UserId(n)))
}

/// A model of the server: one order of events, and idempotent command ids.
#[derive(Default)]
struct Server {
    events: Vec<Arc<Event>>,
}

impl Server {
    fn execute(&mut self, command: &Command, user: u64) -> Result<Seq, ErrorCode> {
        if let Some(first) = self.events.iter().find(|event| event.id == command.id) {
            return Ok(first.seq);
        }
        let body = match command.operation.clone() {
            OutboxOperation::Post { text, reply_to, mentions, files } => {
                EventBody::Message { text, reply_to, mentions: Mentions::from_hints(&mentions), files }
            }
            OutboxOperation::Edit { target, text } => self
                .check_author(target, user)
                .map(|()| EventBody::Edit { target, text, mentions: Mentions::default() })?,
            OutboxOperation::Delete { target } => {
                self.check_author(target, user).map(|()| EventBody::Delete { target })?
            }
            OutboxOperation::React { target, emoji, on } => {
                let messages = self.messages();
                let found = messages.iter().find(|message| message.seq == target && !message.deleted);
                let message = found.ok_or(ErrorCode::NoSuchMessage)?;
                if message.reactions.has(&emoji, UserId(user)) == on {
                    return Ok(target);
                }
                EventBody::React { target, emoji, on }
            }
        };
        let seq = self.events.len() as Seq + 1;
        self.events.push(Arc::new(Event { seq, at: seq, id: command.id, author: author(user), body }));
        Ok(seq)
    }

    fn check_author(&self, target: Seq, user: u64) -> Result<(), ErrorCode> {
        let messages = self.messages();
        let found = messages.iter().find(|message| message.seq == target && !message.deleted);
        found.filter(|message| message.author.id == UserId(user)).map(drop).ok_or(ErrorCode::NotAllowed)
    }

    fn messages(&self) -> Vec<Message> {
        let mut messages: Vec<Message> =
            self.events.iter().filter_map(|event| Message::from_event(event)).collect();
        for event in &self.events {
            for message in &mut messages {
                match &event.body {
                    EventBody::Edit { target, text, mentions } if *target == message.seq => {
                        message.edit(text.clone(), mentions.clone(), event.at);
                    }
                    EventBody::Delete { target } if *target == message.seq => message.delete(),
                    EventBody::React { target, emoji, on } if *target == message.seq && !message.deleted => {
                        message.reactions.apply(event.seq, emoji, &event.author, *on);
                    }
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

/// A browser: its timeline, its outbox, and the commands that it stores across reloads.
struct Browser {
    timeline: Timeline,
    outbox: Outbox,
    stored: Vec<Command>,
    submitted: u128,
    rejected: Vec<Command>,
}

impl Browser {
    fn submit(&mut self, operation: OutboxOperation) {
        self.submitted += 1;
        let command = Command { id: Uuid::from_u128(self.submitted), operation };
        self.stored.push(command.clone());
        self.enqueue(command);
    }

    fn enqueue(&mut self, command: Command) {
        self.timeline.add_local(&command, author(1));
        self.outbox.push(command);
    }

    fn change(&mut self, choice: usize, delete: bool) {
        let visible = self.timeline.visible_entries(0..self.timeline.len());
        let mine: Vec<Seq> = visible
            .iter()
            .filter(|visible| visible.entry.author.id == UserId(1) && !visible.entry.deleted)
            .filter_map(|visible| visible.entry.delivery.seq())
            .collect();
        let Some(&target) = mine.get(choice % mine.len().max(1)) else { return };
        let text = format!("edit {}", self.submitted).into();
        self.submit(if delete {
            OutboxOperation::Delete { target }
        } else {
            OutboxOperation::Edit { target, text }
        });
    }

    fn react(&mut self, choice: usize) {
        let visible = self.timeline.visible_entries(0..self.timeline.len());
        let present = visible.iter().filter(|visible| !visible.entry.deleted);
        let seqs: Vec<Seq> = present.filter_map(|visible| visible.entry.delivery.seq()).collect();
        let Some(&target) = seqs.get(choice % seqs.len().max(1)) else { return };
        let emoji = EMOJI[choice / 7 % 2];
        let on = !self.timeline.has_reacted(target, emoji, UserId(1));
        self.submit(OutboxOperation::React { target, emoji: emoji.into(), on });
    }

    fn send(&mut self, server: &mut Server, is_acknowledged: bool) {
        let Some(command) = self.outbox.next_to_send() else { return };
        let result = server.execute(&command, 1);
        if !is_acknowledged {
            return self.reconnect(server);
        }
        self.outbox.complete(command.id);
        self.stored.retain(|stored| stored.id != command.id);
        match result {
            Ok(seq) if seq <= self.timeline.last() => self.timeline.remove_pending(command.id),
            Ok(_) => {}
            Err(code) => {
                self.timeline.fail(command.id, code);
                self.rejected.push(command);
            }
        }
    }

    fn receive(&mut self, server: &Server, from: usize, count: usize) {
        let from = from % (server.events.len() + 1);
        let events: Vec<_> = server.events.iter().skip(from).take(count).cloned().collect();
        if self.timeline.apply_events(&events) == ApplyResult::Gap {
            self.reconnect(server);
        }
    }

    fn reconnect(&mut self, server: &Server) {
        self.outbox.reset_in_flight();
        let missed = &server.events[self.timeline.last() as usize..];
        assert_eq!(self.timeline.apply_events(missed), ApplyResult::Applied);
    }

    fn reload(&mut self, server: &Server) {
        self.timeline = server.page();
        self.outbox = Outbox::default();
        for command in self.stored.clone() {
            self.enqueue(command);
        }
    }
}

/// A message: its seq, its text, whether it is deleted, and its reactions.
type Shown = (Seq, String, bool, Vec<Reaction>);

/// Returns the visible confirmed messages.
fn visible_messages(timeline: &Timeline) -> Vec<Shown> {
    let visible = timeline.visible_entries(0..timeline.len());
    let confirmed =
        visible.into_iter().filter_map(|visible| Some((visible.entry.delivery.seq()?, visible.entry)));
    confirmed.map(|(seq, entry)| (seq, entry.text.to_string(), entry.deleted, entry.reactions.list)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_browser_and_the_server_converge(steps in steps()) {
        let mut server = Server::default();
        let mut browser = Browser {
            timeline: server.page(),
            outbox: Outbox::default(),
            stored: Vec::new(),
            submitted: 0,
            rejected: Vec::new(),
        };
        let mut posted = 0;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Post => { posted += 1; browser.submit(OutboxOperation::post(format!("post {n}"))); }
                Step::Change { choice, delete } => browser.change(choice, delete),
                Step::React { choice } => browser.react(choice),
                Step::OtherUser { choice } => {
                    let target = choice as Seq % (server.events.len() as Seq + 1);
                    let (emoji, on) = (EMOJI[choice / 7 % 2].into(), choice % 3 > 0);
                    let operation = match choice % 5 {
                        0 => OutboxOperation::Delete { target },
                        1 => OutboxOperation::Edit { target, text: "theirs".into() },
                        2 => OutboxOperation::React { target, emoji, on },
                        _ => OutboxOperation::post("theirs"),
                    };
                    let _ = server.execute(&Command { id: Uuid::from_u128(1_000_000 + n as u128), operation }, 2);
                }
                Step::Send { is_acknowledged } => browser.send(&mut server, is_acknowledged),
                Step::Receive { from, count } => browser.receive(&server, from, count),
                Step::Reconnect => browser.reconnect(&server),
                Step::Reload => browser.reload(&server),
            }
        }
        browser.reconnect(&server);
        while !browser.outbox.is_empty() {
            browser.send(&mut server, true);
            browser.reconnect(&server);
        }
        for rejected in std::mem::take(&mut browser.rejected) {
            browser.timeline.remove_pending(rejected.id);
        }

        let all: Vec<Shown> = server
            .messages()
            .into_iter()
            .map(|m| (m.seq, m.text.to_string(), m.deleted, m.reactions.list))
            .collect();
        let visible_messages = visible_messages(&browser.timeline);
        prop_assert!(all.ends_with(&visible_messages), "{visible_messages:?} is not a suffix of {all:?}");
        prop_assert_eq!(browser.timeline.len(), visible_messages.len(), "no entry is pending");
        prop_assert!(browser.stored.is_empty());
        let posts: Vec<u128> = server.events.iter()
            .filter(|event| event.author.id == UserId(1) && matches!(event.body, EventBody::Message { .. }))
            .map(|event| event.id.as_u128())
            .collect();
        prop_assert_eq!(posts.len(), posted, "every post is stored once");
        prop_assert!(posts.is_sorted(), "in the order of the posts");
    }
}
