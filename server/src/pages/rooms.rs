//! The directory of rooms, and the forms that create and update one.

use super::{
    CheckedForm, PageRejection, PageRequest, PageResult, RoomPath,
    rejection::error_code,
    render::{render, run_page},
    room_view::{RoomList, room_retention},
};
use crate::{
    http::{identity::Identity, problem::Problem},
    limits::network::Use,
    state::AppState,
    store::{RoomInfo, RoomOrder, RoomQuery, StoreError, StoreResult, moderates},
};
use app::{
    View,
    i18n::{Lang, PageError, RoomFormError},
    pages::{NewRoom, RejectedForm, RoomsPage},
    wire::{ErrorCode, Retention, RoomName, RoomTitle, Topic},
};
use axum::{
    extract::{Query, rejection::QueryRejection},
    http::StatusCode,
};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Rooms that the user has not joined, on one page.
const MAX_OTHER_ROOMS: usize = 200;

/// Characters of a room's name that are taken from its title.
const MAX_SLUG_CHARS: usize = 40;

/// The title and topic of a new or changed room.
#[derive(Deserialize)]
pub struct RoomForm {
    title: String,
    #[serde(default)]
    topic: String,
    private: Option<String>,
    members: Option<String>,
    /// For how many hours messages are kept: 0 without limit, empty as long as the server keeps them. Without it nothing
    /// changes.
    keep: Option<String>,
}

/// The page of the directory: the first one, or a later one of one of its two lists.
#[derive(Deserialize)]
pub struct RoomsQuery {
    after: Option<String>,
    yours: Option<u32>,
}

/// The position in each of the two lists.
#[derive(Debug, Default)]
struct Cursors {
    /// The room that the user has not joined, after which the page begins.
    after: Option<RoomName>,
    /// The number of joined rooms before the page.
    skipped: u32,
}

/// `GET /rooms`: a page of the public rooms and of the user's rooms, with a form for a new one.
///
/// # Errors
/// [`PageRejection`] if the store or the rendering fails.
pub async fn room_directory(
    request: PageRequest,
    query: Result<Query<RoomsQuery>, QueryRejection>,
) -> PageResult {
    let cursors = query.map(|Query(query)| Cursors {
        after: query.after.and_then(|room| room.parse().ok()),
        skipped: query.yours.unwrap_or_default(),
    });
    render_directory(request, cursors.unwrap_or_default(), NewRoom::default(), None, StatusCode::OK).await
}

/// `POST /rooms`: creates a room, then redirects to it.
///
/// # Errors
/// [`PageRejection`] if the page cannot be rendered again with the rejected form.
pub async fn create_room(request: PageRequest, CheckedForm(form): CheckedForm<RoomForm>) -> PageResult {
    match insert_room(&request.state, request.identity, request.context.lang, &form).await {
        Ok(room) => Ok(request.redirect(&room.path())),
        Err((error, problem)) => {
            let RoomForm { title, topic, private, members, .. } = form;
            let input = NewRoom { title, topic, private: private.is_some(), members_only: members.is_some() };
            let page = render_directory(request, Cursors::default(), input, Some(error), problem.status());
            Ok(problem.add_headers(page.await?))
        }
    }
}

/// `POST /r/{room}/about`: changes the title and the topic of a room for its owner, and how long its messages are kept.
///
/// # Errors
/// [`PageRejection`] with the form's fields if a field is invalid, if a rate limit is exceeded, or if the store
/// rejects the update.
pub async fn update_room(
    request: PageRequest,
    RoomPath(room): RoomPath,
    CheckedForm(form): CheckedForm<RoomForm>,
) -> PageResult {
    let PageRequest { state, identity, context } = &request;
    let update = async {
        let (title, topic) = form.parse()?;
        let retention = form.retention()?;
        authorize(state, *identity)?;
        let updated = async {
            let updated = state.store.update_room(room.clone(), identity.id, title, topic).await;
            updated?;
            match retention {
                Some(kept) if kept != state.store.room(&room).await?.info.retention => {
                    state.store.set_retention(room.clone(), identity.id, kept).await
                }
                _ => Ok(()),
            }
        };
        match updated.await {
            Ok(()) => Ok(()),
            Err(error) => Err(room_form_error(state, context.lang, error).await),
        }
    };
    match update.await {
        Ok(()) => Ok(request.redirect(&room.path())),
        Err((error, problem)) => {
            let own = form.retention().ok().flatten().flatten();
            let RoomForm { title, topic, .. } = form;
            let retention = room_retention(state, own);
            let form = RejectedForm::Room { path: format!("/r/{room}/about"), title, topic, retention };
            Err(PageRejection::explaining(PageError::Room(error), problem).with_form(form))
        }
    }
}

