//! The HTML document around a page: the head, the page, and the dialogs that only the server renders.

use crate::{
    app::App,
    base::link,
    brand::Brand,
    i18n::{Lang, PageError},
    page_context::{AssetUrls, PageContext},
    page_data::{PageKind, RoomPage},
    pages::{
        Access, AccessPage, DataPage, DeviceLink, DeviceLinkPage, Devices, DevicesPage, ErrorPage, Manage,
        ManagePage, ManageUser, NewRecoveryCode, Recover, RejectedForm, RoomDirectory, RoomsPage, SearchPage,
        SearchResults, ShareChoice, SharePage, UserData, UserPage,
    },
    raw_text::inline_script,
    theme::Theme,
    ui::{
        dialogs::{RoomDialog, SettingsDialog, ShortcutsDialog},
        file_tray::FileTray,
        message_bar::MessageActions,
        retention::RoomRetention,
        share::ShareLink,
        writing_aids::WritingAids,
    },
};
use leptos::{either::Either, html, nonce::use_nonce, prelude::*};

/// The content of a page.
#[derive(Debug, Clone)]
pub enum View {
    /// A room, its share link, and how long it keeps its messages.
    Room(Box<RoomPage>, ShareLink, RoomRetention),
    /// The list of rooms with a form that creates a room.
    Rooms(Box<RoomsPage>),
    /// A link to another device.
    DeviceLink(Box<DeviceLinkPage>),
    /// The way in: the closed server, an invitation, the admin link.
    Access(AccessPage),
    /// The page that manages a room, or the server.
    Manage(Box<ManagePage>),
    /// The page of a user.
    User(Box<UserPage>),
    /// The user's devices.
    Devices(Box<DevicesPage>),
    /// A new recovery code.
    NewRecoveryCode(String),
    /// The form that takes a recovery code.
    Recover {
        /// The last code did not work.
        is_wrong: bool,
    },
    /// Everything of the user: its export and its erasure.
    Data(DataPage),
    /// The results of a search.
    Search(Box<SearchResults>),
    /// The choice of a room for what the system shares.
    Share(SharePage),
    /// An error and the form that the server rejected.
    Error(PageError, Option<RejectedForm>),
}

/// Renders the HTML document of `view`.
pub fn shell(context: PageContext, view: View) -> impl IntoView {
    provide_context(context.base.clone());
    provide_context(context.brand.clone());
    let hue = context.brand.hue.map(|hue| Brand::closest(hue).to_string());
    let title = format!("{} · {}", title(&view, context.lang), context.brand.name);
    let base = Some(context.base.0.clone()).filter(|base| !base.is_empty());
    let strings = context.lang.strings();
    let script = matches!(view, View::Room(..)).then(|| script(&context.assets));
    // A list of which only a part has come would jump when the rest does.
    let whole_list = matches!(view, View::Room(..))
        .then(|| html::link().rel("expect").href("#text").attr("blocking", "render"));
    let (forget, refresh) = match &view {
        View::Data(DataPage::Erasing(_)) => (Some(forget_script(&context.base.0)), true),
        View::Data(DataPage::Erased(_)) => (Some(forget_script(&context.base.0)), false),
        _ => (None, false),
    };
    let refresh = refresh.then(|| html::meta().http_equiv("refresh").content("2"));
    let theme = (context.theme != Theme::System).then(|| context.theme.name());
    view! {
        <!DOCTYPE html>
        <html lang=strings.tag data-theme=theme data-base=base data-hue=hue>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content=strings.server.app_description />
                {theme_color(context.theme)}
                <title>{title}</title>
                <meta name="application-name" content=context.brand.name.clone() />
                <link rel="icon" href=link("/favicon.svg") type="image/svg+xml" />
                <link rel="apple-touch-icon" href=link("/icon-192.png") />
                <link rel="manifest" href=link(&format!("/hubbub.webmanifest?lang={}", strings.tag)) crossorigin="use-credentials" />
                <link rel="stylesheet" id="leptos" href=context.assets.style.clone() />
                {context.assets.reload.clone().map(|options| view! { <AutoReload options /> })}
                {whole_list}
                {script}
                {refresh}
                {forget}
            </head>
            <body>
                {body(&context, view)}
            </body>
        </html>
    }
}

/// Returns the elements that give the browser's own interface the color of the page.
fn theme_color(theme: Theme) -> impl IntoView {
    let of = |color: &'static str, media: Option<&'static str>| {
        html::meta().name("theme-color").content(color).attr("media", media)
    };
    let (light, dark) = ("#faf9f5", "#191715");
    match theme {
        Theme::System => Either::Left((
            of(light, Some("(prefers-color-scheme: light)")),
            of(dark, Some("(prefers-color-scheme: dark)")),
        )),
        Theme::Light => Either::Right(of(light, None)),
        Theme::Dark => Either::Right(of(dark, None)),
    }
}

/// Fetches the wasm, unless the browser cannot run the app.
const FETCH_SCRIPT: &str =
    "window.app = 'WebAssembly' in window && ('WebSocket' in window || 'EventSource' in window) && fetch({})";

/// Hydrates the page when the glue script and the wasm are loaded. If that fails, it shows a notice. The scripts that put
/// elements among those of the app are loaded after that, since hydration expects the elements of the server.
const HYDRATE_SCRIPT: &str = "(async () => { if (!window.app) throw 0; const app = await import({});\
    await app.default({ module_or_path: window.app }); app.hydrate(); performance.mark('hydrated');\
    for (const aid of [{}, {}, {}, {}, {}, {}]) import(aid).catch(console.error) })()\
    .catch(error => { if (error) console.error(error);\
    document.querySelector('.status')?.append(document.getElementById('no-app').content) })";

