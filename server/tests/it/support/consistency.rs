//! Compares what test clients show with the log.

use super::test_client::ClientState;
use app::{
    client::{Command, EntryView, OutboxOperation},
    wire::{CommandId, Event, EventBody, Events, Message, Reactions, Seq},
};
use reqwest::StatusCode;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    ops::AddAssign,
    sync::Arc,
};

/// Further requests if a server is busy.
const MAX_RETRIES: usize = 10;

/// The result of comparing the commands of test clients with the log: messages, and changes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ConsistencyReport {
    /// Commands that the clients submitted.
    pub posted: usize,
    /// Commands that the server acknowledged.
    pub acknowledged: usize,
    /// Messages in the timelines of all clients.
    pub delivered: usize,
    /// Submitted and not in the log, in the log and not in a timeline, or in a timeline and not in the log.
    pub lost: usize,
    /// In the log or in a timeline twice.
    pub repeated: usize,
    /// In a timeline in another order than in the log, in the log in another order than they were submitted, or in the log at
    /// another `seq` than was acknowledged.
    pub reordered: usize,
}

/// Returns every event of `room`, over the HTTP API.
pub async fn events(server: SocketAddr, room: &str) -> reqwest::Result<Vec<Arc<Event>>> {
    let mut events: Vec<Arc<Event>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let url = format!("http://{server}/api/rooms/{room}/events?after={after}&limit=1000");
        let mut answer = reqwest::get(&url).await?;
        for _ in 0..MAX_RETRIES {
            // The server reads for a few requests at a time, and sends the others away after a while.
            if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            answer = reqwest::get(&url).await?;
        }
        let page: Events = answer.error_for_status()?.json().await?;
        if page.events.is_empty() {
            return Ok(events);
        }
        events.extend(page.events);
    }
}

/// The state that follows from the events of the log.
struct Log {
    /// The messages in their current state, by `seq`.
    messages: BTreeMap<Seq, Message>,
    /// The first `seq` of each command.
    seqs: HashMap<CommandId, Seq>,
    /// The message of each reaction event, and whether the event gave the reaction.
    reactions: HashMap<Seq, (Seq, bool)>,
}

impl Log {
    fn new(events: &[Arc<Event>]) -> Self {
        let (mut messages, mut reactions) = (BTreeMap::new(), HashMap::new());
        for event in events {
            match &event.body {
                EventBody::Message { .. } => {
                    messages.extend(Message::from_event(event).map(|it| (it.seq, it)));
                }
                EventBody::Edit { target, text, mentions } => {
                    let edit = |message: &mut Message| message.edit(text.clone(), mentions.clone(), event.at);
                    messages.entry(*target).and_modify(edit);
                }
                EventBody::Delete { target } => {
                    messages.entry(*target).and_modify(Message::delete);
                }
                EventBody::React { target, emoji, on } => {
                    let react = |message: &mut Message| {
                        message.reactions.apply(event.seq, emoji, &event.author, *on);
                    };
                    messages.entry(*target).and_modify(react);
                    reactions.insert(event.seq, (*target, *on));
                }
                EventBody::Expire { up_to } => messages.retain(|seq, _| seq > up_to),
                EventBody::Expired => messages.retain(|seq, _| *seq > event.seq),
                EventBody::Unknown => {}
            }
        }
        let seqs = events.iter().rev().map(|event| (event.id, event.seq)).collect();
        Self { messages, seqs, reactions }
    }

    /// Returns `true` if a command, acknowledged with `seq`, is a reaction that was as it should be since the event there, or
    /// that was never given to the message there.
    fn has_changed_nothing(&self, command: &Command, seq: Seq) -> bool {
        let OutboxOperation::React { target, on, .. } = command.operation else { return false };
        match self.reactions.get(&seq) {
            Some(found) => *found == (target, on),
            None => seq == target && !on,
        }
    }

    /// Returns `true` if an entry equals the message of the log.
    fn matches(&self, shown: &EntryView) -> bool {
        let entry = &shown.entry;
        let counts = |reactions: &Reactions| {
            reactions.list.iter().map(|it| (it.emoji.clone(), it.count)).collect::<Vec<_>>()
        };
        entry.delivery.seq().and_then(|seq| self.messages.get(&seq)).is_some_and(|message| {
            (entry.id, entry.deleted, &entry.text) == (message.id, message.deleted, &message.text)
                && counts(&entry.reactions) == counts(&message.reactions)
        })
    }
}

impl AddAssign for ConsistencyReport {
    fn add_assign(&mut self, other: Self) {
        self.posted += other.posted;
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.reordered += other.reordered;
    }
}

impl ConsistencyReport {
    /// Compares the timelines and commands of `clients` with the log.
    pub fn new<'a>(events: &[Arc<Event>], clients: impl IntoIterator<Item = &'a ClientState>) -> Self {
        let log = Log::new(events);
        let mut report = Self { repeated: events.len() - log.seqs.len(), ..Self::default() };
        report.reordered += events.iter().zip(1..).filter(|(event, seq)| event.seq != *seq).count();
        for client in clients {
            report.check_commands(&log, client);
            report.check_timeline(&log, client);
        }
        report
    }

    /// Returns `true` if nothing was lost, repeated or reordered.
    pub fn is_clean(&self) -> bool {
        (self.lost, self.repeated, self.reordered) == (0, 0, 0)
    }

    fn check_commands(&mut self, log: &Log, state: &ClientState) {
        let seqs: Vec<Seq> = state.commands.iter().filter_map(|it| log.seqs.get(&it.id).copied()).collect();
        let acknowledged: HashMap<CommandId, Seq> = state.acknowledged.iter().copied().collect();
        self.posted += state.commands.len();
        self.acknowledged += acknowledged.len();
        let is_known = |command: &&Command| {
            log.seqs.contains_key(&command.id)
                || acknowledged.get(&command.id).is_some_and(|seq| log.has_changed_nothing(command, *seq))
        };
        self.lost += state.commands.len() - state.commands.iter().filter(is_known).count();
        self.reordered += count_descents(&seqs);
        self.reordered +=
            acknowledged.iter().filter(|(id, seq)| log.seqs.get(id).is_some_and(|at| at != *seq)).count();
    }

    fn check_timeline(&mut self, log: &Log, state: &ClientState) {
        let mut entries = state.session.timeline.visible_entries(0..state.session.timeline.len());
        entries.retain(|shown| shown.entry.delivery.seq().is_some());
        let ids: HashSet<CommandId> = entries.iter().map(|shown| shown.entry.id).collect();
        let seqs: Vec<Seq> =
            entries.iter().filter_map(|shown| log.seqs.get(&shown.entry.id).copied()).collect();
        let expected = log.messages.range(state.starts_after + 1..).map(|(_, message)| message.id);
        self.delivered += entries.len();
        self.repeated += entries.len() - ids.len();
        self.lost += expected.filter(|id| !ids.contains(id)).count();
        self.lost += entries.iter().filter(|shown| !log.matches(shown)).count();
        self.reordered += count_descents(&seqs);
    }
}

/// Counts the `seq`s that are lower than the one before them.
fn count_descents(seqs: &[Seq]) -> usize {
    seqs.windows(2).filter(|pair| pair[1] < pair[0]).count()
}
