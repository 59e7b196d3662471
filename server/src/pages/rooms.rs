//! The page of the rooms; making one, and calling it something else.

use super::{
    code, in_turn,
    message_forms::{admit, ours},
    no_such_page, problem_page, render,
    room_view::OwnRooms,
    sorry, sorry_for,
};
use crate::{
    http::{
        form::{BadForm, Form},
        identity::Identity,
        preferences::Visitor,
        problem::Problem,
    },
    limits::network::Use,
    state::AppState,
    store::{About, StoreError, StoreResult},
};
use app::{
    View,
    i18n::{Lang, PageError, RoomFormError},
    pages::{NewRoom, RejectedForm, RoomsPage},
    wire::{RoomName, RoomTitle, Topic},
};
use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Rooms of others on one page; the next page has the next ones.
const OTHERS_MOST: usize = 200;

/// Characters of a title that become a room's name.
const NAME_FROM_TITLE: usize = 40;

/// A room that is to be made or called something else.
#[derive(Deserialize)]
pub struct Wished {
    title: String,
    #[serde(default)]
    topic: String,
    private: Option<String>,
}

/// Which page of the rooms: the first one, or a later one of each of the two lists.
#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
    yours: Option<u32>,
}

/// A page of each of the two lists.
#[derive(Debug, Default)]
struct Pages {
    /// The room of others after which the page begins.
    after: Option<RoomName>,
    /// How many rooms of the user stand before the page.
    yours: u32,
}

/// `GET /rooms`: every room that can be found, a page at a time, and a form for a new one.
pub async fn all_rooms(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let pages = asked.map(|Query(asked)| Pages {
        after: asked.after.and_then(|room| room.parse().ok()),
        yours: asked.yours.unwrap_or_default(),
    });
    list(&state, identity, visitor, pages.unwrap_or_default(), NewRoom::default(), None, StatusCode::OK).await
}

