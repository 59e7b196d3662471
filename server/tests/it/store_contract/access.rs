//! Rights of users, and what moderators do.

use super::{ANN, BOB, every_store, message, room_info};
use crate::support::room;
use app::wire::{RoomName, UserId};
use server::store::{
    AccessChange, Action, EntryRequest, Invitation, LinkError, MAX_INVITATIONS, Moderation, NewEvent,
    RestrictionKind, Role, RoomMode, Scope, ServerAccess, Setting, Standing, Store, StoreError, Subject,
    Until, may_enter_room, may_enter_server,
};
use std::{sync::Arc, time::Duration};

const CAT: UserId = UserId(0xc);
const DAN: UserId = UserId(0xffff_ffff_ffff_fffd);

every_store! {
    a_redeemed_admin_link_makes_its_user_the_only_administrator
    settings_are_stored_and_only_the_administrator_changes_them
    a_muted_user_cannot_post_until_the_mute_ends
    removed_user_leaves_room_and_list_and_can_be_let_in_again
    a_banned_network_keeps_everyone_on_it_out_but_moderators
    invitation_works_as_often_as_it_says_not_counting_members
    a_new_link_closes_the_room_for_all_who_have_not_been_there
    a_room_for_members_only_is_not_created_by_a_message
    slow_mode_counts_posts_of_users_and_none_of_repeats
    moderators_delete_messages_of_lower_ranks_only
    the_log_lists_what_was_done_and_the_newest_first
    a_report_is_stored_once_and_closed_by_a_moderator
    a_user_blocks_others_for_themselves
    messages_of_blocked_users_are_not_unread
    each_change_of_access_has_a_generation
    what_was_posted_before_a_mute_is_still_acknowledged
}

async fn act(
    store: &dyn Store,
    actor: UserId,
    place: Option<&RoomName>,
    action: Action,
) -> Result<(), StoreError> {
    store.moderate(Moderation { actor, room: place.cloned(), action, reason: "spam".into() }).await
}

/// Creates a room of a user.
async fn create(store: &dyn Store, name: &str, owner: UserId) {
    let info = room_info(&format!("Room {name}"), owner);
    store.create_room(room(name), info).await.unwrap();
}

async fn make_admin(store: &dyn Store, user: UserId) {
    let digits = "07".repeat(32);
    store.set(Setting::AdminLink, Some(digits.into())).await.unwrap();
    assert!(store.redeem_admin_link([7; 32], user).await.unwrap());
}

async fn standing(store: &dyn Store, user: UserId, place: Option<&RoomName>) -> Standing {
    store.standing(EntryRequest { user, network: None, room: place.cloned() }).await.unwrap()
}

async fn enters(store: &dyn Store, user: UserId, place: &RoomName) -> Result<(), StoreError> {
    may_enter_room(place, &standing(store, user, Some(place)).await)
}

async fn post(store: &dyn Store, user: UserId, place: &RoomName) -> Result<u64, StoreError> {
    store.append(message(place.as_str(), user, "hello")).await.map(|appended| appended.seq)
}

fn invitation(n: u8, most_uses: Option<u32>) -> Invitation {
    Invitation { hash: [n; 32], expires_at: u64::MAX >> 2, most_uses }
}

fn mute(user: UserId, until: Until) -> Action {
    Action::Mute { user, until }
}

fn remove(user: UserId) -> Action {
    Action::Remove { user, until: Until(None), network: None }
}

async fn a_redeemed_admin_link_makes_its_user_the_only_administrator(store: Arc<dyn Store>) {
    assert!(!store.redeem_admin_link([7; 32], BOB).await.unwrap(), "there is no link");
    make_admin(&*store, ANN).await;
    assert_eq!(standing(&*store, ANN, None).await.role, Some(Role::Admin));
    assert!(!store.redeem_admin_link([7; 32], BOB).await.unwrap(), "it is used up");
    make_admin(&*store, BOB).await;
    assert_eq!(standing(&*store, BOB, None).await.role, Some(Role::Admin));
    assert_eq!(standing(&*store, ANN, None).await.role, None);
    let admins = store.roles(&Scope::Server, Role::Admin, UserId(0)).await.unwrap();
    assert_eq!(admins, [(BOB, Role::Admin)]);
}