/// `POST /r/{room}/leave`: removes the room from the user's list, then redirects to the lobby.
///
/// # Errors
/// [`PageRejection`] if the rate limit is exceeded, or if the store fails.
pub async fn leave_room(request: PageRequest, RoomPath(room): RoomPath) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    state.posts.check(identity.id).map_err(Problem::rate_limited)?;
    state.store.remove_read_marker(identity.id, room).await?;
    Ok(request.redirect(&RoomName::lobby().path()))
}

async fn render_directory(
    PageRequest { state, identity, context }: PageRequest,
    cursors: Cursors,
    input: NewRoom,
    rejected: Option<RoomFormError>,
    status: StatusCode,
) -> PageResult {
    let (handle, activity) = (state.clone(), context.activity.clone());
    let page = async move {
        let page = load_directory(&state, identity, context.lang, &cursors).await?;
        let page = RoomsPage { input, rejected, ..page };
        render(&state, context, View::Rooms(Box::new(page)), status).await
    };
    run_page(&handle, activity, page).await
}

async fn load_directory(
    state: &AppState,
    identity: Identity,
    lang: Lang,
    cursors: &Cursors,
) -> StoreResult<RoomsPage> {
    // One more than the page shows reveals a next page.
    let after = cursors.after.clone();
    let others = RoomQuery { after, ..RoomQuery::new(RoomOrder::Title, MAX_OTHER_ROOMS + 1) };
    // The first page always has the lobby.
    let also: &[RoomName] = if cursors.skipped == 0 { &[RoomName::lobby()] } else { &[] };
    let RoomList { mut rooms, next: older } =
        RoomList::load(state, identity, lang, cursors.skipped, also, others).await?;
    let joined_count = rooms.iter().filter(|room| room.is_joined).count();
    let has_more = rooms.len() > joined_count + MAX_OTHER_ROOMS;
    rooms.truncate(joined_count + MAX_OTHER_ROOMS);
    let next = rooms.last().filter(|_| has_more).map(|last| last.room.clone());
    let is_moderator = moderates(None, &state.standing(identity, None).await?);
    Ok(RoomsPage { lang, rooms, older, next, input: NewRoom::default(), rejected: None, is_moderator })
}

/// The error for the page, and the response's status and headers.
type RoomFormRejected = (RoomFormError, Problem);

impl RoomForm {
    fn parse(&self) -> Result<(RoomTitle, Topic), RoomFormRejected> {
        let invalid = |what: &str| Problem::bad_request(format!("The {what} is invalid."));
        let title = self.title.parse().map_err(|why| (RoomFormError::Title(why), invalid("title")))?;
        let topic = self.topic.parse().map_err(|why| (RoomFormError::Topic(why), invalid("topic")))?;
        Ok((title, topic))
    }

    /// Returns how long messages shall be kept, if the form says it: `Some(None)` as long as the server keeps them.
    fn retention(&self) -> Result<Option<Option<Retention>>, RoomFormRejected> {
        match self.keep.as_deref() {
            None => Ok(None),
            Some("") => Ok(Some(None)),
            Some(hours) => {
                let kept = hours.parse().ok().and_then(|hours: u32| hours.try_into().ok());
                let problem = || Problem::bad_request("The time for which messages are kept is invalid.");
                kept.map(|kept| Some(Some(kept)))
                    .ok_or_else(|| (RoomFormError::Command(ErrorCode::BadRequest), problem()))
            }
        }
    }
}