/// `POST /rooms`: makes a room, then goes there.
pub async fn make_room(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    form: Result<Form<Wished>, BadForm>,
) -> Response {
    let wished = match admit(&visitor, form) {
        Ok(wished) => wished,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    match make(&state, identity, visitor.lang, &wished).await {
        Ok(room) => visitor.redirect(&room.path()).into_response(),
        Err((trouble, problem)) => {
            let Wished { title, topic, private } = wished;
            let wanted = NewRoom { title, topic, private: private.is_some() };
            let page =
                list(&state, identity, visitor, Pages::default(), wanted, Some(trouble), problem.status())
                    .await;
            problem.add_headers(page)
        }
    }
}

/// `POST /r/{room}/about`: whoever made the room calls it something else.
pub async fn retitle(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(room): Path<String>,
    form: Result<Form<Wished>, BadForm>,
) -> Response {
    let Ok(room) = room.parse::<RoomName>() else { return no_such_page(&state, visitor).await };
    let wished = match admit(&visitor, form) {
        Ok(wished) => wished,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    let done = async {
        let (title, topic) = wished.parse()?;
        may(&state, identity)?;
        state
            .hub
            .update_room(&room, identity.id, title, topic)
            .await
            .map_err(|error| refused(&state, visitor.lang, error))
    };
    match done.await {
        Ok(()) => visitor.redirect(&room.path()).into_response(),
        Err((trouble, problem)) => {
            let Wished { title, topic, .. } = wished;
            let unsaved = RejectedForm::About { path: format!("/r/{room}/about"), title, topic };
            let page = sorry_for(&state, visitor, PageError::Room(trouble), unsaved, problem.status()).await;
            problem.add_headers(page)
        }
    }
}

/// `POST /r/{room}/leave`: takes the room from the user's list, then goes to the lobby.
pub async fn leave(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    Path(room): Path<String>,
) -> Response {
    let Ok(room) = room.parse::<RoomName>() else { return no_such_page(&state, visitor).await };
    if let Err((trouble, status)) = ours(&visitor) {
        return sorry(&state, visitor, trouble, status).await;
    }
    if let Err(wait) = state.posts.check(identity.id) {
        return problem_page(&state, visitor, Problem::too_fast(wait)).await;
    }
    match state.store.leave(identity.id, room).await {
        Ok(()) => visitor.redirect(&RoomName::lobby().path()).into_response(),
        Err(error) => problem_page(&state, visitor, error.into()).await,
    }
}

async fn list(
    state: &AppState,
    identity: Identity,
    visitor: Visitor,
    pages: Pages,
    wanted: NewRoom,
    refused: Option<RoomFormError>,
    status: StatusCode,
) -> Response {
    let activity = visitor.activity.clone();
    let page = |state: AppState| async move {
        match rooms_page(&state, identity, visitor.lang, &pages).await {
            Ok(page) => {
                let page = RoomsPage { input: wanted, rejected: refused, ..page };
                render(&state, visitor, View::Rooms(Box::new(page)), status).await
            }
            Err(error) => problem_page(&state, visitor, error.into()).await,
        }
    };
    in_turn(state, activity, page).await
}

async fn rooms_page(
    state: &AppState,
    identity: Identity,
    lang: Lang,
    pages: &Pages,
) -> StoreResult<RoomsPage> {
    let own = OwnRooms::read(state, identity, pages.yours).await?;
    let older = own.next;
    // One more says whether there are more.
    let others = |own: &HashSet<RoomName>| state.store.by_title(pages.after.as_ref(), own, OTHERS_MOST + 1);
    let mut rooms = own.list(state, identity, lang, others).await?;
    let yours = rooms.iter().filter(|room| room.is_joined).count();
    let is_more = rooms.len() > yours + OTHERS_MOST;
    rooms.truncate(yours + OTHERS_MOST);
    let next = rooms.last().filter(|_| is_more).map(|last| last.room.clone());
    Ok(RoomsPage { lang, rooms, older, next, input: NewRoom::default(), rejected: None })
}

/// What is wrong, for the page, and how it is answered.
type Refused = (RoomFormError, Problem);

impl Wished {
    fn parse(&self) -> Result<(RoomTitle, Topic), Refused> {
        let bad = |what: &str| Problem::bad_request(format!("This cannot be a {what}."));
        let title = self.title.parse().map_err(|why| (RoomFormError::Title(why), bad("title")))?;
        let topic = self.topic.parse().map_err(|why| (RoomFormError::Topic(why), bad("topic")))?;
        Ok((title, topic))
    }
}

async fn make(
    state: &AppState,
    identity: Identity,
    lang: Lang,
    wished: &Wished,
) -> Result<RoomName, Refused> {
    let (title, topic) = wished.parse()?;
    may(state, identity)?;
    let private = wished.private.is_some();
    let about =
        About { title: Some(title.clone()), topic, owner: Some(identity.id), private, contested: false };
    let room = if private { nobody_guesses() } else { named_after(&title) };
    match state.store.create_room(room.clone(), about.clone()).await {
        Ok(()) => Ok(room),
        // Another title has led to the same name: this one gets something of its own.
        Err(StoreError::RoomExists) => {
            let room = with_a_tail(&room);
            let made = state.store.create_room(room.clone(), about).await;
            made.map(|()| room).map_err(|error| refused(state, lang, error))
        }
        Err(error) => Err(refused(state, lang, error)),
    }
}

/// Whether somebody may make or change a room now.
fn may(state: &AppState, identity: Identity) -> Result<(), Refused> {
    if !identity.known {
        return Err((RoomFormError::CookiesDisabled, Problem::no_cookies()));
    }
    state.admit_write(identity, Use::Room).map_err(|wait| {
        let problem = Problem::too_fast(wait);
        (RoomFormError::Command(code(&problem)), problem)
    })
}

fn refused(state: &AppState, lang: Lang, error: StoreError) -> Refused {
    if let StoreError::TitleTaken(room) = &error {
        let title = lang.strings().title_of(room, state.store.about(room).title(room));
        return (RoomFormError::TitleTaken(title, room.path()), error.into());
    }
    let problem = Problem::from(error);
    (RoomFormError::Command(code(&problem)), problem)
}

/// A title as a name: its letters and digits of ASCII, without accents; where none are left, a random one.
fn named_after(title: &RoomTitle) -> RoomName {
    let plain: String = title.as_str().nfkd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("-");
    name.truncate(NAME_FROM_TITLE);
    // A title must not make a public room private.
    let name = name.trim_end_matches('-').parse().ok().filter(|name: &RoomName| !name.is_private());
    name.unwrap_or_else(|| random("room-", 8))
}

/// 122 random bits: no address that anybody finds by trying.
fn nobody_guesses() -> RoomName {
    random("p-", 32)
}

fn with_a_tail(room: &RoomName) -> RoomName {
    random(&format!("{room}-"), 4)
}

fn random(prefix: &str, digits: usize) -> RoomName {
    let random = Uuid::new_v4().simple().to_string();
    format!("{prefix}{}", &random[..digits]).parse().unwrap_or_else(|_| RoomName::lobby())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(title: &str) -> String {
        named_after(&title.parse().unwrap()).to_string()
    }

    #[test]
    fn a_room_is_named_after_its_title() {
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
    fn a_title_never_makes_the_name_of_a_private_room() {
        let hex = "0123456789abcdef".repeat(2);
        assert!(name(&format!("P {hex}")).starts_with("room-"));
        assert_eq!(name(&format!("P {hex}0")), format!("p-{hex}0"));
    }

    #[test]
    fn nobody_guesses_a_private_room() {
        assert!(nobody_guesses().is_private());
        assert_ne!(nobody_guesses(), nobody_guesses());
    }
}