async fn settings_are_stored_and_only_the_administrator_changes_them(store: Arc<dyn Store>) {
    make_admin(&*store, ANN).await;
    let close = || Action::Change(Setting::Access, Some("invite".into()));
    assert!(matches!(act(&*store, BOB, None, close()).await, Err(StoreError::Forbidden)));
    assert!(may_enter_server(&standing(&*store, CAT, None).await).is_ok());
    post(&*store, BOB, &room("tea")).await.unwrap();
    act(&*store, ANN, None, close()).await.unwrap();
    assert_eq!(store.settings().await.unwrap().access, ServerAccess::Invite);
    assert!(matches!(may_enter_server(&standing(&*store, CAT, None).await), Err(StoreError::NotAdmitted)));
    assert!(may_enter_server(&standing(&*store, BOB, None).await).is_ok(), "who is in stays in");
    assert!(matches!(post(&*store, CAT, &room("tea")).await, Err(StoreError::NotAdmitted)));
    store.admit(CAT).await.unwrap();
    post(&*store, CAT, &room("tea")).await.unwrap();
    store.set(Setting::Access, None).await.unwrap();
    assert!(may_enter_server(&standing(&*store, DAN, None).await).is_ok());
}

async fn a_muted_user_cannot_post_until_the_mute_ends(store: Arc<dyn Store>) {
    let tea = room("tea");
    create(&*store, "tea", ANN).await;
    post(&*store, BOB, &tea).await.unwrap();
    assert!(matches!(
        act(&*store, BOB, Some(&tea), mute(ANN, Until(None))).await,
        Err(StoreError::Forbidden)
    ));
    act(&*store, ANN, Some(&tea), mute(BOB, Until(Some(u64::MAX >> 2)))).await.unwrap();
    assert!(matches!(post(&*store, BOB, &tea).await, Err(StoreError::Muted(Until(Some(_))))));
    post(&*store, BOB, &room("jam")).await.expect("it is about one room");
    // A mute that has ended by now.
    act(&*store, ANN, Some(&tea), mute(BOB, Until(Some(1)))).await.unwrap();
    post(&*store, BOB, &tea).await.unwrap();
    act(&*store, ANN, Some(&tea), mute(BOB, Until(None))).await.unwrap();
    assert!(matches!(post(&*store, BOB, &tea).await, Err(StoreError::Muted(Until(None)))));
    let lift = Action::Lift { subject: Subject::User(BOB), kind: RestrictionKind::Mute };
    act(&*store, ANN, Some(&tea), lift).await.unwrap();
    post(&*store, BOB, &tea).await.unwrap();
    let restrictions = store.restrictions(&Scope::Room(tea)).await.unwrap();
    assert_eq!(restrictions, [], "none is left");
}

async fn removed_user_leaves_room_and_list_and_can_be_let_in_again(store: Arc<dyn Store>) {
    let tea = room("tea");
    create(&*store, "tea", ANN).await;
    post(&*store, BOB, &tea).await.unwrap();
    assert_eq!(store.read_markers(BOB, 0, 9).await.unwrap().len(), 1);
    act(&*store, ANN, Some(&tea), remove(BOB)).await.unwrap();
    assert!(matches!(enters(&*store, BOB, &tea).await, Err(StoreError::Removed(_))));
    assert!(matches!(post(&*store, BOB, &tea).await, Err(StoreError::Removed(_))));
    assert_eq!(store.read_markers(BOB, 0, 9).await.unwrap(), []);
    let listed = store.restrictions(&Scope::of(Some(&tea))).await.unwrap();
    let [only] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((only.subject, only.kind, only.by), (Subject::User(BOB), RestrictionKind::Ban, ANN));
    assert_eq!(only.reason, "spam");
    let member = Action::Appoint { user: BOB, role: Some(Role::Member) };
    act(&*store, ANN, Some(&tea), member).await.unwrap();
    assert!(enters(&*store, BOB, &tea).await.is_ok(), "to let a user in ends their removal");
    post(&*store, BOB, &tea).await.unwrap();
    assert!(enters(&*store, BOB, &room("jam")).await.is_ok());
}

async fn a_banned_network_keeps_everyone_on_it_out_but_moderators(store: Arc<dyn Store>) {
    make_admin(&*store, ANN).await;
    let network = "192.0.2.1/32".parse().ok();
    act(&*store, ANN, None, Action::Remove { user: BOB, until: Until(None), network }).await.unwrap();
    let from = async |user, network: &str| {
        let network = Some(network.parse().unwrap());
        let standing = store.standing(EntryRequest { user, network, room: None }).await.unwrap();
        may_enter_server(&standing).is_ok()
    };
    assert!(!from(BOB, "192.0.2.1/32").await && !from(BOB, "192.0.2.2/32").await);
    assert!(!from(CAT, "192.0.2.1/32").await && from(CAT, "192.0.2.2/32").await);
    assert!(from(ANN, "192.0.2.1/32").await, "a ban by accident locks no moderator out");
    let subject = Subject::Network("192.0.2.1/32".parse().unwrap());
    let lift = Action::Lift { subject, kind: RestrictionKind::Ban };
    act(&*store, ANN, None, lift).await.unwrap();
    assert!(from(CAT, "192.0.2.1/32").await && !from(BOB, "192.0.2.1/32").await);
}

