//! The messages that a search finds, and those that it does not find any more.

use super::{ANN, BOB, delete, edit, every_store, message, post, room_info};
use crate::support::room;
use app::wire::{
    DisplayName, Event, EventBody, Files, Mentions, Millis, Retention, RoomName, Seq, User, UserId,
};
use server::store::{
    ABANDONED_AFTER, Action, MAX_INDEXED_PER_STEP, Moderation, ParsedQuery, RoomImport, RoomInfo, SearchPage,
    SearchQuery, SearchScope, ServerRetention, Store, Sweep, Until,
};
use std::{cell::Cell, sync::Arc};
use uuid::Uuid;

every_store! {
    words_and_phrases_are_found_newest_first
    words_of_one_and_two_chinese_characters_are_found
    case_width_and_accents_make_no_difference
    scripts_of_all_kinds_are_found
    filters_hold_together
    days_are_bounds
    pages_follow_each_other_without_gaps
    what_is_changed_or_removed_is_not_found
    what_changes_before_it_is_indexed_is_indexed_as_it_is
    rooms_outside_the_scope_are_not_found
    blocked_users_are_left_out
    the_index_goes_on_where_it_ended
    messages_are_indexed_while_others_are_posted
    a_removed_room_leaves_the_index_and_later_messages_come_in
    names_and_titles_are_looked_up
    hostile_queries_find_nothing_else
    messages_with_files_are_found_by_that
    imported_messages_are_found_by_their_dates
    messages_of_several_imports_are_found_newest_first_and_once
    what_is_changed_or_removed_of_an_import_is_not_found
}

const CY: UserId = UserId(0xc);

/// Adds everything to the index.
async fn index(store: &dyn Store) {
    while store.index(&[]).await.unwrap().more {}
}

fn everywhere() -> SearchScope {
    SearchScope { is_public: true, ..SearchScope::default() }
}

/// Returns what a text asks for, in all public rooms.
fn query(text: &str) -> SearchQuery {
    let ParsedQuery { phrases, has, since, until, .. } = ParsedQuery::parse(text).unwrap();
    SearchQuery { phrases, has, since, until, scope: everywhere(), limit: 20, ..SearchQuery::default() }
}

fn places(page: &SearchPage) -> Vec<(String, Seq)> {
    page.hits.iter().map(|hit| (hit.room.to_string(), hit.seq)).collect()
}

/// Indexes everything, then returns the positions that a text finds in the room `tea`.
async fn find(store: &dyn Store, text: &str) -> Vec<Seq> {
    index(store).await;
    let scope = SearchScope { rooms: vec![room("tea")], ..SearchScope::default() };
    let page = store.search(SearchQuery { scope, ..query(text) }).await.unwrap();
    page.hits.iter().map(|hit| hit.seq).collect()
}

/// The first moment of 2023.
const YEAR_2023: Millis = 1_672_531_200_000;

/// Adds `count` messages to a room that does not exist yet. The first one is from `at`, the next ones from a minute later each.
async fn import(store: &dyn Store, name: &str, (at, count): (Millis, u64), text: &str) {
    let event = |n: u64| Event {
        seq: n + 1,
        at: at + n * 60_000,
        id: Uuid::now_v7(),
        author: User::new(ANN, DisplayName::generated(ANN)),
        body: EventBody::Message {
            text: text.into(),
            reply_to: None,
            mentions: Mentions::default(),
            files: Files::default(),
        },
    };
    let events = (0..count).map(event).collect();
    let import =
        RoomImport { room: room(name), info: RoomInfo::default(), members_only: false, owner: None, events };
    assert_eq!(u64::from(store.import_events(import).await.unwrap().unwrap()), count);
}

/// Returns the rooms, positions and times that a query finds, page by page.
async fn all_pages(store: &dyn Store, query: SearchQuery) -> Vec<(RoomName, Seq, Millis)> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store.search(SearchQuery { before, ..query.clone() }).await.unwrap();
        assert!(!page.is_partial);
        found.extend(page.hits.into_iter().map(|hit| (hit.room, hit.seq, hit.at)));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

