//! The settings: each a flag and an environment variable, with its default, unit and reason.

use crate::{
    cli::Command,
    net::ListenAddr,
    origin::{BadAddress, Origin, PublicUrl},
};
use clap::{CommandFactory, FromArgMatches, Parser, builder::Resettable};
use ipnet::IpNet;
use std::{
    env,
    ffi::OsStr,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

/// Group chat in one binary. Start it, open the printed link, share it.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "hubbub",
    version,
    max_term_width = 110,
    after_help = "Stop it at any time, with Ctrl-C or SIGTERM: nothing that was posted is lost."
)]
pub struct Config {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where to listen: HOST:PORT, :PORT for every interface (IPv4 and IPv6), or unix:PATH for a socket. Only this machine
    /// by default.
    #[arg(
        long,
        env = "HUBBUB_ADDR",
        hide_env_values = true,
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub addr: ListenAddr,

    /// The folder that keeps the messages and the key of the cookies; made where there is none.
    #[arg(
        long,
        global = true,
        env = "HUBBUB_DATA",
        hide_env_values = true,
        default_value = "./hubbub-data",
        value_name = "FOLDER"
    )]
    pub data: PathBuf,

    /// Keep everything in memory only: all is forgotten when the server stops.
    #[arg(long, env = "HUBBUB_EPHEMERAL", hide_env_values = true, value_parser = switch)]
    pub ephemeral: bool,

    /// The address under which people see this server, as https://chat.example/ or https://host.example/chat/.
    /// Links carry it, and requests for other hosts are refused.
    #[arg(long, env = "HUBBUB_PUBLIC_URL", hide_env_values = true, value_name = "URL", value_parser = public_url)]
    pub public_url: Option<PublicUrl>,

    /// Other sites whose pages may connect and post, as https://chat.example.org; comma-separated.
    #[arg(long, env = "HUBBUB_ALLOW_ORIGIN", hide_env_values = true, value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub allow_origin: Vec<Origin>,

    /// Proxies whose X-Forwarded-For, -Proto, -Host and -Prefix count, as 10.0.0.0/8 or 192.0.2.1; comma-separated.
    /// Those on this machine by default; a Unix socket's peer is always one.
    #[arg(
        long,
        env = "HUBBUB_TRUSTED_PROXY",
        hide_env_values = true,
        default_value = "127.0.0.0/8,::1",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub trusted_proxy: Vec<IpNet>,

    /// Posts a second that one person may make, five seconds' worth at once; 0 for no limit.
    #[arg(
        long,
        env = "HUBBUB_POST_RATE",
        hide_env_values = true,
        default_value_t = 20,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub post_rate: u32,

    /// Percent of the limits that all clients of one network (IPv4 address, IPv6 /64) share: new people, posts, names,
    /// rooms, reads, pages, sockets, device links. The defaults are enough for 2,000 people behind one address; 0 for no
    /// limit.
    #[arg(
        long,
        env = "HUBBUB_PER_NETWORK",
        hide_env_values = true,
        default_value_t = 100,
        value_name = "PERCENT",
        allow_negative_numbers = true
    )]
    pub per_network: u32,

    /// Sockets and event streams that may be open; the next one is told to try later.
    #[arg(
        long,
        env = "HUBBUB_MAX_CONNECTIONS",
        hide_env_values = true,
        default_value_t = 20_000,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub max_connections: usize,

    /// Bytes that the messages may take on disk, as 500M or 10G. Past it nothing can be posted; messages can still be
    /// read and deleted. 0 for no bound.
    #[arg(long, env = "HUBBUB_MAX_BYTES", hide_env_values = true, default_value = "0", value_name = "BYTES", value_parser = bytes)]
    pub max_bytes: u64,

    /// MiB that may wait in memory for clients to take them, in all; above it those with the most are disconnected.
    #[arg(
        long,
        env = "HUBBUB_MAX_UNSENT_MIB",
        hide_env_values = true,
        default_value_t = 256,
        value_name = "MIB",
        allow_negative_numbers = true
    )]
    pub max_unsent_mib: usize,

    /// Seconds that a stopping server waits for its connections to say goodbye.
    #[arg(
        long,
        env = "HUBBUB_DRAIN_SECONDS",
        hide_env_values = true,
        default_value_t = 10,
        value_name = "S",
        allow_negative_numbers = true
    )]
    pub drain_seconds: u64,

    /// Connections that the system's limit of open files allows; no setting.
    #[arg(skip = usize::MAX)]
    pub max_files: usize,
}

