use super::*;
use crate::store::{
    Action, Invitation, Moderation, RestrictionKind, RoomStanding, ServerAccess, Setting, Subject, Until,
};
use app::wire::ErrorCode;

const AUTHOR: UserId = UserId(1);
const OWNER: UserId = UserId(2);
const OTHER: UserId = UserId(3);
const FOR_EVER: Option<Until> = Some(Until(None));

fn post(reply_to: Option<u64>) -> Operation {
    Operation::Post { text: "hello".into(), reply_to }
}

fn edit() -> Operation {
    Operation::Edit { target: 1, text: "hi".into() }
}

fn react() -> Operation {
    Operation::React { target: 1, emoji: "👍".into(), on: true }
}

fn delete() -> Operation {
    Operation::Delete { target: 1 }
}

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn public() -> RoomName {
    room("tea")
}

fn members_only() -> RoomName {
    room(&format!("m-{}", "0".repeat(32)))
}

/// Returns the rights of a user with a role on the server, and one in an open room.
fn standing(server: Option<Role>, there: Option<Role>) -> Standing {
    let room = RoomStanding { exists: true, role: there, ..RoomStanding::default() };
    Standing { role: server, room, ..Standing::default() }
}

fn owner() -> Standing {
    let room = RoomStanding { is_owner: true, ..standing(None, None).room };
    Standing { room, ..Standing::default() }
}

/// Returns the five ranks, the lowest first.
fn ranks() -> [Standing; 5] {
    [
        standing(None, None),
        standing(None, Some(Role::Moderator)),
        owner(),
        standing(Some(Role::Moderator), None),
        standing(Some(Role::Admin), None),
    ]
}