async fn invitation_works_as_often_as_it_says_not_counting_members(store: Arc<dyn Store>) {
    let club = room(&format!("m-{}", "0".repeat(32)));
    create(&*store, club.as_str(), ANN).await;
    assert!(matches!(enters(&*store, BOB, &club).await, Err(StoreError::RoomNotFound)));
    let invite = |n, most| Action::Invite(invitation(n, most));
    act(&*store, ANN, Some(&club), invite(1, Some(1))).await.unwrap();
    let found = store.invitation([1; 32]).await.unwrap().unwrap();
    assert_eq!((found.room.as_ref(), found.by, found.uses), (Some(&club), ANN, 0));
    assert_eq!(store.redeem_invitation([1; 32], ANN).await.unwrap(), Ok(Some(club.clone())));
    assert_eq!(store.redeem_invitation([1; 32], BOB).await.unwrap(), Ok(Some(club.clone())));
    assert!(enters(&*store, BOB, &club).await.is_ok());
    assert_eq!(store.redeem_invitation([1; 32], CAT).await.unwrap(), Err(LinkError::Used));
    assert_eq!(store.redeem_invitation([9; 32], CAT).await.unwrap(), Err(LinkError::Expired));
    let expired = Action::Invite(Invitation { expires_at: 1, ..invitation(2, None) });
    act(&*store, ANN, Some(&club), expired).await.unwrap();
    assert_eq!(store.redeem_invitation([2; 32], CAT).await.unwrap(), Err(LinkError::Expired));
    act(&*store, ANN, Some(&club), invite(3, None)).await.unwrap();
    act(&*store, ANN, Some(&club), remove(BOB)).await.unwrap();
    assert!(matches!(store.redeem_invitation([3; 32], BOB).await, Err(StoreError::Removed(_))));
    act(&*store, ANN, Some(&club), Action::Revoke { hash: [3; 32] }).await.unwrap();
    assert_eq!(store.redeem_invitation([3; 32], CAT).await.unwrap(), Err(LinkError::Expired));
    for n in 0..MAX_INVITATIONS {
        act(&*store, ANN, Some(&club), invite(100 + n as u8, None)).await.unwrap();
    }
    assert!(matches!(act(&*store, ANN, Some(&club), invite(4, None)).await, Err(StoreError::TooMany)));
    assert_eq!(store.invitations(&Scope::Room(club)).await.unwrap().len(), MAX_INVITATIONS as usize);
}

async fn a_new_link_closes_the_room_for_all_who_have_not_been_there(store: Arc<dyn Store>) {
    let den = room(&format!("p-{}", "1".repeat(32)));
    create(&*store, den.as_str(), ANN).await;
    post(&*store, BOB, &den).await.unwrap();
    assert!(enters(&*store, CAT, &den).await.is_ok(), "the address is the way in");
    act(&*store, ANN, Some(&den), Action::RotateLink(invitation(1, None))).await.unwrap();
    assert!(matches!(enters(&*store, CAT, &den).await, Err(StoreError::RoomNotFound)));
    assert!(matches!(post(&*store, CAT, &den).await, Err(StoreError::RoomNotFound)));
    assert!(enters(&*store, BOB, &den).await.is_ok(), "he has been there");
    assert_eq!(store.redeem_invitation([1; 32], CAT).await.unwrap(), Ok(Some(den.clone())));
    post(&*store, CAT, &den).await.unwrap();
    act(&*store, ANN, Some(&den), Action::RotateLink(invitation(2, None))).await.unwrap();
    assert_eq!(store.invitation([1; 32]).await.unwrap(), Err(LinkError::Expired));
    let leave = Action::Appoint { user: BOB, role: None };
    act(&*store, BOB, Some(&den), leave).await.unwrap();
    assert!(matches!(enters(&*store, BOB, &den).await, Err(StoreError::RoomNotFound)));
}

