//! The search over HTTP.

use super::{invalid_query, validate_limit};
use crate::{
    http::{
        identity::Identity,
        problem::Problem,
        public_address::PublicAddress,
        work::{Busy, Priority},
    },
    search::{self, DEFAULT_RESULTS, SearchError, before_text, parse_before},
    state::AppState,
    store::MAX_RESULTS,
};
use app::wire::{Millis, RoomName, Seq, User};
use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use serde::{Deserialize, Serialize};

/// The query of `GET /api/search`.
#[derive(Deserialize)]
pub struct SearchParameters {
    q: String,
    before: Option<String>,
    limit: Option<u32>,
}

/// A page of results.
#[derive(Serialize)]
struct Results {
    results: Vec<SearchResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
    behind_ms: Millis,
}

#[derive(Serialize)]
struct SearchResult {
    room: RoomName,
    title: String,
    seq: Seq,
    at: Millis,
    author: User,
    excerpt: Vec<Part>,
    href: String,
}

#[derive(Serialize)]
struct Part {
    text: String,
    #[serde(rename = "match", skip_serializing_if = "std::ops::Not::not")]
    is_match: bool,
}

/// `GET /api/search`: the newest messages that match and that the user may see.
///
/// # Errors
/// [`Problem`] if the query is refused, if no thread becomes free, or if the store cannot be read.
pub async fn search(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(address): Extension<PublicAddress>,
    query: Result<Query<SearchParameters>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(query) = query.map_err(invalid_query)?;
    let limit = validate_limit(query.limit, DEFAULT_RESULTS, MAX_RESULTS)?;
    let invalid_before = || Problem::bad_request("`before` must be a room and a `seq`, as in lobby.42.");
    let before = query.before.map(|before| parse_before(&before).ok_or_else(invalid_before)).transpose()?;
    let behind_ms = state.index_lag.millis();
    let found = search::search(&state, (identity, Priority::Low), query.q, before, limit).await;
    let found = found.map_err(|error| match error {
        SearchError::Query(error) => Problem::bad_request(error.to_string()),
        SearchError::Store(error) => error.into(),
        SearchError::Busy => Busy.into(),
    })?;
    let result = |result: search::SearchResult| SearchResult {
        href: address.path(&format!("{}?around={}", result.room.path(), result.seq)),
        room: result.room,
        title: result.title,
        seq: result.seq,
        at: result.at,
        author: result.author,
        excerpt: result
            .excerpt
            .into_iter()
            .map(|part| Part { text: part.text, is_match: part.is_match })
            .collect(),
    };
    let results = Results {
        results: found.results.into_iter().map(result).collect(),
        next: found.next.as_ref().map(before_text),
        partial: found.is_partial,
        behind_ms,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(results)))
}
