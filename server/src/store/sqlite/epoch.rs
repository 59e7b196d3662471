//! Which past a reader may have: the log's continuous histories, and where each of them ends.

use rusqlite::Connection;
use uuid::Uuid;

/// Epochs that are remembered. A reader from an older one begins with the newest page.
const MAX_EPOCHS: i64 = 1_000;

/// Digits of an epoch's name: enough that two restores of one copy get different names.
const NAME_DIGITS: usize = 12;

/// The epochs of a log, oldest first, each with the first row that belongs to it. Never empty.
#[derive(Debug, Clone)]
pub(super) struct Epochs(Vec<(String, i64)>);

/// What the events of an epoch are to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// All of them stand in the log: it is the present epoch.
    All,
    /// Those in rows before this one do; later ones may have been lost.
    Before(i64),
    /// The epoch is not known here.
    Unknown,
}

impl Epochs {
    /// Reads the epochs. Begins one if the file is not proven to continue the last one.
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

    /// The present epoch; empty for the first one.
    pub(super) fn present(&self) -> &str {
        self.0.last().map_or("", |(name, _)| name)
    }

    /// Which events of `epoch` stand in the log.
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
    fn an_epoch_shares_what_stands_before_the_next_one() {
        let epochs = epochs(&[("", 0), ("a", 6), ("b", 9)]);
        assert_eq!(epochs.present(), "b");
        let shared = ["", "a", "b", "c"].map(|name| epochs.shared(name));
        assert_eq!(shared, [Shared::Before(6), Shared::Before(9), Shared::All, Shared::Unknown]);
    }
}