async fn insert_room(
    state: &AppState,
    identity: Identity,
    lang: Lang,
    form: &RoomForm,
) -> Result<RoomName, RoomFormRejected> {
    let (title, topic) = form.parse()?;
    authorize(state, identity)?;
    let (private, members_only) = (form.private.is_some(), form.members.is_some());
    let room = match (private, members_only) {
        (_, true) => random_name("m-", 32),
        (true, false) => unguessable_name(),
        (false, false) => slug_from_title(&title),
    };
    let private = private || members_only;
    let about =
        RoomInfo { title: Some(title), topic, owner: Some(identity.id), private, ..RoomInfo::default() };
    match state.store.create_room(room.clone(), about.clone()).await {
        Ok(()) => Ok(room),
        // Another title has led to the same name: this room gets a suffix.
        Err(StoreError::RoomExists) => {
            let room = with_random_suffix(&room);
            let created = state.store.create_room(room.clone(), about).await;
            match created {
                Ok(()) => Ok(room),
                Err(error) => Err(room_form_error(state, lang, error).await),
            }
        }
        Err(error) => Err(room_form_error(state, lang, error).await),
    }
}

/// Checks that the user may create or update a room now.
fn authorize(state: &AppState, identity: Identity) -> Result<(), RoomFormRejected> {
    if !identity.is_known {
        return Err((RoomFormError::CookiesDisabled, Problem::no_cookies()));
    }
    state.admit_write(identity, Use::Room).map_err(|wait| {
        let problem = Problem::rate_limited(wait);
        (RoomFormError::Command(error_code(&problem)), problem)
    })
}

async fn room_form_error(state: &AppState, lang: Lang, error: StoreError) -> RoomFormRejected {
    if let StoreError::TitleTaken(room) = &error {
        let title = state.store.room(room).await.map_or_else(|_| room.title(), |stored| stored.title());
        let title = lang.strings().title_of(room, title);
        return (RoomFormError::TitleTaken(title, room.path()), error.into());
    }
    let problem = Problem::from(error);
    (RoomFormError::Command(error_code(&problem)), problem)
}

/// Returns a room name made of the ASCII letters and digits of a title, without accents; a random name if it has none.
fn slug_from_title(title: &RoomTitle) -> RoomName {
    let plain: String = title.as_str().nfkd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(MAX_SLUG_CHARS);
    // A title must not make a public room private.
    let name = slug.trim_end_matches('-').parse().ok().filter(|name: &RoomName| !name.is_private());
    name.unwrap_or_else(|| random_name("room-", 8))
}

/// Returns the name of a private room: 122 random bits, too many to try.
fn unguessable_name() -> RoomName {
    random_name("p-", 32)
}

fn with_random_suffix(room: &RoomName) -> RoomName {
    random_name(&format!("{room}-"), 4)
}

fn random_name(prefix: &str, digits: usize) -> RoomName {
    let random = Uuid::new_v4().simple().to_string();
    format!("{prefix}{}", &random[..digits]).parse().unwrap_or_else(|_| RoomName::lobby())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(title: &str) -> String {
        slug_from_title(&title.parse().unwrap()).to_string()
    }

    #[test]
    fn the_slug_is_derived_from_the_title() {
        assert_eq!(name("Café  du Nord!"), "cafe-du-nord");
        assert_eq!(name("Ｆｕｌｌ width"), "full-width");
        assert_eq!(name(&"ab ".repeat(16)).len(), 40);
    }

    #[test]
    fn a_title_without_ascii_gets_a_random_name() {
        let (one, other) = (name("茶馆"), name("茶馆"));
        assert!(one.starts_with("room-") && one.len() == 13 && one != other);
    }

    #[test]
    fn a_slug_never_is_the_name_of_a_private_room() {
        let hex = "0123456789abcdef".repeat(2);
        assert!(name(&format!("P {hex}")).starts_with("room-"));
        assert_eq!(name(&format!("P {hex}0")), format!("p-{hex}0"));
    }

    #[test]
    fn names_of_private_rooms_are_random() {
        assert!(unguessable_name().is_private());
        assert_ne!(unguessable_name(), unguessable_name());
    }
}
