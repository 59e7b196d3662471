//! The writes of an import.

use super::{
    sql::{
        DELETE_MENTIONS, DELETE_REACTIONS, INSERT_EVENTS, INSERT_MENTIONS, POST_FILES, PURGE_EDITS_BEFORE,
        UPDATE_TEXTS, UPSERT_REACTIONS, UPSERT_STATES,
    },
    work::Work,
};
use crate::store::{
    MAX_READ_MARKERS, columns,
    postgres::{rows::position, shared::Shared},
    rules::ImportPlan,
    skeleton,
};
use app::wire::{CommandId, DisplayName, FileId, Mentions, Seq, UserId};
use std::collections::{BTreeMap, HashSet};
use tokio_postgres::{Error, types::ToSql};

impl Work<'_> {
    pub(super) async fn store(&self, plan: &ImportPlan, expired: i64) -> Result<(), Error> {
        if let Some(first) = plan.rows.first() {
            self.store_rows(plan).await?;
            self.store_changes(plan, position(first.seq)).await?;
            self.store_mentions(plan).await?;
            self.store_reactions(plan).await?;
        }
        if let Some(up_to) = plan.expired {
            self.execute("SELECT expire_events($1, $2, $3, NULL)", &[&expired, &position(up_to)]).await?;
        }
        Ok(())
    }

    async fn store_rows(&self, plan: &ImportPlan) -> Result<(), Error> {
        let rows = &plan.rows;
        let seqs: Vec<i64> = rows.iter().map(|row| position(row.seq)).collect();
        let ats: Vec<i64> = rows.iter().map(|row| position(row.at)).collect();
        let authors: Vec<i64> = rows.iter().map(|row| row.author.0.cast_signed()).collect();
        let ids: Vec<CommandId> = rows.iter().map(|row| row.id).collect();
        let kinds: Vec<i16> = rows.iter().map(|row| row.kind).collect();
        let texts: Vec<&str> = rows.iter().map(|row| &*row.text).collect();
        let replies: Vec<Option<i64>> = rows.iter().map(|row| row.reply_to.map(position)).collect();
        let targets: Vec<Option<i64>> = rows.iter().map(|row| row.target.map(position)).collect();
        let mentions: Vec<Option<String>> =
            rows.iter().map(|row| columns::of_mentions(&row.mentions)).collect();
        let files: Vec<Option<String>> = rows.iter().map(|row| columns::of_files(&row.files)).collect();
        let parameters: [&(dyn ToSql + Sync); 10] =
            [&seqs, &ats, &authors, &ids, &kinds, &texts, &replies, &targets, &mentions, &files];
        self.execute(INSERT_EVENTS, &parameters).await?;
        let shown = rows.iter().flat_map(|row| row.files.iter().map(|file| (file.id, row.id)));
        let (files, messages): (Vec<FileId>, Vec<CommandId>) = shown.unzip();
        if !files.is_empty() {
            self.transaction.execute(POST_FILES, &[&files, &messages]).await?;
        }
        Ok(())
    }

    async fn store_reactions(&self, plan: &ImportPlan) -> Result<(), Error> {
        let seqs: Vec<i64> = plan.reactions.keys().copied().map(position).collect();
        let lasts: Vec<i64> = plan.reactions.values().map(|(last, _)| position(*last)).collect();
        let summaries: Vec<String> = plan.reactions.values().map(|(_, summary)| summary.to_json()).collect();
        self.execute(UPSERT_REACTIONS, &[&seqs, &lasts, &summaries]).await
    }

    async fn store_changes(&self, plan: &ImportPlan, first: i64) -> Result<(), Error> {
        if plan.changes.is_empty() {
            return Ok(());
        }
        let changes = &plan.changes;
        let seqs: Vec<i64> = changes.keys().copied().map(position).collect();
        let ats: Vec<i64> = changes.values().map(|change| position(change.at)).collect();
        let texts: Vec<Option<&str>> = changes.values().map(|change| change.text.as_deref()).collect();
        let mentions: Vec<Option<String>> =
            changes.values().map(|change| columns::of_mentions(&change.mentions)).collect();
        let deleted = changes.iter().filter(|(_, change)| change.text.is_none());
        let deleted: Vec<i64> = deleted.map(|(seq, _)| position(*seq)).collect();
        self.execute(UPSERT_STATES, &[&seqs, &ats, &texts]).await?;
        self.execute(UPDATE_TEXTS, &[&seqs, &texts, &mentions, &first]).await?;
        self.execute(PURGE_EDITS_BEFORE, &[&seqs, &first]).await?;
        self.execute(DELETE_MENTIONS, &[&seqs]).await?;
        self.execute(DELETE_REACTIONS, &[&deleted]).await
    }

    async fn store_mentions(&self, plan: &ImportPlan) -> Result<(), Error> {
        let (mut users, mut seqs) = (Vec::new(), Vec::new());
        let mut add = |seq: Seq, author: UserId, mentions: &Mentions| {
            for user in columns::notified(mentions, author) {
                users.push(user.0.cast_signed());
                seqs.push(position(seq));
            }
        };
        plan.addressing().for_each(|(seq, author, mentions)| add(seq, author, mentions));
        if users.is_empty() {
            return Ok(());
        }
        self.execute(INSERT_MENTIONS, &[&users, &seqs]).await
    }

    /// Sets the first read markers of the authors, as their posts did.
    pub(super) async fn record_visits(
        &self,
        plan: &ImportPlan,
        erased: &HashSet<UserId>,
    ) -> Result<(), Error> {
        let visits = plan.first_posts(erased);
        let users: Vec<i64> = visits.keys().map(|user| user.0.cast_signed()).collect();
        let seqs: Vec<i64> = visits.values().copied().map(position).collect();
        let record = "
            SELECT record_visits(
                $2, array_fill($1::int, ARRAY[cardinality($2::int8[])]), $3, now_millis(), $4)";
        if users.is_empty() {
            return Ok(());
        }
        self.execute(record, &[&users, &seqs, &MAX_READ_MARKERS.cast_signed()]).await
    }

    /// Stores the users who do not exist. Returns those who are ambiguous now.
    pub(super) async fn introduce(
        &self,
        users: &BTreeMap<UserId, DisplayName>,
        erased: &HashSet<UserId>,
        shared: &Shared,
    ) -> Result<Vec<i64>, Error> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = users.keys().map(|user| user.0.cast_signed()).collect();
        let name = |(user, name): (&UserId, &DisplayName)| {
            let generated = erased.contains(user).then(|| DisplayName::generated(*user));
            generated.as_ref().unwrap_or(name).as_str().to_owned()
        };
        let names: Vec<String> = users.iter().map(name).collect();
        let skeletons: Vec<String> = names.iter().map(|name| skeleton::name_key(name)).collect();
        let introduce = "SELECT introduce_users($1, $2, $3, $4, $5)";
        let parameters: [&(dyn ToSql + Sync); 5] = [&ids, &names, &skeletons, &shared.channel, &shared.node];
        self.transaction.query_one(introduce, &parameters).await?.try_get(0)
    }
}
