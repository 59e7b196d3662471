//! The users that the names in a text mean, of those that were found. Plain data: the caller reads from the store.

use app::{
    markup::MentionPlace,
    wire::{Mention, User, UserId},
};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// Users whom the author of a text has chosen for names in it: the name and the id.
pub(super) type ChosenUsers = Vec<(String, UserId)>;

/// The users that were found for a text: the ids that candidates mean, and the users themselves.
#[derive(Debug, Default)]
pub(super) struct FoundUsers {
    pub(super) by_name: BTreeMap<String, UserId>,
    pub(super) users: BTreeMap<UserId, User>,
}

impl FoundUsers {
    /// Adds users that were found by another spelling of a candidate, unless it means two of them, or is another name.
    pub(super) fn add_spellings(&mut self, by_spelling: BTreeSet<(String, UserId)>) {
        let is_same = |(name, id): &(String, UserId)| {
            self.users.get(id).is_some_and(|user| folded(user.name.as_str()) == folded(name))
        };
        let mut users: BTreeMap<String, BTreeSet<UserId>> = BTreeMap::new();
        for (name, id) in by_spelling.into_iter().filter(is_same) {
            users.entry(name).or_default().insert(id);
        }
        let only = users.into_iter().filter(|(_, ids)| ids.len() == 1);
        self.by_name.extend(only.filter_map(|(name, ids)| Some((name, ids.into_iter().next()?))));
    }
}

/// Returns a name in capitals, in small letters and with a capital at the beginning of each word, without the name itself.
pub(super) fn spellings(name: &str) -> BTreeSet<String> {
    let lower = name.to_lowercase();
    let mut title = String::with_capacity(lower.len());
    for c in lower.chars() {
        let begins_word = title.chars().next_back().is_none_or(char::is_whitespace);
        if begins_word { title.extend(c.to_uppercase()) } else { title.push(c) }
    }
    let mut spellings = BTreeSet::from([name.to_uppercase(), lower, title]);
    spellings.remove(name);
    spellings
}

/// Returns a name in NFKC with its case folded.
fn folded(name: &str) -> String {
    // Upper case first, so that both forms of a small sigma are equal.
    name.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Returns the names to look up, at most `limit`: the candidates of places for which the author has chosen no user.
pub(super) fn names_to_find(places: &[MentionPlace], chosen: &ChosenUsers, limit: usize) -> Vec<String> {
    let unchosen = places.iter().filter(|place| longest_chosen(place, chosen).is_none());
    let mut names: Vec<String> = Vec::new();
    for candidate in unchosen.flat_map(MentionPlace::candidates) {
        if names.len() < limit && !names.iter().any(|name| name == candidate) {
            names.push(candidate.into());
        }
    }
    names
}

fn longest_chosen<'a>(place: &MentionPlace, chosen: &'a ChosenUsers) -> Option<&'a (String, UserId)> {
    place.candidates().rev().find_map(|candidate| chosen.iter().find(|(name, _)| name == candidate))
}

/// Returns a mention for each name in the text, in their order, each name once.
pub(super) fn choose_all(places: &[MentionPlace], chosen: &ChosenUsers, found: &FoundUsers) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    for place in places {
        let choice = match longest_chosen(place, chosen) {
            Some((name, id)) => Some((name.as_str(), *id)),
            None => choose(place, found),
        };
        let Some((name, user)) = choice.and_then(|(name, id)| Some((name, found.users.get(&id)?))) else {
            continue;
        };
        if !mentions.iter().any(|mention| &*mention.name == name) {
            mentions.push(Mention { name: name.into(), user: user.clone() });
        }
    }
    mentions
}

