//! Language and theme, as a plain form.

use super::{CheckedForm, PageRequest, PageResult};
use crate::http::preferences::preference_cookies;
use app::{Theme, i18n::Lang};
use axum::response::IntoResponse;
use serde::Deserialize;

/// The chosen language or theme, and the path to return to.
#[derive(Deserialize)]
pub struct SettingsForm {
    theme: Option<String>,
    lang: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /settings`: stores the choice in a cookie, then redirects to the page.
///
/// # Errors
/// [`PageRejection`](super::PageRejection) if the browser stores no cookies.
pub async fn save_settings(request: PageRequest, CheckedForm(form): CheckedForm<SettingsForm>) -> PageResult {
    request.require_cookies()?;
    let lang = form.lang.as_deref().and_then(Lang::from_tag);
    let theme = form.theme.as_deref().and_then(Theme::from_name);
    let cookies = preference_cookies(lang, theme, &request.context.address);
    Ok((cookies, request.redirect(local_redirect_target(&form.back))).into_response())
}

/// Returns `back` if it is a path of this server, otherwise `/`: the form must not redirect to another site.
fn local_redirect_target(back: &str) -> &str {
    let is_local = back.starts_with('/') && !back.starts_with("//") && !back.starts_with("/\\");
    if is_local && back.bytes().all(|byte| byte.is_ascii_graphic()) { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_never_leads_to_another_site() {
        assert_eq!(local_redirect_target("/r/tea?around=3"), "/r/tea?around=3");
        for bad in ["https://example.org", "//example.org", "/\\example.org", "", "/a\nb"] {
            assert_eq!(local_redirect_target(bad), "/", "{bad}");
        }
    }
}
