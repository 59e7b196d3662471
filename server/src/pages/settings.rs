//! Language and theme, chosen by a plain form.

use super::{
    message_forms::{admit, ours},
    sorry,
};
use crate::{
    http::{
        form::{BadForm, Form},
        identity::Identity,
        preferences::{Visitor, choice},
    },
    state::AppState,
};
use app::{
    Theme,
    i18n::{Lang, PageError},
};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// One of the buttons, and where it was pressed.
#[derive(Deserialize)]
pub struct Chosen {
    theme: Option<String>,
    lang: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /settings`: keeps what was chosen, then goes back to the page.
pub async fn settings(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    visitor: Visitor,
    form: Result<Form<Chosen>, BadForm>,
) -> Response {
    if let Err((trouble, status)) = ours(&visitor) {
        return sorry(&state, visitor, trouble, status).await;
    }
    if !identity.known {
        return sorry(&state, visitor, PageError::CookiesDisabled, StatusCode::BAD_REQUEST).await;
    }
    let chosen = match admit(&visitor, form) {
        Ok(chosen) => chosen,
        Err((trouble, status)) => return sorry(&state, visitor, trouble, status).await,
    };
    let lang = chosen.lang.as_deref().and_then(Lang::from_tag);
    let theme = chosen.theme.as_deref().and_then(Theme::from_name);
    (choice(lang, theme, &visitor.address), visitor.redirect(own_path(&chosen.back))).into_response()
}

/// A path of ours, whatever the form says.
fn own_path(back: &str) -> &str {
    let is_ours = back.starts_with('/') && !back.starts_with("//") && !back.starts_with("/\\");
    if is_ours && back.bytes().all(|b| b.is_ascii_graphic()) { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(own_path("/r/tea?around=3"), "/r/tea?around=3");
        for bad in ["https://example.org", "//example.org", "/\\example.org", "", "/a\nb"] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
