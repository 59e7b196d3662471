//! The search: a form and what it has found.

use crate::{
    base::link,
    clock,
    i18n::{Lang, SearchProblem, SearchStrings},
    ui::Icon,
    wire::{Millis, RoomName, Seq},
};
use leptos::{either::EitherOf3, prelude::*};

/// The most characters that the field takes; the server counts bytes.
const MAX_QUERY_CHARS: &str = "1024";

/// The results of a search.
#[derive(Debug, Clone, Default)]
pub struct SearchResults {
    /// The query as the user has written it.
    pub query: String,
    /// The messages, newest first.
    pub messages: Vec<FoundMessage>,
    /// The path of the page with older ones.
    pub next: Option<String>,
    /// Older messages were not searched.
    pub is_partial: bool,
    /// The newest messages are not in the index yet.
    pub is_behind: bool,
    /// The reason why the query was not searched for.
    pub problem: Option<SearchProblem>,
}

/// A message that was found.
#[derive(Debug, Clone)]
pub struct FoundMessage {
    /// Its room.
    pub room: RoomName,
    /// The title of the room.
    pub title: String,
    /// Its position.
    pub seq: Seq,
    /// When it was posted.
    pub at: Millis,
    /// The name of its author, with the mark that distinguishes it.
    pub author: String,
    /// The part of its text that matches: texts, and whether each is a match.
    pub excerpt: Vec<(String, bool)>,
}

/// The page of the search.
#[component]
pub fn SearchPage(
    /// The query, and what it has found.
    results: SearchResults,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.search();
    view! {
        <main class="plain-page search-page">
            <nav class="row">
                <span><a class="back-link" href=link("/")><Icon path="M14 6l-6 6 6 6" />{lang.strings().server.go_to_lobby}</a></span>
            </nav>
            <h1>{strings.search}</h1>
            <SearchForm query=results.query.clone() is_focused=results.query.is_empty() lang />
            <p id="search-status" class="hint" role="status" data-failed=strings.failed>{summary(&results, strings)}</p>
            <div id="search-results">{found(results, lang)}</div>
        </main>
    }
}

/// The form of the search. A script searches while the user types.
#[component]
pub fn SearchForm(
    /// The query as the user has written it.
    query: String,
    /// The field has the focus.
    is_focused: bool,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.search();
    view! {
        <form method="get" action=link("/search") role="search" class="row search-form">
            <input
                type="search"
                name="q"
                value=query
                aria-label=strings.label
                placeholder=strings.label
                maxlength=MAX_QUERY_CHARS
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                enterkeyhint="search"
                autofocus=is_focused
            />
            <button type="submit">{strings.search}</button>
        </form>
    }
}

/// Returns how many messages there are, and why there may be more.
fn summary(results: &SearchResults, strings: &'static SearchStrings) -> String {
    if results.problem.is_some() || results.query.trim().is_empty() {
        return String::new();
    }
    let mut summary = match results.messages.len() {
        0 => strings.none.to_owned(),
        count => (strings.found)(count, results.next.is_some()),
    };
    if results.is_behind {
        summary.push(' ');
        summary.push_str(strings.behind);
    }
    summary
}

fn found(results: SearchResults, lang: Lang) -> impl IntoView {
    let strings = lang.search();
    if let Some(problem) = results.problem {
        return EitherOf3::A(view! { <p class="field-error" role="alert">{(strings.problem)(problem)}</p> });
    }
    if results.query.trim().is_empty() {
        return EitherOf3::B(help(strings));
    }
    let older = results.next.map(|next| {
        view! { <p><a href=link(&next) rel="next">{strings.older}</a></p> }
    });
    let messages =
        results.messages.into_iter().map(|message| view! { <Result message lang /> }).collect::<Vec<_>>();
    EitherOf3::C(view! {
        <ol class="directory results">{messages}</ol>
        {older}
        {results.is_partial.then(|| view! { <p class="hint">{strings.partial}</p> })}
    })
}

/// A message that was found. Its link leads to it in its room.
#[component]
fn Result(message: FoundMessage, lang: Lang) -> impl IntoView {
    let room = message.room.path();
    let address = format!("{room}?around={}", message.seq);
    let excerpt = message.excerpt.into_iter();
    let excerpt = excerpt.map(|(text, is_match)| match is_match {
        true => leptos::either::Either::Left(view! { <mark>{text}</mark> }),
        false => leptos::either::Either::Right(text),
    });
    view! {
        <li>
            <a class="result" href=link(&address)>
                <b>{message.author}</b>
                <span class="hint">{message.title}</span>
                <time class="hint" datetime=clock::iso(message.at)>{clock::utc(message.at, lang.strings())}</time>
                <span class="result-text" dir="auto">{excerpt.collect::<Vec<_>>()}</span>
            </a>
        </li>
    }
}

/// Returns the list of terms that a query may have.
fn help(strings: &'static SearchStrings) -> impl IntoView {
    let terms = strings
        .help
        .map(|(term, meaning)| view! { <div><dt><code>{term}</code></dt><dd>{meaning}</dd></div> });
    view! { <dl class="search-help">{terms.into_iter().collect::<Vec<_>>()}</dl> }
}