fn word<T>(result: StoreResult<T>) -> &'static str {
    match result {
        Ok(_) => "yes",
        Err(StoreError::MessageNotFound) => "not found",
        Err(StoreError::Forbidden) => "forbidden",
        Err(StoreError::RoomNotFound) => "no room",
        Err(StoreError::NotAdmitted) => "not admitted",
        Err(StoreError::Banned(_)) => "banned",
        Err(StoreError::Removed(_)) => "removed",
        Err(StoreError::Muted(_)) => "muted",
        Err(StoreError::PostsClosed) => "closed",
        Err(StoreError::OutOfRange) => "out of range",
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn allows(operation: Operation, target: Option<Target>, expected: [&str; 3]) {
    let results =
        [AUTHOR, OWNER, OTHER].map(|actor| word(authorize(&operation, actor, target, |_| actor == OWNER)));
    assert_eq!(results, expected, "author, owner and another user: {operation:?}");
}

#[test]
fn each_operation_is_allowed_to_its_users_and_needs_its_target() {
    let target = Some(Target { author: AUTHOR });
    allows(post(None), None, ["yes"; 3]);
    allows(post(Some(1)), target, ["yes"; 3]);
    allows(post(Some(1)), None, ["not found"; 3]);
    allows(react(), target, ["yes"; 3]);
    allows(react(), None, ["not found"; 3]);
    allows(edit(), target, ["yes", "forbidden", "forbidden"]);
    allows(edit(), None, ["not found"; 3]);
    allows(delete(), target, ["yes", "yes", "forbidden"]);
    allows(delete(), None, ["not found"; 3]);
}

#[test]
fn room_is_updated_only_by_its_owner_and_never_without_one() {
    assert!(authorize_update(OWNER, Some(OWNER)).is_ok());
    assert!(authorize_update(OTHER, Some(OWNER)).is_err());
    assert!(authorize_update(OTHER, None).is_err());
}

#[test]
fn closed_server_lets_in_known_users_and_admitted_ones() {
    for (access, stranger) in [
        (ServerAccess::Open, "yes"),
        (ServerAccess::Invite, "not admitted"),
        (ServerAccess::Password, "not admitted"),
    ] {
        let of = |standing: Standing| word(may_enter_server(&Standing { access, ..standing }));
        assert_eq!(of(Standing::default()), stranger);
        assert_eq!(of(Standing { is_known: true, ..Standing::default() }), "yes", "who is in stays in");
        for role in [Role::Member, Role::Moderator, Role::Admin] {
            assert_eq!(of(standing(Some(role), None)), "yes");
        }
        let banned = Standing { ban: FOR_EVER, is_known: true, ..Standing::default() };
        assert_eq!(of(banned.clone()), "banned");
        assert_eq!(of(Standing { role: Some(Role::Member), ..banned.clone() }), "banned");
        let moderator = Standing { role: Some(Role::Moderator), ..banned };
        assert_eq!(of(moderator), "yes", "a ban of their own network");
    }
}

#[test]
fn a_room_for_members_only_does_not_exist_for_others() {
    let unlisted = room(&format!("p-{}", "0".repeat(32)));
    let closed = |standing: Standing| {
        let room = RoomStanding { members_only: true, ..standing.room };
        Standing { room, ..standing }
    };
    let visitor = || {
        let room = RoomStanding { has_visited: true, ..standing(None, None).room };
        Standing { room, ..Standing::default() }
    };
    for (who, standing, in_members_only, in_unlisted, in_closed) in [
        ("stranger", standing(None, None), "no room", "yes", "no room"),
        ("visitor", visitor(), "no room", "yes", "yes"),
        ("member", standing(None, Some(Role::Member)), "yes", "yes", "yes"),
        ("moderator", standing(None, Some(Role::Moderator)), "yes", "yes", "yes"),
        ("owner", owner(), "yes", "yes", "yes"),
        ("moderator of the server", standing(Some(Role::Moderator), None), "no room", "yes", "no room"),
        ("administrator", standing(Some(Role::Admin), None), "no room", "yes", "no room"),
    ] {
        assert_eq!(word(may_enter_room(&members_only(), &standing)), in_members_only, "{who}");
        assert_eq!(word(may_enter_room(&unlisted, &standing)), in_unlisted, "{who}");
        assert_eq!(word(may_enter_room(&unlisted, &closed(standing))), in_closed, "{who}, after a new link");
    }
    let missing = Standing { role: Some(Role::Admin), ..Standing::default() };
    assert_eq!(word(may_enter_room(&members_only(), &missing)), "no room");
    assert_eq!(word(may_enter_room(&unlisted, &missing)), "yes", "the first message creates it");
}

#[test]
fn removed_user_may_not_enter_and_muted_one_may_only_delete() {
    let removed = |standing: Standing| {
        let room = RoomStanding { ban: FOR_EVER, ..standing.room };
        Standing { room, ..standing }
    };
    assert_eq!(word(may_enter_room(&public(), &removed(standing(None, None)))), "removed");
    assert_eq!(word(may_enter_room(&public(), &removed(standing(None, Some(Role::Member))))), "removed");
    assert_eq!(word(may_enter_room(&members_only(), &removed(standing(None, None)))), "removed");
    for standing in &ranks()[1..] {
        assert_eq!(word(may_enter_room(&public(), &removed(standing.clone()))), "yes");
    }
    let muted_here = |standing: Standing| {
        let room = RoomStanding { mute: FOR_EVER, ..standing.room };
        Standing { room, ..standing }
    };
    let muted = |standing: Standing| Standing { mute: FOR_EVER, ..standing };
    for standing in [muted(standing(None, None)), muted_here(standing(None, None))] {
        for (operation, expected) in
            [(post(None), "muted"), (edit(), "muted"), (react(), "muted"), (delete(), "yes")]
        {
            assert_eq!(word(may_write(&public(), &standing, &operation)), expected, "{operation:?}");
        }
        assert!(!is_unrestricted(&public(), &standing));
    }
}

#[test]
fn the_mode_of_a_room_says_who_posts_and_how_often() {
    let minute = Some(Duration::from_secs(60));
    for (mode, user, moderator, reaction) in [
        (RoomMode::Open, "yes", "yes", "yes"),
        (RoomMode::Announcements, "closed", "yes", "yes"),
        (RoomMode::ReadOnly, "closed", "closed", "closed"),
    ] {
        for (n, standing) in ranks().into_iter().enumerate() {
            let room = RoomStanding { mode, slow: minute, ..standing.room };
            let standing = Standing { room, ..standing };
            let expected = if n == 0 { user } else { moderator };
            assert_eq!(word(may_write(&public(), &standing, &post(None))), expected, "{mode:?} {n}");
            assert_eq!(word(may_write(&public(), &standing, &edit())), expected, "{mode:?} {n}");
            assert_eq!(word(may_write(&public(), &standing, &react())), reaction, "{mode:?} {n}");
            assert_eq!(word(may_write(&public(), &standing, &delete())), "yes", "{mode:?} {n}");
            assert_eq!(pace(&public(), &standing, &post(None)), minute.filter(|_| n == 0));
            assert_eq!(pace(&public(), &standing, &edit()), None);
            assert!(!is_unrestricted(&public(), &standing));
        }
    }
}

/// Returns for each rank whether it may do `action` to a user of each rank.
fn planned(place: Option<RoomName>, action: &Action) -> [[&'static str; 5]; 5] {
    ranks().map(|actor| {
        ranks().map(|target| {
            let (room, action, reason) = (place.clone(), action.clone(), String::new());
            word(plan(&Moderation { actor: OTHER, room, action, reason }, &actor, Some(&target)))
        })
    })
}

const NO: [&str; 5] = ["forbidden"; 5];
const TO_USERS: [&str; 5] = ["yes", "forbidden", "forbidden", "forbidden", "forbidden"];
const TO_ROOM_MODERATORS: [&str; 5] = ["yes", "yes", "forbidden", "forbidden", "forbidden"];
const TO_OWNERS: [&str; 5] = ["yes", "yes", "yes", "forbidden", "forbidden"];
const TO_MODERATORS: [&str; 5] = ["yes", "yes", "yes", "yes", "forbidden"];

#[test]
fn only_higher_ranks_mute_and_remove_in_a_room() {
    let remove = |network| Action::Remove { user: AUTHOR, until: Until(None), network };
    let expected = [NO, TO_USERS, TO_ROOM_MODERATORS, TO_OWNERS, TO_MODERATORS];
    assert_eq!(planned(Some(public()), &Action::Mute { user: AUTHOR, until: Until(Some(9)) }), expected);
    assert_eq!(planned(Some(public()), &remove(None)), expected);
    let network = "192.0.2.1/32".parse().ok();
    assert_eq!(planned(Some(public()), &remove(network)), [NO; 5], "networks are banned on the server alone");
    assert_eq!(planned(Some(public()), &Action::Deleted { user: AUTHOR, messages: 3, seq: None }), expected);
    // In a room whose members they are not among, the ranks of the server count nothing.
    let no_room = ["no room"; 5];
    let expected = [no_room, TO_USERS, TO_ROOM_MODERATORS, no_room, no_room];
    let found = planned(Some(members_only()), &remove(None));

    assert_eq!(found, expected);
}

#[test]
fn only_higher_ranks_mute_and_remove_on_the_server() {
    let remove = |network| Action::Remove { user: AUTHOR, until: Until(None), network };
    let to_users = ["yes", "yes", "yes", "forbidden", "forbidden"];
    let expected = [NO, NO, NO, to_users, TO_MODERATORS];
    assert_eq!(planned(None, &remove(None)), expected);
    assert_eq!(planned(None, &remove("192.0.2.1/32".parse().ok())), expected);
    assert_eq!(planned(None, &Action::Mute { user: AUTHOR, until: Until(None) }), expected);
}

#[test]
fn owners_appoint_in_rooms_and_the_administrator_on_the_server() {
    let appoint = |role| Action::Appoint { user: AUTHOR, role };
    let moderator = appoint(Some(Role::Moderator));
    assert_eq!(planned(Some(public()), &moderator), [NO, NO, TO_ROOM_MODERATORS, NO, TO_MODERATORS]);
    assert_eq!(
        planned(Some(public()), &appoint(Some(Role::Member))),
        [NO, TO_USERS, TO_ROOM_MODERATORS, TO_OWNERS, TO_MODERATORS]
    );
    assert_eq!(planned(None, &moderator), [NO, NO, NO, NO, TO_MODERATORS]);
    assert_eq!(planned(None, &appoint(None))[3], ["yes", "yes", "yes", "forbidden", "forbidden"]);
    assert_eq!(planned(None, &appoint(Some(Role::Admin))), [NO; 5], "only the link makes an administrator");
}

#[test]
fn other_actions_need_an_owner_a_moderator_or_an_administrator() {
    let invitation = || Invitation { hash: [0; 32], expires_at: 1, most_uses: None };
    let per_rank = |place: Option<RoomName>, action: Action| planned(place, &action).map(|row| row[0]);
    let moderators = ["forbidden", "yes", "yes", "yes", "yes"];
    let on_server = ["forbidden", "forbidden", "forbidden", "yes", "yes"];
    let mode = |slow| Action::SetMode { mode: RoomMode::ReadOnly, slow };
    let lift = || Action::Lift { subject: Subject::User(AUTHOR), kind: RestrictionKind::Ban };
    for action in [mode(0), Action::Invite(invitation()), Action::Revoke { hash: [0; 32] }, lift()] {
        assert_eq!(per_rank(Some(public()), action.clone()), moderators, "{action:?}");
    }
    assert_eq!(per_rank(Some(public()), Action::Resolve { report: 1 }), moderators);
    for action in [Action::Invite(invitation()), lift(), Action::Resolve { report: 1 }] {
        assert_eq!(per_rank(None, action.clone()), on_server, "{action:?}");
    }
    assert_eq!(per_rank(None, mode(0)), ["forbidden"; 5], "the server has no mode");
    assert_eq!(per_rank(Some(public()), mode(u32::MAX))[1..], ["out of range"; 4]);
    for action in [Action::Export { user: AUTHOR }, Action::Erase { user: AUTHOR }] {
        assert_eq!(
            per_rank(None, action.clone()),
            ["forbidden", "forbidden", "forbidden", "forbidden", "yes"]
        );
        assert_eq!(per_rank(Some(public()), action), ["forbidden"; 5]);
    }
    let change = Action::Change(Setting::Access, Some("open".into()));
    assert_eq!(per_rank(None, change.clone()), ["forbidden", "forbidden", "forbidden", "forbidden", "yes"]);
    assert_eq!(per_rank(Some(public()), change), ["forbidden"; 5]);
    let owners = ["forbidden", "forbidden", "yes", "forbidden", "yes"];
    assert_eq!(per_rank(Some(public()), Action::Transfer { user: AUTHOR }), owners);
    assert_eq!(
        per_rank(Some(public()), Action::RotateLink(invitation())),
        ["forbidden"; 5],
        "it has no link"
    );
    let unlisted = room(&format!("p-{}", "0".repeat(32)));
    assert_eq!(per_rank(Some(unlisted), Action::RotateLink(invitation())), owners);
}

#[test]
fn page_knows_when_a_mute_ends_unless_the_room_itself_is_closed() {
    let rules = |mode, server, there| {
        let standing = standing(None, None);
        let room = RoomStanding { mode, mute: there, ..standing.room };
        let rules = posting_rules(&public(), &Standing { mute: server, room, ..standing }, 1_000);
        (rules.closed, rules.closed_ms)
    };
    let until = |time| Some(Until(Some(time)));
    assert_eq!(rules(RoomMode::Open, None, None), (None, None));
    assert_eq!(rules(RoomMode::Open, until(5_000), None), (Some(ErrorCode::Muted), Some(4_000)));
    assert_eq!(rules(RoomMode::Open, until(5_000), until(9_000)), (Some(ErrorCode::Muted), Some(8_000)));
    assert_eq!(rules(RoomMode::Open, until(5_000), Some(Until(None))), (Some(ErrorCode::Muted), None));
    assert_eq!(rules(RoomMode::Open, until(900), None), (Some(ErrorCode::Muted), Some(0)), "clocks differ");
    assert_eq!(rules(RoomMode::Announcements, until(5_000), None), (Some(ErrorCode::PostsClosed), None));
    assert_eq!(rules(RoomMode::ReadOnly, until(5_000), None), (Some(ErrorCode::ReadOnly), None));
}

#[test]
fn no_user_restricts_themselves_but_every_one_may_resign() {
    let own = |place: Option<RoomName>, action: Action| {
        ranks().map(|rank| {
            let (room, action, reason) = (place.clone(), action.clone(), String::new());
            word(plan(&Moderation { actor: AUTHOR, room, action, reason }, &rank, Some(&rank)))
        })
    };
    for place in [None, Some(public())] {
        let remove = Action::Remove { user: AUTHOR, until: Until(None), network: None };
        assert_eq!(own(place.clone(), remove), ["forbidden"; 5]);
        assert_eq!(own(place.clone(), Action::Mute { user: AUTHOR, until: Until(None) }), ["forbidden"; 5]);
        let lift = Action::Lift { subject: Subject::User(AUTHOR), kind: RestrictionKind::Mute };
        assert_eq!(own(place.clone(), lift), ["forbidden"; 5]);
        assert_eq!(own(place, Action::Appoint { user: AUTHOR, role: None }), ["yes"; 5]);
    }
}

#[test]
fn former_owner_becomes_moderator_and_a_long_reason_is_refused() {
    let transfer = |reason: &str| Moderation {
        actor: OWNER,
        room: Some(public()),
        action: Action::Transfer { user: AUTHOR },
        reason: reason.into(),
    };
    let target = standing(None, None);
    assert_eq!(
        plan(&transfer(""), &owner(), Some(&target)).unwrap(),
        [
            Effect::SetRole(AUTHOR, None),
            Effect::SetOwner(AUTHOR),
            Effect::SetRole(OWNER, Some(Role::Moderator)),
        ]
    );
    assert_eq!(word(plan(&transfer(&"x".repeat(201)), &owner(), Some(&target))), "out of range");
    let removed = Standing { room: RoomStanding { ban: FOR_EVER, ..target.room.clone() }, ..target };
    assert_eq!(word(plan(&transfer(""), &owner(), Some(&removed))), "forbidden");
}

#[test]
fn room_invitation_opens_no_closed_server_and_ends_no_removal() {
    let closed = |standing: Standing| Standing { access: ServerAccess::Invite, ..standing };
    let accept = |room: Option<&RoomName>, standing: &Standing| match accept_invitation(room, standing) {
        Ok(true) => "is in",
        Ok(false) => "enters",
        Err(error) => word::<()>(Err(error)),
    };
    let (stranger, there) = (standing(None, None), members_only());
    assert_eq!(accept(None, &stranger), "enters");
    assert_eq!(accept(None, &closed(stranger.clone())), "enters");
    assert_eq!(accept(None, &Standing { is_known: true, ..stranger.clone() }), "is in");
    assert_eq!(accept(None, &Standing { ban: FOR_EVER, ..stranger.clone() }), "banned");
    assert_eq!(accept(Some(&there), &stranger), "enters");
    assert_eq!(accept(Some(&there), &closed(stranger.clone())), "not admitted");
    assert_eq!(accept(Some(&there), &standing(None, Some(Role::Member))), "is in");
    let removed = RoomStanding { ban: FOR_EVER, ..stranger.room.clone() };
    assert_eq!(accept(Some(&there), &Standing { room: removed, ..stranger }), "removed");
}

#[test]
fn sign_out_ends_earlier_cookies_except_those_of_listed_devices() {
    for (is_listed, cookie, user, is_valid) in [
        (false, 0, 0, true),
        (false, 0, 1, false),
        (true, 0, 1, true),
        (false, 1, 1, true),
        (false, 2, 1, true),
    ] {
        assert_eq!(is_signed_in(is_listed, cookie, user), is_valid, "{is_listed} {cookie} {user}");
    }
}
