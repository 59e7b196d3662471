use super::{
    names::{CookieNames, USER},
    signed::find_cookie,
    *,
};
use crate::data::key_ring::KeyRing;
use axum::http::HeaderMap;
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key},
};
use std::time::Duration;

const ID: &str = "0123456789abcdef";
const NOW: u64 = 1_000_000;

fn address(url: &str) -> PublicAddress {
    let url: crate::origin::PublicUrl = url.parse().unwrap();
    PublicAddress { origin: url.origin, prefix: url.prefix }
}

fn names(url: &str) -> CookieNames {
    CookieNames::new(&address(url), vec!["1234".into()])
}

/// Returns `name=value` of a signed cookie.
fn signed_pair(key: &Key, name: &str, value: &str) -> String {
    let jar = SignedCookieJar::new(key.clone()).add(Cookie::new(name.to_owned(), value.to_owned()));
    let response = (jar, ()).into_response();
    response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
}

fn with_cookies(pairs: &[String]) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap())])
}

fn found(pairs: &[String], key: &Key, names: &CookieNames) -> Option<IdentityCookie> {
    find_cookie(&with_cookies(pairs), &key.clone().into(), NOW, names)
}

#[test]
fn the_most_trusted_then_newest_signed_cookie_wins() {
    let (own_key, other_key) = (Key::generate(), Key::generate());
    let id = |n: u64| format!("{n:016x}");
    let pairs = [
        signed_pair(&other_key, "__Host-hubbub_id", &format!("{}.999", id(1))),
        signed_pair(&own_key, "hubbub_id", &format!("{}.998", id(2))),
        signed_pair(&own_key, "__Host-hubbub_id", &format!("{}.5", id(3))),
        signed_pair(&own_key, "__Host-hubbub_id_1234", &format!("{}.6", id(4))),
        signed_pair(&own_key, "__Host-hubbub_id_5678", &format!("{}.997", id(5))),
        "__Host-hubbub_id=nonsense".into(),
    ];
    let cookie = found(&pairs, &own_key, &names("https://a.example")).unwrap();
    assert_eq!((cookie.id.to_string(), cookie.issued), (id(4), 6));
}

#[test]
fn a_cookie_from_the_future_does_not_stand_above_the_others() {
    let key = Key::generate();
    let names = names("http://a.example");
    let future = signed_pair(&key, "hubbub_id", &format!("{ID}.{}", NOW * 2));
    let present = signed_pair(&key, "hubbub_id_1234", &format!("{:016x}.{NOW}", 7));
    let cookie = found(&[future.clone(), present], &key, &names).unwrap();
    assert_eq!(cookie.id, UserId(7));
    assert_eq!(found(&[future], &key, &names).unwrap().id.to_string(), ID, "it is valid all the same");
}

#[test]
fn over_https_a_cookie_without_a_prefix_is_ignored() {
    let key = Key::generate();
    let planted = [signed_pair(&key, "hubbub_id", ID), signed_pair(&key, "hubbub_id_1234", ID)];
    for (url, is_accepted) in
        [("https://a.example/", false), ("https://a.example/chat/", false), ("http://a.example/", true)]
    {
        assert_eq!(found(&planted, &key, &names(url)).is_some(), is_accepted, "{url}");
    }
}

#[test]
fn a_cookie_without_a_time_or_a_device_is_accepted_and_renewed() {
    let key = Key::generate();
    let names = names("http://a.example");
    let of = |value: &str| found(&[signed_pair(&key, USER, value)], &key, &names).unwrap();
    let cookie = of(ID);
    assert_eq!((cookie.id.to_string().as_str(), is_renewal_due(cookie.issued, NOW)), (ID, true));
    assert_eq!(cookie.sign_in.generation, 0);
    let timed = of(&format!("{ID}.5"));
    // A page that is late must not set it again at once: another page may have made the browser another user meanwhile.
    assert!(timed.is_current && !is_renewal_due(timed.issued, 6));
    assert_eq!(timed.sign_in, of(&format!("{ID}.5")).sign_in, "the same cookie is the same device");
    assert_ne!(timed.sign_in, of(&format!("{ID}.6")).sign_in);
    assert_ne!(timed.sign_in, of(&format!("{:016x}.5", 7)).sign_in);
}

