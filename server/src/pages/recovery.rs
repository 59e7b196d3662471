//! The recovery code of the user.

use super::{CheckedForm, PageRejection, PageRequest, PageResult, devices::sign_in, render::render};
use crate::{limits::network::Use, recovery_codes};
use app::{View, i18n::PageError};
use axum::{
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde::Deserialize;

/// The action on the recovery code: `create` or `revoke`.
#[derive(Deserialize)]
pub struct RecoveryCodeForm {
    action: String,
}

/// A recovery code as a person has typed it.
#[derive(Deserialize)]
pub struct RecoverForm {
    code: String,
}

/// `POST /devices/recovery-code`: creates a code, which replaces the one before, and shows it; or removes it. The page has no
/// address, so it cannot be opened again.
///
/// # Errors
/// [`PageRejection`] if the browser stores no cookies, if the form is invalid, if the user is a guest, if a limit is exceeded,
/// or if the store fails.
pub async fn change_recovery_code(
    request: PageRequest,
    CheckedForm(form): CheckedForm<RecoveryCodeForm>,
) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    let invalid = || PageRejection::new(PageError::InvalidForm, StatusCode::BAD_REQUEST);
    request.take(Use::DeviceLink)?;
    match &*form.action {
        "create" => {
            let code = recovery_codes::create(&*state.store, identity.id).await?.ok_or_else(invalid)?;
            render(state, request.context.clone(), View::NewRecoveryCode(code), StatusCode::OK).await
        }
        "revoke" => {
            state.store.revoke_recovery_code(identity.id).await?;
            Ok(request.redirect("/devices?done=code-revoked#recovery"))
        }
        _ => Err(invalid()),
    }
}

/// `GET /recover`: the form that takes a recovery code.
///
/// # Errors
/// [`PageRejection`] if the rendering fails.
pub async fn recover_form(request: PageRequest) -> PageResult {
    render(&request.state, request.context, View::Recover { is_wrong: false }, StatusCode::OK).await
}

/// `POST /recover`: uses a recovery code up; the browser becomes its user, on a new device.
///
/// # Errors
/// [`PageRejection`] if the browser stores no cookies, if a limit is exceeded, or if the store fails. A code that does not work
/// shows the form again.
pub async fn recover(
    request: PageRequest,
    headers: HeaderMap,
    CheckedForm(form): CheckedForm<RecoverForm>,
) -> PageResult {
    let state = &request.state;
    // A browser that would lose the identity at once does not use the code, and learns nothing about it.
    request.require_cookies()?;
    request.take(Use::Recovery)?;
    match recovery_codes::redeem(&*state.store, &form.code).await? {
        Some(user) => {
            let switch = sign_in(&request, user, &headers).await?;
            Ok((switch, request.redirect("/devices?done=recovered#recovery")).into_response())
        }
        None => {
            render(state, request.context.clone(), View::Recover { is_wrong: true }, StatusCode::BAD_REQUEST)
                .await
        }
    }
}
