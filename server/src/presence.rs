//! Who is in a room: people, however many connections each of them has, and with some patience for those
//! who come right back. Plain data; time is passed in.

use app::wire::{Author, PersonId};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    mem,
    time::Duration,
};
use tokio::time::Instant;

/// How long a user must have been here to be given [`GRACE`]. Others are gone as soon as their last connection is, so
/// that users who only come and go are on nobody's page.
const SETTLED: Duration = Duration::from_secs(5);

/// How long somebody whose last connection is gone is still taken to be here.
pub const GRACE: Duration = Duration::from_secs(10);

/// Changes of a room are told together, this often at most.
pub const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Who is in a room.
#[derive(Debug, Default)]
pub struct Presence {
    people: HashMap<PersonId, Here>,
    /// The same people as a list shows them, kept in order: whoever joins is told all of them.
    list: BTreeSet<Listed>,
    /// Who has come, since that was last told.
    come: Vec<PersonId>,
    /// How many of them somebody who joined later has found in the list, and must be told if they are gone.
    handed_out: usize,
}

#[derive(Debug)]
struct Here {
    person: Author,
    connections: usize,
    since: Instant,
    /// When the last connection went.
    left: Option<Instant>,
}

/// Somebody by their place in the list.
#[derive(Debug)]
struct Listed(Author);

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.before(&other.0)
    }
}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Listed {}

/// What is to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Who is here and was not.
    pub here: Vec<Author>,
    /// Who was here and is not.
    pub gone: Vec<PersonId>,
}

impl Presence {
    /// Another connection of `person`. Whether there is something to tell.
    pub fn came(&mut self, person: Author, now: Instant) -> bool {
        let id = person.id;
        if let Some(here) = self.people.get_mut(&id) {
            here.connections += 1;
            here.left = None;
            self.renamed(&person);
            return false;
        }
        self.list.insert(Listed(person.clone()));
        self.people.insert(id, Here { person, connections: 1, since: now, left: None });
        self.come.push(id);
        true
    }

    /// A connection of `person` is gone. Whether there will be something to tell.
    pub fn left(&mut self, person: PersonId, now: Instant) -> bool {
        let Some(here) = self.people.get_mut(&person) else { return false };
        here.connections = here.connections.saturating_sub(1);
        if here.connections == 0 {
            here.left = Some(now);
        }
        here.connections == 0
    }

    /// Somebody is called something else.
    pub fn renamed(&mut self, person: &Author) {
        if let Some(here) = self.people.get_mut(&person.id) {
            let before = mem::replace(&mut here.person, person.clone());
            self.list.remove(&Listed(before));
            self.list.insert(Listed(person.clone()));
        }
    }

    /// Who is here, those who may come right back among them, as a list shows them.
    pub fn members(&mut self) -> Vec<Author> {
        self.handed_out = self.come.len();
        self.list.iter().map(|listed| listed.0.clone()).collect()
    }

    /// Whether `person` is here.
    pub fn has(&self, person: PersonId) -> bool {
        self.people.contains_key(&person)
    }

    /// What has changed by `now`, to be told once.
    pub fn changes(&mut self, now: Instant) -> Changes {
        let is_gone = |here: &Here| {
            here.left.is_some_and(|left| {
                let grace = if left.duration_since(here.since) >= SETTLED { GRACE } else { Duration::ZERO };
                left + grace <= now
            })
        };
        let mut gone: Vec<PersonId> =
            self.people.iter().filter(|(_, here)| is_gone(here)).map(|(id, _)| *id).collect();
        for here in gone.iter().filter_map(|id| self.people.remove(id)) {
            self.list.remove(&Listed(here.person));
        }
        // Nobody knows of those who came and went in between, unless a list was handed out since.
        let (come, handed_out) = (mem::take(&mut self.come), mem::take(&mut self.handed_out));
        let unknown = come.get(handed_out..).unwrap_or_default();
        gone.retain(|id| !unknown.contains(id));
        gone.sort();
        let here = come.iter().filter_map(|id| self.people.get(id)).map(|here| here.person.clone()).collect();
        Changes { here, gone }
    }