/// Returns the scripts that load the app. A browser that cannot run or load it keeps the plain page, whose forms work
/// without script, and shows that new messages need a reload. A browser without script does not fetch the app.
fn script(assets: &AssetUrls) -> impl IntoView + use<> {
    view! {
        // Inline, so that the fetch starts while the browser parses the page.
        <script nonce=use_nonce()>
            {inline_script(FETCH_SCRIPT, &[&assets.wasm])}
        </script>
        <link rel="modulepreload" href=assets.script.clone() nonce=use_nonce() />
        <script type="module" nonce=use_nonce()>
            {inline_script(
                HYDRATE_SCRIPT,
                &[&assets.script, &assets.actions, &assets.writing, &assets.days, &assets.sheets, &assets.files, &assets.light_box],
            )}
        </script>
    }
}

/// Removes what the browser stores of the user: drafts, messages that wait, choices, files that wait to be sent or shared, and
/// copies of pages. Its arguments are the names of the caches, and that of the database.
const FORGET_SCRIPT: &str = "for (const of of ['localStorage', 'sessionStorage']) try { const kept = window[of];\
    for (const key of Object.keys(kept)) if (key.startsWith('hubbub/')) kept.removeItem(key) } catch (error) { console.error(error) }\
    for (const name of [{}, {}, {}]) window.caches?.delete(name).catch(console.error);\
    window.indexedDB?.deleteDatabase({})";

fn forget_script(base: &str) -> impl IntoView + use<> {
    let [pages, owner, share, tray] =
        ["pages", "whose", "share", "tray"].map(|name| format!("hubbub-{name}{base}"));
    view! {
        <script nonce=use_nonce()>{inline_script(FORGET_SCRIPT, &[&pages, &owner, &share, &tray])}</script>
    }
}

/// Returns the elements of a page, without their type: all pages in one type would be long to compile, since the types of the
/// layers of a response contain it.
fn body(context: &PageContext, view: View) -> AnyView {
    let (lang, strings) = (context.lang, context.lang.strings());
    let settings =
        view! { <SettingsDialog context=context.clone() has_shortcuts=matches!(view, View::Room(..)) /> };
    match view {
        View::Room(page, shared, retention) => {
            // An empty room needs no read marker.
            let seen = (page.kind == PageKind::Latest && page.head > 0)
                .then(|| link(&format!("/r/{}/seen?seq={}", page.room, page.head)));
            let path = link(&context.path);
            let (room, about) =
                (page.room.clone(), view! { <RoomDialog page=page.clone() shared retention /> });
            provide_context(page);
            // The dialogs follow the app, since hydration starts at the first node of the body.
            view! {
                <App />
                <FileTray room=room.clone() max_bytes=context.max_file assets=context.assets.clone() lang />
                <MessageActions room assets=context.assets.clone() strings />
                <WritingAids emoji=context.assets.emoji.clone() strings />
                {about}
                {settings}
                <ShortcutsDialog strings />
                <template id="no-app"><p>{strings.server.app_unavailable}" "<a href=path>{strings.reload}</a></p></template>
                {seen.map(|seen| view! { <noscript><img class="visually-hidden" src=seen alt="" /></noscript> })}
            }
            .into_any()
        }
        View::Rooms(page) => view! { <RoomDirectory page=*page lang />{settings} }.into_any(),
        View::DeviceLink(page) => view! { <DeviceLink page=*page lang /> }.into_any(),
        View::Access(page) => view! { <Access page lang /> }.into_any(),
        View::Manage(page) => view! { <Manage page=*page lang /> }.into_any(),
        View::User(page) => view! { <ManageUser page=*page lang /> }.into_any(),
        View::Devices(page) => view! { <Devices page=*page lang /> }.into_any(),
        View::NewRecoveryCode(code) => view! { <NewRecoveryCode code lang /> }.into_any(),
        View::Recover { is_wrong } => view! { <Recover is_wrong lang /> }.into_any(),
        View::Error(error, rejected) => view! { <ErrorPage error rejected lang /> }.into_any(),
        View::Data(page) => view! { <UserData page lang /> }.into_any(),
        View::Search(results) => view! {
            <SearchPage results=*results lang />
            <script type="module" src=context.assets.search.clone() nonce=use_nonce()></script>
        }
        .into_any(),
        View::Share(page) => view! {
            <ShareChoice page assets=context.assets.clone() lang />
            <script type="module" src=context.assets.share.clone() nonce=use_nonce()></script>
        }
        .into_any(),
    }
}

/// Returns the title of a page, without the name of the server.
fn title(view: &View, lang: Lang) -> String {
    let (strings, moderation, devices) = (lang.strings(), lang.moderation(), lang.device_strings());
    let title = match view {
        View::Room(page, ..) => &*page.title,
        View::Rooms(_) => strings.rooms,
        View::Search(_) => lang.search().search,
        View::Share(_) => lang.share().title,
        View::Manage(page) => match &page.scope.room {
            Some((_, title)) => return format!("{} · {title}", moderation.people_and_moderation),
            None => moderation.administration,
        },
        View::User(page) => return page.user.disambiguated(),
        View::Access(page) => page.title(moderation),
        View::DeviceLink(_) => strings.server.other_device,
        View::Devices(_) => devices.title,
        View::NewRecoveryCode(_) => devices.your_code,
        View::Recover { .. } => devices.recover,
        View::Data(_) => lang.privacy().your_data,
        View::Error(error, _) => return (strings.server.page_error_title)(error),
    };
    title.to_owned()
}