/// Returns the longest name at a place that means a user. Punctuation after the name makes no other name of it: of the
/// candidates that mean the same user it is the one that is spelled like their name, or else the shortest.
fn choose<'a>(place: &'a MentionPlace, found: &FoundUsers) -> Option<(&'a str, UserId)> {
    let id = *place.candidates().rev().find_map(|candidate| found.by_name.get(candidate))?;
    let mut same = place.candidates().filter(|candidate| found.by_name.get(*candidate) == Some(&id));
    let is_spelled_like = |candidate: &&str| {
        found.users.get(&id).is_some_and(|user| user.name.as_str().to_lowercase() == candidate.to_lowercase())
    };
    let spelled = place.candidates().rev().find(is_spelled_like);
    spelled.or_else(|| same.next()).map(|name| (name, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::markup::mention_places;

    fn mentions(text: &str, chosen: &[(&str, u64)], names: &[(&str, u64)]) -> Vec<(String, u64)> {
        let users = names.iter().map(|(name, id)| User::new(UserId(*id), name.parse().unwrap()));
        let chosen: ChosenUsers = chosen.iter().map(|(name, id)| ((*name).into(), UserId(*id))).collect();
        let places = mention_places(text);
        let candidates = places.iter().flat_map(MentionPlace::candidates);
        let by_name = candidates.filter_map(|candidate| {
            let plain: String =
                candidate.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
            let found = names.iter().find(|(name, _)| name.to_lowercase() == plain.trim());
            found.map(|(_, id)| (candidate.to_owned(), UserId(*id)))
        });
        let found =
            FoundUsers { by_name: by_name.collect(), users: users.map(|user| (user.id, user)).collect() };
        let mentions = choose_all(&places, &chosen, &found);
        mentions.iter().map(|mention| (mention.name.to_string(), mention.user.id.0)).collect()
    }

    #[test]
    fn longest_name_wins_and_punctuation_is_no_part_of_it() {
        let names = [("Ann", 1), ("Ann Lee", 2), ("小明", 3)];
        for (text, expected) in [
            ("@Ann", &[("Ann", 1)][..]),
            ("@ann, @Ann!", &[("ann", 1), ("Ann", 1)]),
            ("@Ann Lee.", &[("Ann Lee", 2)]),
            ("@Ann Leeds", &[("Ann", 1)]),
            ("@小明在吗", &[("小明", 3)]),
            ("@Bob me@Ann `@Ann`", &[]),
        ] {
            let expected: Vec<(String, u64)> =
                expected.iter().map(|(name, id)| ((*name).into(), *id)).collect();
            assert_eq!(mentions(text, &[], &names), expected, "{text}");
        }
    }

    #[test]
    fn other_case_spellings_mean_the_only_user_with_that_name() {
        let user = |(name, id): (&str, u64)| (UserId(id), User::new(UserId(id), name.parse().unwrap()));
        for (name, users, expected) in [
            ("αλέξης", &[("ΑΛΈΞΗΣ", 1)][..], Some(1)),
            ("нина", &[("Нина", 1)], Some(1)),
            ("нина", &[("Нина", 1), ("НИНА", 2)], None),
            ("нина", &[("HИHA", 1)], None),
        ] {
            let mut found =
                FoundUsers { users: users.iter().copied().map(user).collect(), ..FoundUsers::default() };
            found.add_spellings(users.iter().map(|(_, id)| (name.to_owned(), UserId(*id))).collect());
            assert_eq!(found.by_name.get(name), expected.map(UserId).as_ref(), "{name}");
        }
        let all = |name| spellings(name).into_iter().collect::<Vec<_>>();
        assert_eq!(all("нина Ли"), ["НИНА ЛИ", "Нина Ли", "нина ли"]);
        assert_eq!(all("小明"), [""; 0]);
    }

    #[test]
    fn choice_of_the_author_comes_first_if_the_name_stands_there() {
        let names = [("Ann", 1), ("Ann Lee", 2), ("Anna", 7)];
        assert_eq!(mentions("@Ann Lee", &[("Ann", 7)], &names), [("Ann".to_owned(), 7)]);
        assert_eq!(mentions("@Ann", &[("Bob", 7), ("An", 7)], &names), [("Ann".to_owned(), 1)]);
    }
}
