//! The pages and forms of access and moderation. A form redirects (303) to its page; what a user may not do is refused by the
//! store.

mod access_page;
mod actions;
mod load;
mod overview;

pub(super) use access_page::closed_page;
pub use access_page::{
    accept_admin_link, accept_invitation, enter_with_password, open_admin_link, open_invitation,
};

use super::{
    CheckedForm, MessagePath, PageRejection, PageRequest, PageResult, RoomPath,
    render::{render, run_page},
    share::share_link,
    user_data::export_response,
};
use crate::{
    http::problem::Problem,
    limits::network::Use,
    store::{moderates, read_around},
};
use actions::{ActionFields, Done};
use app::{
    View,
    wire::{RoomName, Seq, UserId},
};
use axum::{
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use load::{load_manage_page, load_user_page};
use serde::Deserialize;

/// The entries of its lists that a page shows.
#[derive(Default, Deserialize)]
pub struct ManageQuery {
    /// The entry of the log before which the list begins.
    before: Option<u64>,
    /// The room after which the list begins.
    rooms: Option<String>,
    /// The beginning of the names of users.
    name: Option<String>,
    /// The user after whom the list begins.
    users: Option<String>,
}

/// A form without fields.
#[derive(Deserialize)]
pub struct Confirmed {}

/// The message from which the page of a user was opened, and what was done before.
#[derive(Deserialize)]
pub struct UserQuery {
    seq: Option<Seq>,
    done: Option<String>,
}

/// `GET /r/{room}/manage`: the people, the rules, the reports and the log of a room.
///
/// # Errors
/// [`PageRejection`] if the store or the rendering fails.
pub async fn manage_room(
    request: PageRequest,
    RoomPath(room): RoomPath,
    query: Result<Query<ManageQuery>, QueryRejection>,
) -> PageResult {
    let query = query.map(|Query(query)| query).unwrap_or_default();
    render_manage_page(request, Some(room), query, None, None, StatusCode::OK).await
}

/// `GET /admin`: the same of the server. For users who do not moderate it there is no such page.
///
/// # Errors
/// [`PageRejection`] as for a path without a page; or if the store or the rendering fails.
pub async fn manage_server(
    request: PageRequest,
    query: Result<Query<ManageQuery>, QueryRejection>,
) -> PageResult {
    check_moderates(&request).await?;
    let query = query.map(|Query(query)| query).unwrap_or_default();
    render_manage_page(request, None, query, None, None, StatusCode::OK).await
}

/// `POST /r/{room}/manage`: does what the form says in the room.
///
/// # Errors
/// [`PageRejection`] if the page cannot be rendered again.
pub async fn act_in_room(
    request: PageRequest,
    RoomPath(room): RoomPath,
    CheckedForm(fields): CheckedForm<ActionFields>,
) -> PageResult {
    act(request, Some(room), None, fields).await
}

/// `POST /admin`: does what the form says on the server.
///
/// # Errors
/// [`PageRejection`] as for a path without a page; or if the page cannot be rendered again.
pub async fn act_on_server(
    request: PageRequest,
    CheckedForm(fields): CheckedForm<ActionFields>,
) -> PageResult {
    check_moderates(&request).await?;
    act(request, None, None, fields).await
}

/// `GET /r/{room}/people/{user}`: what moderators can do about a user in a room.
///
/// # Errors
/// [`PageRejection`] if the id or the message is invalid, or if the store or the rendering fails.
pub async fn user_in_room(
    request: PageRequest,
    Path((room, user)): Path<(String, String)>,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> PageResult {
    let (room, user) = (parse::<RoomName>(&room)?, parse(&user)?);
    render_user_page(request, Some(room), user, query).await
}

/// `GET /admin/people/{user}`: the same on the server.
///
/// # Errors
/// [`PageRejection`] as for [`user_in_room`].
pub async fn user_on_server(
    request: PageRequest,
    Path(user): Path<String>,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> PageResult {
    check_moderates(&request).await?;
    let user = parse(&user)?;
    render_user_page(request, None, user, query).await
}

/// `POST /r/{room}/people/{user}`: does what the form says about a user in a room.
///
/// # Errors
/// [`PageRejection`] if the user may not do this, or if the store fails.
pub async fn act_on_user_in_room(
    request: PageRequest,
    Path((room, user)): Path<(String, String)>,
    CheckedForm(fields): CheckedForm<ActionFields>,
) -> PageResult {
    let (room, user) = (parse(&room)?, parse(&user)?);
    act(request, Some(room), Some(user), fields).await
}

/// `POST /admin/people/{user}`: does what the form says about a user on the server.
///
/// # Errors
/// [`PageRejection`] if the user may not do this, or if the store fails.
pub async fn act_on_user_on_server(
    request: PageRequest,
    Path(user): Path<String>,
    CheckedForm(fields): CheckedForm<ActionFields>,
) -> PageResult {
    check_moderates(&request).await?;
    let user = parse(&user)?;
    act(request, None, Some(user), fields).await
}

/// `POST /admin/people/{user}/export`: downloads everything of a user as JSON Lines, for the administrator.
///
/// # Errors
/// [`PageRejection`] if the user may not do this, if too many exports are under way, or if the store fails.
pub async fn export_data_of(
    request: PageRequest,
    Path(user): Path<String>,
    CheckedForm(Confirmed {}): CheckedForm<Confirmed>,
) -> PageResult {
    check_moderates(&request).await?;
    let user = parse(&user)?;
    request.require_cookies()?;
    request.take(Use::DeviceLink)?;
    actions::record_export(&request.state, request.identity.id, user).await?;
    export_response(&request.state, user)
}

/// `GET /r/{room}/{seq}/author`: redirects to the page of the author of a message.
///
/// # Errors
/// [`PageRejection`] if there is no such message, or if the store fails.
pub async fn message_author(request: PageRequest, MessagePath { room, target }: MessagePath) -> PageResult {
    let page = read_around(&*request.state.store, &room, target, 1).await?;
    let message = page.messages.into_iter().find(|message| message.seq == target);
    let author = message.ok_or_else(PageRejection::not_found)?.author.id;
    Ok(request.redirect(&format!("/r/{room}/people/{author}?seq={target}")))
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, PageRejection> {
    text.parse().map_err(|_| PageRejection::not_found())
}

/// Checks that the user moderates the server. For others there is no page about it.
async fn check_moderates(PageRequest { state, identity, .. }: &PageRequest) -> Result<(), PageRejection> {
    let standing = state.standing(*identity, None).await?;
    if moderates(None, &standing) { Ok(()) } else { Err(PageRejection::not_found()) }
}

/// Does what a form says, in a room or on the server.
async fn act(
    request: PageRequest,
    room: Option<RoomName>,
    target: Option<UserId>,
    fields: ActionFields,
) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    state.admit_write(*identity, Use::Post).map_err(Problem::rate_limited)?;
    match actions::carry_out(&request, room.as_ref(), target, fields).await {
        Ok(Done::Invitation(token)) => {
            let link = share_link(request.context.address.url(&format!("/invite/{token}")));
            render_manage_page(request, room, ManageQuery::default(), Some(link), None, StatusCode::OK).await
        }
        Ok(done) => Ok(redirect_after(&request, room.as_ref(), target, &done)),
        Err(problem) if target.is_none() => {
            let status = problem.status();
            let text = match problem.code() {
                Some(code) => (request.context.lang.strings().command_error)(code),
                None => problem.detail().to_owned(),
            };
            render_manage_page(request, room, ManageQuery::default(), None, Some(text), status).await
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Redirects to the page of the form, or to the lobby if the user has left the room.
fn redirect_after(
    request: &PageRequest,
    room: Option<&RoomName>,
    target: Option<UserId>,
    done: &Done,
) -> Response {
    let place = match (room, target) {
        _ if matches!(done, Done::Left) => "/".into(),
        (Some(room), Some(target)) => format!("/r/{room}/people/{target}{}", done.query()),
        (Some(room), None) => format!("/r/{room}/manage"),
        (None, Some(target)) => format!("/admin/people/{target}{}", done.query()),
        (None, None) => "/admin".into(),
    };
    request.redirect(&place)
}

async fn render_manage_page(
    PageRequest { state, identity, context }: PageRequest,
    room: Option<RoomName>,
    query: ManageQuery,
    created: Option<app::ui::share::ShareLink>,
    problem: Option<String>,
    status: StatusCode,
) -> PageResult {
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        let mut page = load_manage_page(&state, identity, room, query, context.lang).await?;
        (page.created, page.problem) = (created, problem);
        render(&state, context, View::Manage(Box::new(page)), status).await
    };
    run_page(&handle, activity, page).await
}

async fn render_user_page(
    PageRequest { state, identity, context }: PageRequest,
    room: Option<RoomName>,
    user: UserId,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> PageResult {
    let (seq, done) = query.map_or((None, None), |Query(query)| (query.seq, query.done));
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        let notice = done.and_then(|done| actions::notice(&done, context.lang));
        let page = load_user_page(&state, identity, room, user, seq, context.lang).await?;
        let page = app::pages::UserPage { notice, ..page };
        render(&state, context, View::User(Box::new(page)), StatusCode::OK).await
    };
    run_page(&handle, activity, page).await
}