async fn a_room_for_members_only_is_not_created_by_a_message(store: Arc<dyn Store>) {
    let club = room(&format!("m-{}", "2".repeat(32)));
    assert!(matches!(post(&*store, ANN, &club).await, Err(StoreError::RoomNotFound)));
    assert_eq!(store.head(&club).await.unwrap(), 0);
    create(&*store, club.as_str(), ANN).await;
    post(&*store, ANN, &club).await.unwrap();
    assert!(matches!(post(&*store, BOB, &club).await, Err(StoreError::RoomNotFound)));
}

async fn slow_mode_counts_posts_of_users_and_none_of_repeats(store: Arc<dyn Store>) {
    let tea = room("tea");
    create(&*store, "tea", ANN).await;
    let slow = Action::SetMode { mode: RoomMode::Open, slow: 3_600 };
    act(&*store, ANN, Some(&tea), slow).await.unwrap();
    let first = message("tea", BOB, "hello");
    store.append(first.clone()).await.unwrap();
    assert!(store.append(first).await.unwrap().is_duplicate, "a repeat need not wait");
    let Err(StoreError::TooFast(wait)) = post(&*store, BOB, &tea).await else { panic!("he must wait") };
    assert!(wait > Duration::from_secs(3_000) && wait <= Duration::from_secs(3_600), "{wait:?}");
    for _ in 0..2 {
        post(&*store, ANN, &tea).await.expect("the owner need not wait");
    }
    post(&*store, CAT, &tea).await.expect("each user waits for themselves");
    let announce = Action::SetMode { mode: RoomMode::Announcements, slow: 0 };
    act(&*store, ANN, Some(&tea), announce).await.unwrap();
    assert!(matches!(post(&*store, BOB, &tea).await, Err(StoreError::PostsClosed)));
    post(&*store, ANN, &tea).await.unwrap();
    let found = standing(&*store, BOB, Some(&tea)).await.room;
    assert_eq!((found.mode, found.slow), (RoomMode::Announcements, None));
}

async fn moderators_delete_messages_of_lower_ranks_only(store: Arc<dyn Store>) {
    let tea = room("tea");
    make_admin(&*store, ANN).await;
    create(&*store, "tea", BOB).await;
    let by_ann = post(&*store, ANN, &tea).await.unwrap();
    let by_dan = post(&*store, DAN, &tea).await.unwrap();
    let delete = async |actor, target| {
        let operation = app::wire::Operation::Delete { target };
        store.append(NewEvent { operation, ..message("tea", actor, "") }).await.map(drop)
    };
    assert!(matches!(delete(CAT, by_dan).await, Err(StoreError::Forbidden)));
    let moderator = Action::Appoint { user: CAT, role: Some(Role::Moderator) };
    act(&*store, BOB, Some(&tea), moderator).await.unwrap();
    assert!(matches!(delete(CAT, by_ann).await, Err(StoreError::Forbidden)), "her rank is higher");
    delete(CAT, by_dan).await.unwrap();
    delete(BOB, by_ann).await.expect("the owner may delete any");
    let by_bob = post(&*store, BOB, &tea).await.unwrap();
    delete(ANN, by_bob).await.expect("she is the administrator");
}

async fn the_log_lists_what_was_done_and_the_newest_first(store: Arc<dyn Store>) {
    let tea = room("tea");
    make_admin(&*store, ANN).await;
    create(&*store, "tea", BOB).await;
    act(&*store, BOB, Some(&tea), mute(CAT, Until(Some(9)))).await.unwrap();
    act(&*store, BOB, Some(&tea), remove(CAT)).await.unwrap();
    let secret = Action::Change(Setting::Password, Some("$argon2id$secret".into()));
    act(&*store, ANN, None, secret).await.unwrap();
    let words = async |scope: Scope| {
        let entries = store.log(&scope, None).await.unwrap();
        entries.into_iter().map(|entry| (entry.action, entry.actor, entry.subject)).collect::<Vec<_>>()
    };
    let (muted, removed) = (Some(Subject::User(CAT)), Some(Subject::User(CAT)));
    let of_room = [("remove".into(), BOB, removed), ("mute".into(), BOB, muted)];
    assert_eq!(words(Scope::Room(tea)).await, of_room);
    assert_eq!(words(Scope::Server).await, [("change_setting".into(), ANN, None)]);
    assert_eq!(words(Scope::All).await.len(), 3);
    let all = store.log(&Scope::All, None).await.unwrap();
    assert!(all.iter().all(|entry| !entry.detail.contains("secret")), "{all:?}");
    assert_eq!((all[2].until, all[2].reason.as_str()), (Some(9), "spam"));
    let older = store.log(&Scope::All, Some(all[1].id)).await.unwrap();
    assert_eq!(older, all[2..]);
}