async fn words_and_phrases_are_found_newest_first(store: Arc<dyn Store>) {
    for text in ["green tea", "Earl Grey, tea", "grey earl", "tea? Tea!", "steam"] {
        post(&*store, "tea", text).await;
    }
    post(&*store, "lobby", "more tea").await;
    assert_eq!(find(&*store, "tea").await, [4, 2, 1]);
    assert_eq!(find(&*store, "tea grey").await, [2]);
    assert_eq!(find(&*store, "\"earl grey\"").await, [2]);
    assert_eq!(find(&*store, "earl grey").await, [3, 2]);
    assert_eq!(find(&*store, "coffee").await, [0; 0]);
    let page = store.search(query("tea")).await.unwrap();
    let all = [("lobby", 1), ("tea", 4), ("tea", 2), ("tea", 1)].map(|(room, seq)| (room.to_owned(), seq));
    assert_eq!(places(&page), all);
    let hit = &page.hits[1];
    assert_eq!((hit.author.id, &*hit.text, page.next, page.is_partial), (ANN, "tea? Tea!", None, false));
}

async fn words_of_one_and_two_chinese_characters_are_found(store: Arc<dyn Store>) {
    for text in ["我爱北京", "北方的京城", "東京へ行く", "茶", "紅茶とtea"] {
        post(&*store, "tea", text).await;
    }
    for (text, found) in [
        ("北京", vec![1]),
        ("京", vec![3, 2, 1]),
        ("我爱北京", vec![1]),
        ("茶", vec![5, 4]),
        ("東京", vec![3]),
        ("行く", vec![3]),
        ("\"紅茶と tea\"", vec![5]),
        ("茶 tea", vec![5]),
        ("京北", vec![]),
    ] {
        assert_eq!(find(&*store, text).await, found, "{text}");
    }
}

async fn case_width_and_accents_make_no_difference(store: Arc<dyn Store>) {
    for text in ["Crème brûlée", "CREME", "ｃｒｅｍｅ", "STRASSE", "Straße", "cre\u{300}me"] {
        post(&*store, "tea", text).await;
    }
    assert_eq!(find(&*store, "crÈme").await, [6, 3, 2, 1]);
    assert_eq!(find(&*store, "CRE\u{300}ME").await, [6, 3, 2, 1]);
    assert_eq!(find(&*store, "strasse").await, [5, 4]);
    assert_eq!(find(&*store, "brulee").await, [1]);
}

async fn scripts_of_all_kinds_are_found(store: Arc<dyn Store>) {
    for text in [
        "한국어를 배워요",
        "ﾗｰﾒﾝを食べる🍜",
        "ラーメン",
        "السَّلَامُ عليكم",
        "שָׁלוֹם עולם",
        "tea🎉party",
        "नमस्ते",
        "ไทย",
    ] {
        post(&*store, "tea", text).await;
    }
    for (text, found) in [
        ("한국어", vec![1]),
        ("배", vec![1]),
        ("ラーメン", vec![3, 2]),
        ("食", vec![2]),
        ("べる", vec![2]),
        ("السلام", vec![4]),
        ("\u{202e}שלום עולם", vec![5]),
        ("party", vec![6]),
        ("\"tea party\"", vec![6]),
        ("नमस्ते", vec![7]),
        ("ไท", vec![8]),
    ] {
        assert_eq!(find(&*store, text).await, found, "{text}");
    }
}

async fn filters_hold_together(store: Arc<dyn Store>) {
    let posts = [
        (ANN, "see https://tea.example/list"),
        (BOB, "see https://tea.example/list"),
        (BOB, "`tea` is code, see there"),
        (BOB, "see nothing"),
    ];
    for (author, text) in posts {
        store.append(message("tea", author, text)).await.unwrap();
    }
    index(&*store).await;
    let find = async |text: &str, authors: Option<Vec<UserId>>| {
        let page = store.search(SearchQuery { authors, ..query(text) }).await.unwrap();
        page.hits.iter().map(|hit| hit.seq).collect::<Vec<_>>()
    };
    assert_eq!(find("has:link", None).await, [2, 1]);
    assert_eq!(find("see has:link", Some(vec![BOB])).await, [2]);
    assert_eq!(find("has:code", None).await, [3]);
    assert_eq!(find("has:code has:link", None).await, [0; 0]);
    assert_eq!(find("has:file", None).await, [0; 0]);
    assert_eq!(find("see", Some(vec![ANN, CY])).await, [1]);
    assert_eq!(find("see", Some(Vec::new())).await, [0; 0]);
}

