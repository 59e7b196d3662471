//! The operator's options about access at the start, and the link that makes a user the administrator.

use crate::{
    hexadecimal,
    net::ListenAddr,
    password, secret,
    state::AppState,
    store::{Role, Scope, ServerAccess, Setting, StoreResult},
};
use app::wire::UserId;
use std::{fs, sync::Arc};

/// Carries out the options about access, and creates the first admin link. Returns its secret, if the server has neither an
/// administrator nor a link yet.
///
/// # Errors
/// One line that says which option cannot be carried out, or that the store fails.
pub async fn prepare(state: &AppState) -> Result<Option<String>, String> {
    apply_password(state).await?;
    let prepared = async {
        apply_access(state).await?;
        first_link(state).await
    };
    prepared.await.map_err(|error| format!("cannot prepare the administration: {error}"))
}

/// Applies `--access` if its value is another one than at the last start. So neither an older option undoes what the
/// administrator has changed, nor the other way round.
async fn apply_access(state: &AppState) -> StoreResult<()> {
    let Some(access) = state.config.access else { return Ok(()) };
    if state.store.settings().await?.access_flag == Some(access) {
        return Ok(());
    }
    state.store.set(Setting::Access, Some(access.to_string().into())).await?;
    state.store.set(Setting::AccessFlag, Some(access.to_string().into())).await
}

/// Stores the hash of the password in the file of `--access-password-file`, if it is another one.
async fn apply_password(state: &AppState) -> Result<(), String> {
    let Some(file) = &state.config.access_password_file else { return Ok(()) };
    let cannot = |why: &dyn std::fmt::Display| format!("cannot use {}: {why}", file.display());
    let text = fs::read_to_string(file).map_err(|error| cannot(&error))?;
    let password = text.trim().to_owned();
    let stored = state.store.settings().await.map_err(|error| cannot(&error))?.password;
    if let Some(stored) = stored
        && password::verify(password.clone(), stored).await
    {
        return Ok(());
    }
    let hash = password::hash(password).await;
    let hash = hash.ok_or_else(|| cannot(&"a password has at least 8 characters"))?;
    state.store.set(Setting::Password, Some(hash)).await.map_err(|error| cannot(&error))
}

async fn first_link(state: &AppState) -> StoreResult<Option<String>> {
    let has_admin = !state.store.roles(&Scope::Server, Role::Admin, UserId(0)).await?.is_empty();
    if has_admin || state.store.settings().await?.admin_link.is_some() {
        return Ok(None);
    }
    let (token, hash) = secret::new_secret();
    let hash: Arc<str> = hexadecimal::encode(&hash).into();
    state.store.set(Setting::AdminLink, Some(hash.clone())).await?;
    // Another server that has started at the same time may have been the last one.
    let stored = state.store.settings().await?.admin_link;
    Ok((stored == Some(hash)).then_some(token))
}

/// Logs one warning if everyone who reaches the server may enter, and others than this machine reach it.
pub async fn warn_if_open(state: &AppState, address: &ListenAddr) {
    let is_public = match address {
        ListenAddr::Tcp(address) => !address.ip().is_loopback(),
        ListenAddr::EveryInterface(_) => true,
        ListenAddr::Unix(_) => false,
    };
    let is_open =
        is_public && state.store.settings().await.is_ok_and(|settings| settings.access == ServerAccess::Open);
    if is_open {
        tracing::warn!("everyone who reaches this server can read and write; --access invite closes it");
    }
}