async fn a_report_is_stored_once_and_closed_by_a_moderator(store: Arc<dyn Store>) {
    let tea = room("tea");
    create(&*store, "tea", ANN).await;
    let seq = post(&*store, BOB, &tea).await.unwrap();
    for _ in 0..2 {
        store.report(CAT, tea.clone(), seq, "rude".into()).await.unwrap();
    }
    let missing = store.report(CAT, tea.clone(), 99, String::new()).await;
    assert!(matches!(missing, Err(StoreError::MessageNotFound)));
    let reports = store.reports(&Scope::Room(tea.clone())).await.unwrap();
    let [only] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((only.by, only.seq, only.reason.as_str()), (CAT, seq, "rude"));
    assert_eq!(store.reports(&Scope::All).await.unwrap(), reports);
    let resolve = || Action::Resolve { report: only.id };
    assert!(matches!(act(&*store, CAT, Some(&tea), resolve()).await, Err(StoreError::Forbidden)));
    act(&*store, ANN, Some(&tea), resolve()).await.unwrap();
    assert_eq!(store.reports(&Scope::All).await.unwrap(), []);
}

async fn a_user_blocks_others_for_themselves(store: Arc<dyn Store>) {
    for other in [BOB, DAN, BOB] {
        store.set_blocked(ANN, other, true).await.unwrap();
    }
    let mut blocked = store.blocked(ANN).await.unwrap();
    blocked.sort();
    assert_eq!((blocked, store.blocked(BOB).await.unwrap()), (vec![BOB, DAN], Vec::new()));
    store.set_blocked(ANN, BOB, false).await.unwrap();
    assert_eq!(store.blocked(ANN).await.unwrap(), [DAN]);
}

async fn messages_of_blocked_users_are_not_unread(store: Arc<dyn Store>) {
    let tea = room("tea");
    let ann = store.users(&[ANN]).await.unwrap().remove(0);
    for author in [BOB, DAN, BOB] {
        let mentions = [app::wire::Mention { name: ann.name.as_str().into(), user: ann.clone() }];
        let event = message("tea", author, "hi");
        store.append(NewEvent { mentions: mentions.into_iter().collect(), ..event }).await.unwrap();
    }
    store.mark_unread(ANN, tea.clone(), 1).await.unwrap();
    let rooms = [(tea.clone(), 0)];
    let counts = async || {
        let (unread, mentions) =
            (store.unread_counts(ANN, &rooms).await, store.mention_counts(ANN, &rooms).await);
        let listed = store.joined_rooms(ANN, 0, 9, &[]).await.unwrap().rooms;
        assert_eq!((listed[0].unread, listed[0].mentions), (unread.unwrap()[0], mentions.unwrap()[0]));
        (listed[0].unread, listed[0].mentions)
    };
    assert_eq!(counts().await, (3, 3));
    store.set_blocked(ANN, BOB, true).await.unwrap();
    assert_eq!(counts().await, (1, 1));
    store.set_blocked(ANN, BOB, false).await.unwrap();
    assert_eq!(counts().await, (3, 3));
}

async fn each_change_of_access_has_a_generation(store: Arc<dyn Store>) {
    let tea = room("tea");
    create(&*store, "tea", ANN).await;
    let before = store.access_changes(0).await.unwrap().generation;
    assert_eq!(store.access_changes(before).await.unwrap().changes, Some(Vec::new()));
    act(&*store, ANN, Some(&tea), remove(BOB)).await.unwrap();
    act(&*store, ANN, Some(&tea), Action::Invite(invitation(1, None))).await.unwrap();
    let after = store.access_changes(before).await.unwrap();
    let change = AccessChange { subject: Some(Subject::User(BOB)), room: Some(tea.clone()) };
    assert_eq!((after.generation, after.changes), (before + 1, Some(vec![change])));
    assert_eq!(standing(&*store, BOB, Some(&tea)).await.generation, before + 1);
}

async fn what_was_posted_before_a_mute_is_still_acknowledged(store: Arc<dyn Store>) {
    create(&*store, "tea", ANN).await;
    let first = message("tea", BOB, "hello");
    let appended = store.append(first.clone()).await.unwrap();
    act(&*store, ANN, Some(&room("tea")), mute(BOB, Until(None))).await.unwrap();
    let repeated = store.append(first).await.unwrap();
    assert_eq!((repeated.seq, repeated.is_duplicate), (appended.seq, true));
}