async fn days_are_bounds(store: Arc<dyn Store>) {
    for n in 1..=4 {
        post(&*store, "tea", &format!("tea {n}")).await;
        super::advance_clock().await;
    }
    index(&*store).await;
    let at: Vec<Millis> =
        store.events_after(&room("tea"), 0, 10).await.unwrap().iter().map(|event| event.at).collect();
    let find = async |since, until| {
        let page = store.search(SearchQuery { since, until, ..query("tea") }).await.unwrap();
        page.hits.iter().map(|hit| hit.seq).collect::<Vec<_>>()
    };
    assert_eq!(find(Some(at[1]), Some(at[3])).await, [3, 2]);
    assert_eq!(find(Some(at[3]), None).await, [4]);
    assert_eq!(find(None, Some(at[0])).await, [0; 0]);
    assert_eq!(find(Some(at[3] + 1), None).await, [0; 0]);
    assert_eq!(find(None, Some(Millis::MAX)).await.len(), 4);
    assert_eq!(self::find(&*store, "tea before:2020").await, [0; 0]);
}

async fn pages_follow_each_other_without_gaps(store: Arc<dyn Store>) {
    let posts = (0..45).map(|n| {
        let name = if n % 2 == 0 { "tea" } else { "lobby" };
        store.append(message(name, ANN, &format!("tea {n}")))
    });
    futures_util::future::try_join_all(posts).await.unwrap();
    index(&*store).await;
    let (mut found, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.search(SearchQuery { before, ..query("tea") }).await.unwrap();
        found.extend(page.hits.iter().map(|hit| hit.text.to_string()));
        before = page.next;
        pages += 1;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((found.len(), pages), (45, 3));
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 45);
    let nowhere = Some((room("none"), 1));
    assert_eq!(
        store.search(SearchQuery { before: nowhere, ..query("tea") }).await.unwrap(),
        SearchPage::default()
    );
}

async fn what_is_changed_or_removed_is_not_found(store: Arc<dyn Store>) {
    for text in ["secret one", "secret two", "secret three"] {
        post(&*store, "tea", text).await;
    }
    assert_eq!(find(&*store, "secret").await, [3, 2, 1]);
    let now = async |text: &str| {
        let page = store.search(query(text)).await.unwrap();
        page.hits.iter().map(|hit| hit.seq).collect::<Vec<_>>()
    };
    store.append(edit(ANN, 1, "harmless one")).await.unwrap();
    assert_eq!(now("secret").await, [3, 2]);
    store.append(delete(ANN, 2)).await.unwrap();
    assert_eq!(now("secret").await, [3]);
    assert_eq!(now("two").await, [0; 0]);
    assert_eq!(find(&*store, "harmless").await, [1]);
    store.append(edit(ANN, 1, "harmless again")).await.unwrap();
    store.append(edit(ANN, 1, "quiet")).await.unwrap();
    assert_eq!(now("harmless").await, [0; 0]);
    assert_eq!(find(&*store, "quiet").await, [1]);
    let server = ServerRetention { default: Retention::try_from(1).unwrap(), is_limit: true };
    let later = store.clock().await.unwrap() + 2 * 3_600_000;
    assert!(store.expire(room("tea"), Sweep { now: later, server }).await.unwrap() > 0);
    assert_eq!(now("secret").await, [0; 0]);
    assert_eq!(find(&*store, "quiet").await, [0; 0]);
}

