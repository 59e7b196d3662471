//! The user's devices: the list, and signing devices out.

use super::{CheckedForm, PageRejection, PageRequest, PageResult, render::render};
use crate::{
    http::{
        identity::{ForgetIdentity, SwitchIdentity},
        problem::Problem,
        user_agent::device_label,
    },
    store::{Device, DeviceId, DeviceLabel, SignIn, SignIns, SignOut, StoreResult, now},
};
use app::{
    View,
    i18n::PageError,
    pages::{DeviceSummary, DevicesNotice, DevicesPage, StoredDevices},
    wire::{ErrorCode, Millis, UserId},
};
use axum::{
    Extension,
    extract::{Query, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde::Deserialize;

/// The milliseconds of an hour.
const HOUR_MS: Millis = 60 * 60 * 1_000;

/// The action that the user has just completed, for a sentence on the page.
#[derive(Deserialize, Default)]
pub struct DevicesQuery {
    #[serde(default)]
    done: String,
}

/// The devices to sign out: one of them, or `others`, or `everywhere`.
#[derive(Deserialize)]
pub struct SignOutForm {
    device: Option<String>,
    all: Option<String>,
}

/// `GET /devices`: the list of the user's devices. It records this one, unless the user is a guest.
///
/// # Errors
/// [`PageRejection`] if the store or the rendering fails.
pub async fn devices(
    request: PageRequest,
    query: Result<Query<DevicesQuery>, QueryRejection>,
    headers: HeaderMap,
) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    let notice = match query.ok().map(|Query(query)| query.done).as_deref() {
        Some("signed-out") => Some(DevicesNotice::SignedOut),
        Some("recovered") => Some(DevicesNotice::Recovered),
        Some("code-revoked") => Some(DevicesNotice::CodeRevoked),
        _ => None,
    };
    let label = device_label(&headers);
    let stored = if identity.is_known { stored_devices(&request, label).await? } else { None };
    let you = state.author_of(identity.id).await;
    let page = DevicesPage { you, stored, notice };
    render(state, request.context.clone(), View::Devices(Box::new(page)), StatusCode::OK).await
}

/// Returns what is stored about the user's devices; `None` for a guest.
async fn stored_devices(request: &PageRequest, label: DeviceLabel) -> StoreResult<Option<StoredDevices>> {
    let PageRequest { state, identity, .. } = request;
    let (user, own) = (identity.id, identity.sign_in.device);
    let mut sign_ins = state.store.sign_ins(user).await?;
    if !sign_ins.is_user {
        return Ok(None);
    }
    if !sign_ins.devices.iter().any(|device| device.id == own) {
        state.store.record_device(user, identity.sign_in, Some(label.clone())).await?;
        sign_ins = state.store.sign_ins(user).await?;
    }
    let code_created_at = state.store.recovery_code(user).await?;
    Ok(Some(summary(sign_ins, own, label, code_created_at)))
}

fn summary(
    sign_ins: SignIns,
    own: DeviceId,
    label: DeviceLabel,
    code_created_at: Option<Millis>,
) -> StoredDevices {
    let now = now();
    let summarize = |Device { id, label, seen_at, .. }: Device| DeviceSummary {
        id: id.to_string(),
        browser: label.browser,
        system: label.system,
        hours_ago: now.saturating_sub(seen_at) / HOUR_MS,
    };
    let others = sign_ins.devices.into_iter().filter(|device| device.id != own);
    // The user is looking at the page. Past the quota, this device is not stored.
    let current = summarize(Device { id: own, label, added_at: now, seen_at: now });
    StoredDevices { current, others: others.map(summarize).collect(), code_created_at }
}

/// `POST /devices/sign-out`: signs devices of the user out. A device of another user stays as it is, without a word.
///
/// # Errors
/// [`PageRejection`] if the browser stores no cookies, if the form is invalid, or if the store fails.
pub async fn sign_out(request: PageRequest, CheckedForm(form): CheckedForm<SignOutForm>) -> PageResult {
    let PageRequest { state, identity, .. } = &request;
    request.require_cookies()?;
    let own = identity.sign_in.device;
    let device = form.device.as_deref().map(str::parse::<DeviceId>);
    let what = match (device, form.all.as_deref()) {
        (Some(Ok(device)), None) => SignOut::Device(device),
        (None, Some("others")) => SignOut::Others(own),
        (None, Some("everywhere")) => SignOut::Everywhere,
        _ => return Err(PageRejection::new(PageError::InvalidForm, StatusCode::BAD_REQUEST)),
    };
    let generation = state.store.sign_out(identity.id, what).await?;
    // The notification does the same, a moment later, also if the store cannot be read now.
    let _ = state.sign_ins.enforce(identity.id).await;
    if matches!(what, SignOut::Everywhere) || what == SignOut::Device(own) {
        let said = Problem::new(StatusCode::OK, "");
        let page = PageRejection::explaining(PageError::Command(ErrorCode::SignedOut), said);
        return Ok((Extension(ForgetIdentity), page).into_response());
    }
    let renewed = SwitchIdentity(identity.id, SignIn { device: own, generation });
    Ok((Extension(renewed), request.redirect("/devices?done=signed-out")).into_response())
}

/// Returns what signs a browser in as `user` on a new device, which it records. A browser of this user stays what it is.
///
/// # Errors
/// [`StoreError`](crate::store::StoreError) if the store cannot be read.
pub(super) async fn sign_in(
    request: &PageRequest,
    user: UserId,
    headers: &HeaderMap,
) -> StoreResult<Extension<SwitchIdentity>> {
    let generation = request.state.store.sign_ins(user).await?.generation;
    let own = request.identity;
    let switch = match own.is_known && own.id == user {
        true => SwitchIdentity(user, SignIn { device: own.sign_in.device, generation }),
        false => SwitchIdentity::on_new_device(user, generation),
    };
    request.state.sign_ins.record(user, switch.1, Some(device_label(headers)));
    Ok(Extension(switch))
}