    /// Whether something may be to tell later although nobody comes or goes.
    pub fn may_change(&self) -> bool {
        !self.come.is_empty() || self.people.values().any(|here| here.left.is_some())
    }
}

impl Changes {
    /// Whom alone they are about, if it is one who came.
    pub fn only(&self) -> Option<PersonId> {
        match (&self.here[..], &self.gone[..]) {
            ([one], []) => Some(one.id),
            _ => None,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.here.is_empty() && self.gone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::PersonName;

    fn person(id: u64) -> Author {
        Author::new(PersonId(id), PersonName::given(PersonId(id)))
    }

    #[tokio::test(start_paused = true)]
    async fn several_connections_are_one_person_who_leaves_with_the_last() {
        let (mut room, start) = (Presence::default(), Instant::now());
        assert!(room.came(person(1), start) && !room.came(person(1), start));
        assert_eq!(room.changes(start).here, [person(1)]);
        let end = start + SETTLED;
        assert!(!room.left(PersonId(1), end) && room.left(PersonId(1), end));
        assert!(room.changes(end).is_empty() && room.may_change());
        assert!(room.has(PersonId(1)));
        assert_eq!(room.changes(end + GRACE), Changes { here: vec![], gone: vec![PersonId(1)] });
        assert!(!room.has(PersonId(1)) && !room.may_change());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_right_back_has_never_left() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.changes(start);
        room.left(PersonId(1), start + SETTLED);
        assert!(!room.came(person(1), start + SETTLED));
        assert!(room.changes(start + 2 * GRACE).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn people_stand_by_name_whoever_comes_goes_or_is_called_something_else() {
        let (mut room, start) = (Presence::default(), Instant::now());
        let called = |id, name: &str| Author::new(PersonId(id), name.parse().unwrap());
        let names = |room: &mut Presence| {
            room.members().iter().map(|person| person.name.to_string()).collect::<Vec<_>>().join(" ")
        };
        for (id, name) in [(3, "carol"), (1, "Bob"), (2, "ann"), (5, "bob"), (4, "Bob")] {
            room.came(called(id, name), start);
        }
        assert_eq!(names(&mut room), "ann Bob Bob bob carol");
        room.renamed(&called(2, "Dora"));
        room.renamed(&Author { alike: true, ..called(1, "BOB") });
        room.came(called(3, "Alice"), start);
        assert_eq!(names(&mut room), "Alice BOB Bob bob Dora");
        assert!(room.members()[1].alike);
        room.renamed(&called(9, "nobody here"));
        room.left(PersonId(4), start);
        room.changes(start + GRACE);
        assert_eq!(names(&mut room), "Alice BOB bob Dora");
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_and_went_unheard_is_not_told_of() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.left(PersonId(1), start);
        assert!(room.changes(start).is_empty() && !room.has(PersonId(1)));
        // Somebody who joined meanwhile has found them in the list.
        room.came(person(2), start);
        room.members();
        room.left(PersonId(2), start);
        assert_eq!(room.changes(start), Changes { here: vec![], gone: vec![PersonId(2)] });
    }

    #[tokio::test(start_paused = true)]
    async fn users_who_were_here_for_less_than_five_seconds_get_no_grace() {
        let (mut room, start) = (Presence::default(), Instant::now());
        room.came(person(1), start);
        room.came(person(2), start);
        room.changes(start);
        let soon = start + SETTLED - Duration::from_millis(1);
        room.left(PersonId(1), soon);
        assert_eq!(room.changes(soon).gone, [PersonId(1)]);
        room.left(PersonId(2), start + SETTLED);
        assert_eq!(room.changes(start + SETTLED).gone, []);
    }
}