async fn what_changes_before_it_is_indexed_is_indexed_as_it_is(store: Arc<dyn Store>) {
    for text in ["secret one", "secret two", "kept three"] {
        post(&*store, "tea", text).await;
    }
    store.append(edit(ANN, 1, "harmless one")).await.unwrap();
    store.append(delete(ANN, 2)).await.unwrap();
    assert_eq!(find(&*store, "secret").await, [0; 0]);
    assert_eq!(find(&*store, "harmless").await, [1]);
    assert_eq!(find(&*store, "kept").await, [3]);
    store.append(edit(ANN, 1, "other")).await.unwrap();
    assert_eq!(find(&*store, "harmless").await, [0; 0]);
    assert_eq!(find(&*store, "other").await, [1]);
}

async fn rooms_outside_the_scope_are_not_found(store: Arc<dyn Store>) {
    let private = format!("p-{}", "0".repeat(32));
    store.create_room(room(&private), RoomInfo { private: true, ..room_info("Secret", ANN) }).await.unwrap();
    for name in ["tea", "lobby", &private] {
        post(&*store, name, "tea here").await;
    }
    index(&*store).await;
    let find = async |scope: SearchScope| {
        let page = store.search(SearchQuery { scope, ..query("tea") }).await.unwrap();
        page.hits.into_iter().map(|hit| hit.room.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(find(everywhere()).await, ["lobby", "tea"]);
    assert_eq!(
        find(SearchScope { rooms: vec![room(&private)], ..everywhere() }).await,
        [&private, "lobby", "tea"]
    );
    assert_eq!(find(SearchScope { excluded: vec![room("tea")], ..everywhere() }).await, ["lobby"]);
    assert_eq!(find(SearchScope { rooms: vec![room("tea")], ..SearchScope::default() }).await, ["tea"]);
    assert_eq!(find(SearchScope::default()).await, [""; 0]);
    let all: Vec<RoomName> = (0..200).map(|n| room(&format!("room-{n}"))).collect();
    assert_eq!(find(SearchScope { rooms: all, ..everywhere() }).await, ["lobby", "tea"]);
}

async fn blocked_users_are_left_out(store: Arc<dyn Store>) {
    for n in 0..60 {
        let author = if n % 30 == 0 { BOB } else { ANN };
        store.append(message("tea", author, "tea")).await.unwrap();
    }
    index(&*store).await;
    let page = store.search(SearchQuery { blocked: vec![ANN], ..query("tea") }).await.unwrap();
    assert_eq!(places(&page), [("tea".to_owned(), 31), ("tea".to_owned(), 1)]);
    assert_eq!(page.next, None);
}

async fn the_index_goes_on_where_it_ended(store: Arc<dyn Store>) {
    let count = MAX_INDEXED_PER_STEP + 20;
    let posts = (0..count).map(|n| store.append(message("tea", ANN, &format!("word{n}"))));
    futures_util::future::try_join_all(posts).await.unwrap();
    let mut events = 0;
    loop {
        let step = store.index(&[room("tea")]).await.unwrap();
        assert!(step.events <= MAX_INDEXED_PER_STEP, "{step:?}");
        events += step.events;
        if !step.more {
            break;
        }
    }
    assert_eq!(events, count);
    assert_eq!(store.index(&[room("tea")]).await.unwrap().events, 0, "nothing is indexed twice");
    assert_eq!(find(&*store, &format!("word{}", count - 1)).await, [u64::from(count)]);
    post(&*store, "tea", "later").await;
    assert_eq!(find(&*store, "later").await, [u64::from(count) + 1]);
}

async fn messages_are_indexed_while_others_are_posted(store: Arc<dyn Store>) {
    let is_posting = Cell::new(true);
    let posts = async {
        for n in 0..500 {
            store.append(message("tea", ANN, &format!("word{n}"))).await.unwrap();
        }
        is_posting.set(false);
    };
    let steps = async {
        while is_posting.get() {
            store.index(&[room("tea")]).await.unwrap();
        }
    };
    tokio::join!(posts, steps);
    assert_eq!(find(&*store, "word499").await, [500]);
}

async fn a_removed_room_leaves_the_index_and_later_messages_come_in(store: Arc<dyn Store>) {
    post(&*store, "tea", "secret tea").await;
    assert_eq!(find(&*store, "secret").await, [1]);
    let later = store.clock().await.unwrap() + 2 * ABANDONED_AFTER;
    while !store.remove_if_abandoned(room("tea"), later).await.unwrap() {}
    assert_eq!(store.search(query("secret")).await.unwrap(), SearchPage::default());
    post(&*store, "tea", "another tea").await;
    assert_eq!(find(&*store, "another").await, [1]);
    assert_eq!(find(&*store, "secret").await, [0; 0]);
}

async fn names_and_titles_are_looked_up(store: Arc<dyn Store>) {
    for (user, name) in [(ANN, "Ann Lee"), (BOB, "Bob"), (CY, "ann lee")] {
        store.set_display_name(user, name.parse().unwrap()).await.unwrap();
    }
    assert_eq!(store.authors_named("ANN LEE").await.unwrap(), [ANN, CY]);
    assert_eq!(store.authors_named("Ann Lee#2").await.unwrap(), [CY]);
    assert_eq!(store.authors_named("nobody").await.unwrap(), []);
    store.create_room(room("tea"), room_info("Tea House", ANN)).await.unwrap();
    assert_eq!(store.public_room_titled("tea house").await.unwrap(), Some(room("tea")));
    assert_eq!(store.public_room_titled("coffee").await.unwrap(), None);
    let action = Action::Remove { user: BOB, until: Until(None), network: None };
    let moderation = Moderation { actor: ANN, room: Some(room("tea")), action, reason: String::new() };
    store.moderate(moderation).await.unwrap();
    assert_eq!(store.removed_from(BOB, None).await.unwrap(), [room("tea")]);
    assert_eq!(store.removed_from(ANN, None).await.unwrap(), []);
}

async fn hostile_queries_find_nothing_else(store: Arc<dyn Store>) {
    post(&*store, "tea", "plain tea").await;
    index(&*store).await;
    for text in [
        "tea* OR plain",
        "NEAR(plain tea)",
        "words:tea",
        "\"plain OR nothing",
        "tea'; DROP TABLE event; --",
        "r:tea",
        "a:000000000000000a v:public",
        "te\u{0}b tea",
        "\\ '' : * ( ) tea -plain ^x",
    ] {
        let page = store.search(query(text)).await.unwrap();
        assert_eq!(page.hits.len(), 0, "{text}");
    }
    for text in [
        "-tea",
        "(plain)",
        "tea\"",
        "'plain' & tea",
        "plain\u{0} tea",
        "!tea | plain & ( <-> )",
        "'tea' <-> 'tea'",
    ] {
        assert_eq!(store.search(query(text)).await.unwrap().hits.len(), 1, "{text}");
    }
    let most = format!("{} tea", (0..31).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" "));
    assert_eq!(store.search(query(&most)).await.unwrap().hits.len(), 0);
}

async fn messages_with_files_are_found_by_that(store: Arc<dyn Store>) {
    for text in ["tea one", "tea two"] {
        post(&*store, "tea", text).await;
    }
    let id = super::files::upload(&*store, ANN, 1).await;
    let event = message("tea", ANN, "tea three");
    let files = store.claim_files(ANN, room("tea"), event.id, vec![id]).await.unwrap();
    store.append(server::store::NewEvent { files, ..event }).await.unwrap();
    assert_eq!(find(&*store, "has:file").await, [3]);
    assert_eq!(find(&*store, "tea has:file").await, [3]);
    store.append(edit(ANN, 3, "tea three, edited")).await.unwrap();
    assert_eq!(find(&*store, "edited has:file").await, [3]);
    store.append(delete(ANN, 3)).await.unwrap();
    assert_eq!(find(&*store, "has:file").await, [0; 0]);
}

async fn imported_messages_are_found_by_their_dates(store: Arc<dyn Store>) {
    for is_indexed in [false, true] {
        for n in 0..20 {
            post(&*store, "lobby", &format!("alpha {n}")).await;
        }
        if is_indexed {
            index(&*store).await;
        }
        let name = format!("import-{is_indexed}");
        import(&*store, &name, (YEAR_2023 + u64::from(is_indexed), 20), "alpha vintage").await;
    }
    post(&*store, "lobby", "alpha again").await;
    index(&*store).await;
    let count = async |text: &str| all_pages(&*store, query(text)).await.len();
    assert_eq!(count("alpha").await, 81);
    assert_eq!(count("alpha after:2025").await, 41);
    assert_eq!(count("alpha after:2024").await, 41);
    assert_eq!(count("alpha before:2024").await, 40);
    assert_eq!(count("vintage before:2024").await, 40);
    assert_eq!(count("vintage before:2023-01-02").await, 40);
    assert_eq!(count("vintage after:2024").await, 0);
    assert_eq!(count("alpha before:2023").await, 0);
    let exact =
        SearchQuery { since: Some(YEAR_2023 + 1), until: Some(YEAR_2023 + 5 * 60_000), ..query("vintage") };
    assert_eq!(all_pages(&*store, exact).await.len(), 4 + 5);
}

async fn messages_of_several_imports_are_found_newest_first_and_once(store: Arc<dyn Store>) {
    for n in 0..9 {
        post(&*store, "lobby", &format!("alpha {n}")).await;
    }
    index(&*store).await;
    let mut count = 9;
    for (n, (at, messages)) in
        [(0, 40), (30_000, 40), (0, 20), (700_000, 3), (86_400_000, 30), (9_000_000_000, 30)]
            .into_iter()
            .enumerate()
    {
        import(&*store, &format!("import-{n}"), (YEAR_2023 + at, messages), "alpha").await;
        post(&*store, "lobby", "alpha between").await;
        index(&*store).await;
        count += messages as usize + 1;
    }
    let mut pages = Vec::new();
    for limit in [1, 7, 20, 50] {
        let found = all_pages(&*store, SearchQuery { limit, ..query("alpha") }).await;
        assert!(found.is_sorted_by_key(|(_, _, at)| std::cmp::Reverse(*at)), "{limit}: {found:?}");
        let places: std::collections::BTreeSet<_> = found.iter().collect();
        assert_eq!((found.len(), places.len()), (count, count), "{limit}");
        pages.push(found);
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]));
    let blocked = SearchQuery { blocked: vec![ANN], ..query("alpha") };
    assert_eq!(all_pages(&*store, blocked).await, []);
}

