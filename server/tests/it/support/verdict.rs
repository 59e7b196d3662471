//! What people's clients show, held against the log.

use super::person::Kept;
use app::{
    client::EntryView,
    wire::{CommandId, Event, EventBody, Events, Message, Seq},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    sync::Arc,
};

/// What became of what people asked for: messages, and changes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Messages and changes that were asked for.
    pub posted: usize,
    /// Those that the server acknowledged.
    pub acknowledged: usize,
    /// Messages on all screens together.
    pub delivered: usize,
    /// Asked for and not in the log, in the log and not on a screen, or on a screen and not in the log.
    pub lost: usize,
    /// In the log, or on a screen, twice.
    pub repeated: usize,
    /// On a screen in another order than in the log, or in the log in another order than their author
    /// asked for them, or at another place than was acknowledged.
    pub reordered: usize,
}

/// Every event of `room`, over the HTTP API.
pub async fn events(server: SocketAddr, room: &str) -> reqwest::Result<Vec<Arc<Event>>> {
    let mut events: Vec<Arc<Event>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let url = format!("http://{server}/api/rooms/{room}/events?after={after}&limit=1000");
        let page: Events = reqwest::get(url).await?.error_for_status()?.json().await?;
        if page.events.is_empty() {
            return Ok(events);
        }
        events.extend(page.events);
    }
}

/// What the log comes to.
struct Log {
    /// The messages in their present state, by their places.
    messages: BTreeMap<Seq, Message>,
    /// The first place of each command.
    seqs: HashMap<CommandId, Seq>,
}

impl Log {
    fn of(events: &[Arc<Event>]) -> Self {
        let mut messages = BTreeMap::new();
        for event in events {
            match &event.body {
                EventBody::Message { .. } => {
                    messages.extend(Message::from_event(event).map(|it| (it.seq, it)));
                }
                EventBody::Edit { target, text } => {
                    messages.entry(*target).and_modify(|message| message.edit(text.clone(), event.at));
                }
                EventBody::Delete { target } => {
                    messages.entry(*target).and_modify(Message::delete);
                }
                EventBody::Unknown => {}
            }
        }
        Self { messages, seqs: events.iter().rev().map(|event| (event.id, event.seq)).collect() }
    }

    /// Whether a row shows what the log says.
    fn says(&self, shown: &EntryView) -> bool {
        let row = &shown.entry;
        row.delivery.seq().and_then(|seq| self.messages.get(&seq)).is_some_and(|message| {
            (row.id, row.deleted, &row.text) == (message.id, message.deleted, &message.text)
        })
    }
}

impl Verdict {
    /// Judges everybody.
    pub fn on<'a>(events: &[Arc<Event>], people: impl IntoIterator<Item = &'a Kept>) -> Self {
        let log = Log::of(events);
        let mut verdict = Self { repeated: events.len() - log.seqs.len(), ..Self::default() };
        verdict.reordered += events.iter().zip(1..).filter(|(event, place)| event.seq != *place).count();
        for kept in people {
            verdict.asked(&log, kept);
            verdict.shown(&log, kept);
        }
        verdict
    }

    /// Whether nothing was lost, repeated or reordered.
    pub fn clean(&self) -> bool {
        (self.lost, self.repeated, self.reordered) == (0, 0, 0)
    }

    fn asked(&mut self, log: &Log, kept: &Kept) {
        let seqs: Vec<Seq> = kept.asked.iter().filter_map(|it| log.seqs.get(&it.id).copied()).collect();
        let acknowledged: HashMap<CommandId, Seq> = kept.acknowledged.iter().copied().collect();
        self.posted += kept.asked.len();
        self.acknowledged += acknowledged.len();
        self.lost += kept.asked.len() - seqs.len();
        self.reordered += falls(&seqs);
        self.reordered +=
            acknowledged.iter().filter(|(id, seq)| log.seqs.get(id).is_some_and(|at| at != *seq)).count();
    }

    fn shown(&mut self, log: &Log, kept: &Kept) {
        let mut rows = kept.session.timeline.visible_entries(0..kept.session.timeline.len());
        rows.retain(|shown| shown.entry.delivery.seq().is_some());
        let ids: HashSet<CommandId> = rows.iter().map(|shown| shown.entry.id).collect();
        let places: Vec<Seq> =
            rows.iter().filter_map(|shown| log.seqs.get(&shown.entry.id).copied()).collect();
        let expected = log.messages.range(kept.began + 1..).map(|(_, message)| message.id);
        self.delivered += rows.len();
        self.repeated += rows.len() - ids.len();
        self.lost += expected.filter(|id| !ids.contains(id)).count();
        self.lost += rows.iter().filter(|shown| !log.says(shown)).count();
        self.reordered += falls(&places);
    }
}

/// How often a place is before the one ahead of it.
fn falls(places: &[Seq]) -> usize {
    places.windows(2).filter(|pair| pair[1] < pair[0]).count()
}