impl Config {
    /// Reads the settings from the command line and the environment. A variable that is empty is not given: Compose
    /// files and unit files leave such behind.
    ///
    /// # Errors
    /// What is wrong with a setting, or the answer to `--help` and `--version`.
    pub fn read() -> Result<Self, clap::Error> {
        let is_empty = |name: &OsStr| {
            env::var_os(name).is_some_and(|value| value.as_encoded_bytes().trim_ascii().is_empty())
        };
        let mut command = Self::command();
        let settings = command.get_arguments();
        let empty = settings.filter(|setting| setting.get_env().is_some_and(is_empty));
        for id in empty.map(|setting| setting.get_id().clone()).collect::<Vec<_>>() {
            command = command.mut_arg(id, |setting| setting.env(Resettable::Reset));
        }
        Self::from_arg_matches(&command.try_get_matches()?)
    }

    /// The settings without any flag or variable, for a server that is started by other means.
    pub fn plain() -> Self {
        Self {
            command: None,
            addr: ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))),
            data: "./hubbub-data".into(),
            ephemeral: true,
            public_url: None,
            allow_origin: Vec::new(),
            trusted_proxy: vec![
                IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
                IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
            ],
            post_rate: 20,
            per_network: 100,
            max_connections: 20_000,
            max_unsent_mib: 256,
            drain_seconds: 10,
            max_bytes: 0,
            max_files: usize::MAX,
        }
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "on" | "true" => Ok(true),
        "0" | "no" | "off" | "false" => Ok(false),
        _ => Err("a switch is 1 or 0, yes or no, on or off, true or false".into()),
    }
}

/// A network, or an address as the network that has no other.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "a network is an address, or ADDRESS/BITS".into())
}

fn origin(text: &str) -> Result<Origin, BadAddress> {
    text.trim().trim_end_matches('/').parse()
}

fn public_url(text: &str) -> Result<PublicUrl, BadAddress> {
    text.trim().parse()
}

/// A number of bytes, alone or with a unit: K, M, G or T (powers of 1,024), also written MB or MiB.
fn bytes(text: &str) -> Result<u64, String> {
    let bad = || format!("'{text}' is no number of bytes, such as 500M or 10G");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = match unit.trim().to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(1_024_u64.pow(power)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["hubbub"], flags].concat())
    }

    #[test]
    fn the_flags_are_well_formed() {
        Config::command().debug_assert();
    }

    #[test]
    fn a_port_alone_listens_on_every_interface_and_localhost_is_a_host() {
        let addr = |text| parse(&["--addr", text]).unwrap().addr;
        assert_eq!(addr(":9000"), ListenAddr::EveryInterface(9000));
        assert!(matches!(addr("localhost:9000"), ListenAddr::Tcp(address) if address.ip().is_loopback()));
        assert_eq!(addr("unix:/run/hubbub.sock"), ListenAddr::Unix("/run/hubbub.sock".into()));
    }

    #[test]
    fn a_wrong_value_is_refused() {
        for bad in [["--addr", "8080"], ["--post-rate", "-1"], ["--allow-origin", "chat.example.org"]] {
            assert!(parse(&bad).is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn a_trusted_proxy_is_a_network_or_an_address() {
        let networks = |value| parse(&["--trusted-proxy", value]).map(|config| config.trusted_proxy);
        let parsed = networks("10.0.0.0/8, 192.0.2.1,2001:db8::/32").unwrap();
        let text: Vec<_> = parsed.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
        for bad in ["proxy.example", "10.0.0.0/33", "10.0.0.0/8;::1"] {
            assert!(networks(bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn a_quota_is_a_number_of_bytes_with_or_without_a_unit() {
        let quota = |text: &str| parse(&["--max-bytes", text]).ok().map(|config| config.max_bytes);
        let good = ["1000", "500M", "10g", "2 GiB", "1KB", "1T"].map(quota);
        let expected = [1_000, 500 << 20, 10 << 30, 2 << 30, 1 << 10, 1 << 40].map(Some);
        assert_eq!(good, expected);
        for bad in ["", "M", "-1", "1.5G", "10X", "99999999T", "5 GG"] {
            assert_eq!(quota(bad), None, "{bad}");
        }
    }

    #[test]
    fn proxies_on_this_machine_are_trusted_by_default() {
        let mut networks = parse(&[]).unwrap().trusted_proxy;
        networks.sort();
        let mut plain = Config::plain().trusted_proxy;
        plain.sort();
        assert_eq!(networks, plain);
    }

    #[test]
    fn several_origins_may_be_allowed() {
        let config = parse(&["--allow-origin", "https://a.example,http://b.example:81/"]).unwrap();
        let origins: Vec<_> = config.allow_origin.iter().map(ToString::to_string).collect();
        assert_eq!(origins, ["https://a.example", "http://b.example:81"]);
    }
}
