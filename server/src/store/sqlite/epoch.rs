//! The continuous histories of the event log, and where each of them ends. A client may resume from one of them.

use rusqlite::Connection;
use uuid::Uuid;

/// Epochs that are kept. A client from an older one starts with the newest page.
const MAX_EPOCHS: i64 = 1_000;

/// Digits in the name of an epoch: enough that two restores of one copy get different names.
const NAME_DIGITS: usize = 12;

/// The epochs of an event log, oldest first, each with its first row. Never empty.
#[derive(Debug, Clone)]
pub(super) struct Epochs(Vec<(String, i64)>);

/// The events of an epoch that are in the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// All of them: it is the present epoch.
    All,
    /// Those in rows before this one; later ones may have been lost.
    Before(i64),
    /// Unknown: the epoch is not known here.
    Unknown,
}

impl Epochs {
    /// Reads the epochs. Begins a new one unless the file is proven to continue the last one.
    pub(super) fn open(connection: &mut Connection, is_continuous: bool) -> rusqlite::Result<Self> {
        if !is_continuous {
            begin(connection)?;
        }
        let mut known = vec![(String::new(), 0)];
        let mut statement = connection.prepare("SELECT name, first_row FROM epoch ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        known.extend(rows.collect::<Result<Vec<_>, _>>()?);
        Ok(Self(known))
    }

    /// Returns the name of the present epoch; empty for the first one.
    pub(super) fn present(&self) -> &str {
        self.0.last().map_or("", |(name, _)| name)
    }

    /// Returns which events of `epoch` are in the event log.
    pub(super) fn shared(&self, epoch: &str) -> Shared {
        match self.0.iter().rposition(|(name, _)| name == epoch) {
            None => Shared::Unknown,
            Some(at) => self.0.get(at + 1).map_or(Shared::All, |(_, first_row)| Shared::Before(*first_row)),
        }
    }
}

fn begin(connection: &mut Connection) -> rusqlite::Result<()> {
    let name = Uuid::new_v4().simple().to_string();
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO epoch (name, first_row) SELECT ?1, coalesce(max(row), 0) + 1 FROM event",
        [&name[..NAME_DIGITS]],
    )?;
    transaction
        .execute("DELETE FROM epoch WHERE number <= (SELECT max(number) FROM epoch) - ?1", [MAX_EPOCHS])?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(rows: &[(&str, i64)]) -> Epochs {
        Epochs(rows.iter().map(|(name, first)| ((*name).to_owned(), *first)).collect())
    }

    #[test]
    fn an_epoch_shares_the_rows_before_the_next_epoch() {
        let epochs = epochs(&[("", 0), ("a", 6), ("b", 9)]);
        assert_eq!(epochs.present(), "b");
        let shared = ["", "a", "b", "c"].map(|name| epochs.shared(name));
        assert_eq!(shared, [Shared::Before(6), Shared::Before(9), Shared::All, Shared::Unknown]);
    }
}
