//! The lines that the server prints when it has started: its links, and a QR code for other devices.

use crate::{config::Config, links::links, net::ListenAddr};
use qrcode::{QrCode, render::unicode::Dense1x2};
use std::net::Ipv6Addr;

/// Returns the banner: the link for this machine and, if others can reach it, the link for them with its QR code.
pub fn startup_banner(address: &ListenAddr, config: &Config) -> String {
    let (here, outside) = match address {
        ListenAddr::Tcp(address) => links(*address),
        ListenAddr::EveryInterface(port) => links((Ipv6Addr::UNSPECIFIED, *port).into()),
        ListenAddr::Unix(_) => (address.to_string(), None),
    };
    let mut lines = vec![format!("Hubbub is open at {here}")];
    if let Some(link) = config.public_url.as_ref().map(ToString::to_string).or(outside) {
        lines.push(format!("For others here:   {link}"));
        lines.extend(qr_code(&link));
    }
    if config.ephemeral {
        lines.push("Nothing is stored: all messages are lost when it stops.".into());
    }
    lines.join("\n")
}

fn qr_code(link: &str) -> Option<String> {
    QrCode::new(link).ok().map(|code| code.render::<Dense1x2>().build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn loopback_has_no_link_for_others() {
        let banner =
            startup_banner(&ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080))), &Config::plain());
        assert!(banner.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{banner}");
        assert!(!banner.contains("For others"), "{banner}");
    }

    #[test]
    fn banner_names_interfaces_by_address_and_a_unix_socket_by_path() {
        let banner = startup_banner(&ListenAddr::EveryInterface(8080), &Config::plain());
        assert!(banner.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{banner}");
        let banner = startup_banner(&ListenAddr::Unix("/run/hubbub.sock".into()), &Config::plain());
        assert!(banner.starts_with("Hubbub is open at unix:/run/hubbub.sock\n"), "{banner}");
    }

    #[test]
    fn the_link_for_others_is_the_public_address() {
        let public_url = "https://host.example/chat".parse().ok();
        let config = Config { public_url, ..Config::plain() };
        let text = startup_banner(&ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080))), &config);
        assert!(text.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{text}");
        assert!(
            text.contains("For others here:   https://host.example/chat/\n") && text.contains('█'),
            "{text}"
        );
    }

    #[test]
    fn a_reachable_address_has_a_link_and_a_qr_code() {
        let banner =
            startup_banner(&ListenAddr::Tcp(SocketAddr::from(([192, 0, 2, 7], 80))), &Config::plain());
        assert!(banner.contains("For others here:   http://192.0.2.7:80"), "{banner}");
        assert!(banner.contains('█'), "{banner}");
    }
}