async fn what_is_changed_or_removed_of_an_import_is_not_found(store: Arc<dyn Store>) {
    post(&*store, "lobby", "alpha").await;
    index(&*store).await;
    import(&*store, "tea", (YEAR_2023, 5), "alpha vintage").await;
    assert_eq!(find(&*store, "vintage").await, [5, 4, 3, 2, 1]);
    store.append(edit(ANN, 2, "alpha changed")).await.unwrap();
    store.append(delete(ANN, 4)).await.unwrap();
    assert_eq!(store.search(query("vintage")).await.unwrap().hits.len(), 3);
    assert_eq!(find(&*store, "vintage").await, [5, 3, 1]);
    assert_eq!(find(&*store, "changed before:2024").await, [2]);
    let page = store.search(SearchQuery { before: Some((room("tea"), 4)), ..query("alpha") }).await.unwrap();
    assert_eq!(places(&page), [3, 2, 1].map(|seq| ("tea".to_owned(), seq)));
    let server = ServerRetention { default: Retention::try_from(1).unwrap(), is_limit: true };
    let now = store.clock().await.unwrap();
    assert!(store.expire(room("tea"), Sweep { now, server }).await.unwrap() > 0);
    assert_eq!(find(&*store, "alpha").await, [0; 0]);
    let later = now + 2 * ABANDONED_AFTER;
    while !store.remove_if_abandoned(room("tea"), later).await.unwrap() {}
    post(&*store, "tea", "alpha once more").await;
    assert_eq!(find(&*store, "alpha").await, [1]);
    assert_eq!(store.search(query("alpha")).await.unwrap().hits.len(), 2);
}
