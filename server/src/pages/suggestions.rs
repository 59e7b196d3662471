//! Suggests rooms for a mistyped address.

use crate::store::{RoomOrder, RoomQuery, RoomStore, StoreResult};
use app::{i18n::Lang, wire::RoomName};
use strsim::osa_distance;

/// Rooms that are compared: the most recently active ones.
const MAX_CANDIDATES: usize = 200;

/// The longest list of suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// Returns the titles and paths of public rooms whose name or title is similar to `room`, the closest first. At most
/// [`MAX_CANDIDATES`] rooms are compared.
///
/// # Errors
/// [`StoreError::Backend`](crate::store::StoreError::Backend).
pub(super) async fn suggest_rooms(
    store: &(impl RoomStore + ?Sized),
    lang: Lang,
    room: &RoomName,
) -> StoreResult<Vec<(String, String)>> {
    // One typing error in four characters, at most three.
    let max_distance = (room.as_str().len() / 4).clamp(1, 3);
    let candidates = store.list_rooms(RoomQuery::new(RoomOrder::Activity, MAX_CANDIDATES)).await?;
    let mut close: Vec<(usize, RoomName, String)> = candidates
        .into_iter()
        .filter_map(|record| {
            let (title, other) = (record.title(), record.room);
            let distance =
                distance(room.as_str(), other.as_str()).min(distance(room.as_str(), &typed_address(&title)));
            (distance <= max_distance && other != *room).then_some((distance, other, title))
        })
        .collect();
    close.sort();
    close.truncate(MAX_SUGGESTIONS);
    Ok(close
        .into_iter()
        .map(|(_, room, title)| (lang.strings().title_of(&room, title), room.path()))
        .collect())
}

/// Returns the number of wrong, missing, additional or swapped characters.
fn distance(one: &str, other: &str) -> usize {
    osa_distance(one, other)
}

/// Returns the title as a user would type it into an address.
fn typed_address(title: &str) -> String {
    title.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RoomInfo, SqliteStore};
    use app::wire::UserId;

    async fn log(rooms: &[(&str, &str, bool)]) -> SqliteStore {
        let log = SqliteStore::ephemeral().unwrap();
        for (room, title, private) in rooms {
            let about = RoomInfo {
                title: Some(title.parse().unwrap()),
                owner: Some(UserId(1)),
                private: *private,
                ..RoomInfo::default()
            };
            log.create_room(room.parse().unwrap(), about).await.unwrap();
        }
        log
    }

    async fn suggested(log: &SqliteStore, typed: &str) -> Vec<String> {
        let suggestions = suggest_rooms(log, Lang::En, &typed.parse().unwrap()).await.unwrap();
        suggestions.into_iter().map(|(title, _)| title).collect()
    }

    #[tokio::test]
    async fn mistyped_path_suggests_public_rooms_similar_in_name_or_title() {
        let log = log(&[
            ("garden-club", "Garden club", false),
            ("room-12345678", "Tea house", false),
            ("garden-clubs", "Secret", true),
            ("cooking", "Cooking", false),
        ])
        .await;
        assert_eq!(suggested(&log, "gardn-club").await, ["Garden club"]);
        assert_eq!(suggested(&log, "graden-clbu").await, ["Garden club"]);
        assert_eq!(suggested(&log, "tea-huose").await, ["Tea house"]);
        assert!(suggested(&log, "something-else").await.is_empty());
    }

    #[tokio::test]
    async fn at_most_three_rooms_are_suggested_closest_first() {
        let log = log(&[
            ("teams-12", "Teams 12", false),
            ("teams-1", "Teams 1", false),
            ("teams-21", "Teams 21", false),
            ("teams-123", "Teams 123", false),
        ])
        .await;
        let titles = suggested(&log, "teams-2").await;
        assert_eq!(titles.len(), 3);
        assert!(titles.contains(&"Teams 1".to_owned()), "{titles:?}");
    }
}
