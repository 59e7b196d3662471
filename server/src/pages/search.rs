//! The page of the search.

use super::{
    PageRequest, PageResult,
    render::{render, run_page},
};
use crate::{
    http::work::{Busy, Priority},
    search::{self, Before, DEFAULT_RESULTS, SearchError, before_text, parse_before},
    store::QueryError,
};
use app::{
    View,
    i18n::{Lang, SearchProblem},
    pages::{FoundMessage, SearchResults},
};
use axum::{
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// The characters that are encoded in the query of an address (RFC 3986, section 2).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The parameters of a search.
#[derive(Deserialize, Default)]
pub struct SearchParameters {
    #[serde(default)]
    q: String,
    before: Option<String>,
}

/// `GET /search`: searches the messages that the user may see. Without a query it shows what one may have.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the store or the rendering fails.
pub async fn search(
    request: PageRequest,
    parameters: Result<Query<SearchParameters>, QueryRejection>,
) -> PageResult {
    let PageRequest { state, identity, context } = request;
    let (handle, activity) = (state.clone(), context.activity.clone());
    let SearchParameters { q, before } = parameters.map(|Query(parameters)| parameters).unwrap_or_default();
    let mut results =
        SearchResults { is_behind: state.index_lag.millis() > 0, query: q, ..SearchResults::default() };
    if !results.query.trim().is_empty() {
        let before = before.as_deref().and_then(parse_before);
        let (asked, query) = ((identity, Priority::High), results.query.clone());
        match search::search(&state, asked, query, before, DEFAULT_RESULTS).await {
            Ok(found) => {
                results.next = found.next.as_ref().map(|next| path_before(next, &results.query));
                results.is_partial = found.is_partial;
                let lang = context.lang;
                results.messages = found.results.into_iter().map(|found| message(found, lang)).collect();
            }
            Err(SearchError::Query(error)) => results.problem = Some(problem(error)),
            Err(SearchError::Store(error)) => return Err(error.into()),
            Err(SearchError::Busy) => return Err(Busy.into()),
        }
    }
    if results.problem == Some(SearchProblem::TooLong) {
        // It is not sent back.
        results.query.clear();
    }
    let page = async move { render(&state, context, View::Search(Box::new(results)), StatusCode::OK).await };
    run_page(&handle, activity, page).await
}

/// Returns the path of the page with the results of a query before a message.
fn path_before(before: &Before, query: &str) -> String {
    format!("/search?q={}&before={}", utf8_percent_encode(query, ENCODED), before_text(before))
}

fn message(result: search::SearchResult, lang: Lang) -> FoundMessage {
    let tag = result.author.tag.as_deref().unwrap_or_default();
    FoundMessage {
        author: format!("{}{tag}", result.author.name),
        title: lang.strings().title_of(&result.room, result.title),
        room: result.room,
        seq: result.seq,
        at: result.at,
        excerpt: result.excerpt.into_iter().map(|part| (part.text, part.is_match)).collect(),
    }
}

fn problem(error: QueryError) -> SearchProblem {
    match error {
        QueryError::TooLong => SearchProblem::TooLong,
        QueryError::TooManyWords => SearchProblem::TooManyWords,
        QueryError::InvalidDate => SearchProblem::InvalidDate,
        QueryError::UnknownHas => SearchProblem::UnknownHas,
        QueryError::Empty => SearchProblem::Empty,
    }
}
