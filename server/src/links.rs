//! The links of a server, as it prints them.

use crate::{net::ListenAddr, origin::PublicUrl};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Returns the address of an admin link: below the public address, or else on this machine.
pub fn admin_link(public_url: Option<&PublicUrl>, address: &ListenAddr, token: &str) -> String {
    let base = public_url.map_or_else(|| local_link(address), ToString::to_string);
    format!("{}/admin/link/{token}", base.trim_end_matches('/'))
}

/// Returns the link for this machine.
pub fn local_link(address: &ListenAddr) -> String {
    match address {
        ListenAddr::Tcp(address) => links(*address).0,
        ListenAddr::EveryInterface(port) => links((Ipv6Addr::UNSPECIFIED, *port).into()).0,
        ListenAddr::Unix(_) => address.to_string(),
    }
}

/// Returns the link for this machine, and the one for others if they can reach the address.
pub fn links(address: SocketAddr) -> (String, Option<String>) {
    let outside = reachable_address(address.ip()).map(|ip| link(ip, address.port()));
    (link(address.ip(), address.port()), outside)
}

fn link(ip: IpAddr, port: u16) -> String {
    // A browser cannot open "every interface".
    let ip = match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        specified => specified,
    };
    format!("http://{}", SocketAddr::new(ip, port))
}

fn reachable_address(ip: IpAddr) -> Option<IpAddr> {
    if ip.is_loopback() {
        None
    } else if ip.is_unspecified() {
        local_ip_address::local_ip().ok().filter(|ip| !ip.is_loopback())
    } else {
        Some(ip)
    }
}
