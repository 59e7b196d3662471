//! What a start says: where to go, and how others get there.

use crate::{config::Config, net::ListenAddr};
use qrcode::{QrCode, render::unicode::Dense1x2};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The lines that a start prints: the link for this machine and, where others can reach it, the
/// link for them with its QR code.
pub fn welcome(address: &ListenAddr, config: &Config) -> String {
    let (here, outside) = match address {
        ListenAddr::Tcp(address) => links(*address),
        ListenAddr::EveryInterface(port) => links((Ipv6Addr::UNSPECIFIED, *port).into()),
        ListenAddr::Unix(_) => (address.to_string(), None),
    };
    let mut lines = vec![format!("Hubbub is open at {here}")];
    if let Some(link) = config.public_url.as_ref().map(ToString::to_string).or(outside) {
        lines.push(format!("For others here:   {link}"));
        lines.extend(code(&link));
    }
    if config.ephemeral {
        lines.push("Nothing is kept: all is forgotten when it stops.".into());
    }
    lines.join("\n")
}

/// Returns the link for this machine, and the one for others if they can reach the address.
fn links(address: SocketAddr) -> (String, Option<String>) {
    let outside = seen_from_outside(address.ip()).map(|ip| link(ip, address.port()));
    (link(address.ip(), address.port()), outside)
}

fn link(ip: IpAddr, port: u16) -> String {
    // "Every interface" is no place to go to.
    let ip = match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        given => given,
    };
    format!("http://{}", SocketAddr::new(ip, port))
}

fn seen_from_outside(ip: IpAddr) -> Option<IpAddr> {
    if ip.is_loopback() {
        None
    } else if ip.is_unspecified() {
        local_ip_address::local_ip().ok().filter(|ip| !ip.is_loopback())
    } else {
        Some(ip)
    }
}

fn code(link: &str) -> Option<String> {
    QrCode::new(link).ok().map(|code| code.render::<Dense1x2>().build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_loopback_only_this_machine_is_invited() {
        let said = welcome(&ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080))), &Config::plain());
        assert!(said.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{said}");
        assert!(!said.contains("For others"), "{said}");
    }

    #[test]
    fn every_interface_is_named_by_addresses_and_a_unix_socket_by_its_path() {
        let said = welcome(&ListenAddr::EveryInterface(8080), &Config::plain());
        assert!(said.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{said}");
        let said = welcome(&ListenAddr::Unix("/run/hubbub.sock".into()), &Config::plain());
        assert!(said.starts_with("Hubbub is open at unix:/run/hubbub.sock\n"), "{said}");
    }

    #[test]
    fn others_get_the_public_address_if_there_is_one() {
        let public_url = "https://host.example/chat".parse().ok();
        let config = Config { public_url, ..Config::plain() };
        let text = welcome(&ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080))), &config);
        assert!(text.starts_with("Hubbub is open at http://127.0.0.1:8080\n"), "{text}");
        assert!(
            text.contains("For others here:   https://host.example/chat/\n") && text.contains('█'),
            "{text}"
        );
    }

    #[test]
    fn beyond_loopback_others_get_a_link_and_a_code() {
        let said = welcome(&ListenAddr::Tcp(SocketAddr::from(([192, 0, 2, 7], 80))), &Config::plain());
        assert!(said.contains("For others here:   http://192.0.2.7:80"), "{said}");
        assert!(said.contains('█'), "{said}");
    }
}