#[test]
fn the_device_belongs_to_the_user_and_is_signed() {
    let (key, other_key) = (Key::generate(), Key::generate());
    let names = names("http://a.example");
    let user = signed_pair(&key, "hubbub_id", &format!("{ID}.5"));
    let device = |key, name, value: String| signed_pair(key, name, &value);
    let sign_in = |device: String| found(&[user.clone(), device], &key, &names).unwrap();
    let own = "hubbub_device_1234";
    let good = sign_in(device(&key, own, format!("{ID}.5.00000000000000aa.3")));
    assert_eq!((good.sign_in, good.is_current), (SignIn { device: DeviceId(0xaa), generation: 3 }, true));
    for bad in [
        device(&other_key, own, format!("{ID}.5.00000000000000aa.3")),
        device(&key, own, format!("{:016x}.5.00000000000000aa.3", 7)),
        device(&key, own, format!("{ID}.5.00000000000000aa.3.4")),
        device(&key, own, format!("{ID}.5.aa.3")),
        device(&key, own, format!("{ID}.5.00000000000000aa.-3")),
        device(&key, "hubbub_device", format!("{ID}.5.00000000000000aa.3")),
        format!("{own}={ID}.5.00000000000000aa.3"),
    ] {
        let found = sign_in(bad.clone());
        assert_eq!(found.sign_in.generation, 0, "{bad}");
        assert_ne!(found.sign_in.device, DeviceId(0xaa), "{bad}");
    }
}

#[test]
fn a_device_alone_is_its_user_and_the_next_page_sets_both_cookies() {
    let (key, other_key) = (Key::generate(), Key::generate());
    let names = names("http://a.example");
    let device =
        |key, id: u64| signed_pair(key, "hubbub_device_1234", &format!("{id:016x}.5.00000000000000aa.3"));
    let alone = found(&[device(&key, 7)], &key, &names).unwrap();
    let sign_in = SignIn { device: DeviceId(0xaa), generation: 3 };
    assert_eq!((alone.id, alone.sign_in), (UserId(7), sign_in));
    assert_eq!((alone.name, alone.is_current), (None, false));
    assert_eq!(found(&[device(&other_key, 7)], &key, &names), None);
    let user = signed_pair(&key, "hubbub_id", &format!("{:016x}.4", 8));
    let both = found(&[device(&key, 7), user], &key, &names).unwrap();
    assert_eq!((both.id, both.sign_in.generation), (UserId(8), 0), "the user's cookie decides");
}

#[test]
fn a_former_key_verifies_and_its_cookies_are_renewed() {
    let first = Key::generate();
    let second = Key::generate();
    let (ring, _) = KeyRing::from(first.clone())
        .rotate(second.clone(), NOW - 60, Duration::from_secs(60), false)
        .unwrap();
    let address = address("http://a.example");
    let all = suffixes(&ring, NOW, false, &address);
    let [new, old] = &all[..] else { panic!("{all:?}") };
    let names = CookieNames::new(&address, all.clone());
    for (key, suffix, is_current) in [(&first, old, false), (&second, new, true)] {
        let pairs = [
            signed_pair(key, &format!("hubbub_id_{suffix}"), &format!("{ID}.5")),
            signed_pair(key, &format!("hubbub_device_{suffix}"), &format!("{ID}.5.00000000000000aa.3")),
        ];
        let cookie = find_cookie(&with_cookies(&pairs), &ring, NOW, &names).unwrap();
        assert_eq!((cookie.sign_in.device, cookie.is_current), (DeviceId(0xaa), is_current));
        let name = names.name_to_set(&with_cookies(&pairs), cookie.name.as_deref());
        assert_eq!(Some(name) == cookie.name, is_current, "it moves to the new name");
    }
    let forged = [signed_pair(&Key::generate(), "hubbub_id", &format!("{ID}.5"))];
    assert_eq!(find_cookie(&with_cookies(&forged), &ring, NOW, &names), None);
}

#[test]
fn cookie_of_another_server_on_the_host_is_not_overwritten() {
    let (own_key, other_key) = (Key::generate(), Key::generate());
    let names = names("http://a.example");
    let other = signed_pair(&other_key, "hubbub_id", ID);
    assert_eq!(names.name_to_set(&HeaderMap::new(), None), "hubbub_id");
    assert_eq!(names.name_to_set(&with_cookies(std::slice::from_ref(&other)), None), "hubbub_id_1234");
    let both = [other, signed_pair(&own_key, "hubbub_id_1234", ID)];
    let accepted = found(&both, &own_key, &names).unwrap();
    assert_eq!(names.name_to_set(&with_cookies(&both), accepted.name.as_deref()), "hubbub_id_1234");
}

#[test]
fn https_adds_a_name_prefix_that_the_browser_checks() {
    let of = |url| (names(url).preferred, names(url).device);
    let pair = |user: &str, device: &str| (user.to_owned(), device.to_owned());
    assert_eq!(of("https://a.example/"), pair("__Host-hubbub_id", "__Host-hubbub_device_1234"));
    assert_eq!(of("https://a.example/chat/"), pair("__Secure-hubbub_id", "__Secure-hubbub_device_1234"));
    assert_eq!(of("http://a.example/chat/"), pair("hubbub_id", "hubbub_device_1234"));
}

#[test]
fn cookie_is_renewed_daily_or_if_its_time_is_in_the_future() {
    let day = RENEWAL_INTERVAL_SECONDS;
    assert_eq!([10, 10 + day - 1, 10 + day].map(|now| is_renewal_due(10, now)), [false, false, true]);
    assert!(is_renewal_due(10 + 2 * day, 10));
}
