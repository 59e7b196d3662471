//! The page of the search.

use super::{
    PageRequest, PageResult,
    render::{render, run_page},
};
use crate::{
    api::is_index_behind,
    search::{self, DEFAULT_RESULTS, SearchError, before_text, parse_before},
    store::QueryError,
};
use app::{
    View,
    i18n::SearchProblem,
    pages::{FoundMessage, SearchResults},
};
use axum::{
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
};
use serde::Deserialize;

/// What is searched for.
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
    let parameters = parameters.map(|Query(parameters)| parameters).unwrap_or_default();
    let page = async move {
        let mut results = SearchResults { is_behind: is_index_behind(&state), ..SearchResults::default() };
        if !parameters.q.trim().is_empty() {
            let before = parameters.before.as_deref().and_then(parse_before);
            match search::search(&state, identity, &parameters.q, before, DEFAULT_RESULTS).await {
                Ok(found) => {
                    results.next = found.next.as_ref().map(before_text);
                    results.is_partial = found.is_partial;
                    results.messages = found.results.into_iter().map(message).collect();
                }
                Err(SearchError::Query(error)) => {
                    results.problem = Some(problem(error));
                }
                Err(SearchError::Store(error)) => return Err(error.into()),
            }
        }
        // A query that is too long is not sent back.
        results.query =
            if results.problem == Some(SearchProblem::TooLong) { String::new() } else { parameters.q };
        render(&state, context, View::Search(Box::new(results)), StatusCode::OK).await
    };
    run_page(&handle, activity, page).await
}

fn message(result: search::SearchResult) -> FoundMessage {
    let tag = result.author.tag.as_deref().unwrap_or_default();
    FoundMessage {
        author: format!("{}{tag}", result.author.name),
        room: result.room,
        title: result.title,
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
