//! The settings: each is a flag and an environment variable, with its default and unit.

pub use crate::secret_url::SecretUrl;

use crate::{
    files::{
        FileLimits,
        objects::{FilePlace, InvalidPlace},
    },
    net::ListenAddr,
    origin::{InvalidAddress, Origin, PublicUrl},
    store::ServerAccess,
};
use clap::Args;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

/// The data folder, relative to the working directory.
const DEFAULT_DATA: &str = "./hubbub-data";

/// Posts a second of one user.
const DEFAULT_POST_RATE: u32 = 20;

/// Percent of the limits by network.
const DEFAULT_PER_NETWORK: u32 = 100;

/// WebSockets and event streams.
const DEFAULT_MAX_CONNECTIONS: usize = 20_000;

/// MiB of unsent data in memory.
const DEFAULT_MAX_UNSENT_MIB: usize = 256;

/// Seconds of the drain.
const DEFAULT_DRAIN_SECONDS: u64 = 10;

/// Bytes of one file.
const DEFAULT_MAX_FILE: &str = "25M";

/// Bytes of all files.
const DEFAULT_FILES_QUOTA: &str = "10G";

/// The settings of a server.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The address to listen at: HOST:PORT, :PORT for every interface (IPv4 and IPv6), or unix:PATH. Only this machine by
    /// default.
    #[arg(long, env = "HUBBUB_ADDR", default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub addr: ListenAddr,

    /// The folder of the messages and of the key that signs the cookies; created if it does not exist.
    #[arg(
        long,
        global = true,
        env = "HUBBUB_DATA",
        default_value = DEFAULT_DATA,
        value_name = "FOLDER"
    )]
    pub data: PathBuf,

    /// The PostgreSQL database (15 or newer) to use instead of the folder, as postgres://USER:PASSWORD@HOST,HOST/NAME.
    /// Several servers may share one.
    #[arg(long, env = "HUBBUB_DATABASE", value_name = "URL", conflicts_with_all = ["ephemeral", "max_bytes"])]
    pub database: Option<SecretUrl>,

    /// A file of at least 64 random bytes with which to sign the cookies, instead of the key in the database. Every server
    /// needs the same one.
    #[arg(long, env = "HUBBUB_COOKIE_KEY_FILE", value_name = "FILE", requires = "database")]
    pub cookie_key_file: Option<PathBuf>,

    /// Keep everything in temporary files: it is lost when the server stops.
    #[arg(long, env = "HUBBUB_EPHEMERAL", value_parser = switch)]
    pub ephemeral: bool,

    /// Who may enter: open for everyone, invite for users with an invitation, password for users who know it. The administrator
    /// can change it while the server runs; the option counts again when its value changes. Users who are in stay in.
    #[arg(long, env = "HUBBUB_ACCESS", value_name = "MODE", value_parser = access)]
    pub access: Option<ServerAccess>,

    /// A file with the password of --access password. The administrator can change the password too.
    #[arg(long, env = "HUBBUB_ACCESS_PASSWORD_FILE", value_name = "FILE")]
    pub access_password_file: Option<PathBuf>,

    /// The address under which users see this server, as https://chat.example/ or https://host.example/chat/. Links carry
    /// it. Requests for other public names get 421.
    #[arg(long, env = "HUBBUB_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<PublicUrl>,

    /// Other sites whose pages may connect and post, as https://chat.example.org; comma-separated.
    #[arg(long, env = "HUBBUB_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub allow_origin: Vec<Origin>,

    /// Proxies whose X-Forwarded-For, -Proto, -Host and -Prefix count, as 10.0.0.0/8 or 192.0.2.1; comma-separated.
    /// Those on this machine by default; a Unix socket's peer is always one.
    #[arg(
        long,
        env = "HUBBUB_TRUSTED_PROXY",
        default_value = "127.0.0.0/8,::1",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network
    )]
    pub trusted_proxy: Vec<IpNet>,

    /// Posts a second of one user, five seconds' worth at once; 0 for no limit.
    #[arg(
        long,
        env = "HUBBUB_POST_RATE",
        default_value_t = DEFAULT_POST_RATE,
        value_name = "N"
    )]
    pub post_rate: u32,

    /// Percent of the limits that all clients of one network (IPv4 address, IPv6 /64) share: new users, posts, names,
    /// rooms, reads, pages, sockets, device links, uploads. The defaults suffice for 2,000 users behind one address; 0 for
    /// no limit.
    #[arg(
        long,
        env = "HUBBUB_PER_NETWORK",
        default_value_t = DEFAULT_PER_NETWORK,
        value_name = "PERCENT"
    )]
    pub per_network: u32,

    /// WebSockets and event streams that may be open. The next one gets 503.
    #[arg(
        long,
        env = "HUBBUB_MAX_CONNECTIONS",
        default_value_t = DEFAULT_MAX_CONNECTIONS,
        value_name = "N"
    )]
    pub max_connections: usize,

    /// Bytes of the messages on disk, as 500M or 10G. Beyond it users can only read and delete; 0 for no limit.
    #[arg(long, env = "HUBBUB_MAX_BYTES", default_value = "0", value_name = "BYTES", value_parser = bytes)]
    pub max_bytes: u64,

    /// Where the files of messages are kept: a folder, by default `files` in the data folder, or s3://BUCKET/PREFIX. Servers that
    /// share a database share it too; without it they take no files.
    #[arg(long, global = true, env = "HUBBUB_FILES", value_name = "PLACE", value_parser = place)]
    pub files: Option<FilePlace>,

    /// Bytes of one file; 0 for no files.
    #[arg(long, env = "HUBBUB_MAX_FILE", default_value = DEFAULT_MAX_FILE, value_name = "BYTES", value_parser = bytes)]
    pub max_file: u64,

    /// Bytes of all files. Beyond it no further ones are taken.
    #[arg(long, env = "HUBBUB_FILES_QUOTA", default_value = DEFAULT_FILES_QUOTA, value_name = "BYTES", value_parser = bytes)]
    pub files_quota: u64,

    /// MiB of unsent data in memory, in all. Beyond it the clients with the most are disconnected.
    #[arg(
        long,
        env = "HUBBUB_MAX_UNSENT_MIB",
        default_value_t = DEFAULT_MAX_UNSENT_MIB,
        value_name = "MIB"
    )]
    pub max_unsent_mib: usize,

    /// Seconds that a stopping server waits for its connections to close.
    #[arg(
        long,
        env = "HUBBUB_DRAIN_SECONDS",
        default_value_t = DEFAULT_DRAIN_SECONDS,
        value_name = "S"
    )]
    pub drain_seconds: u64,

    /// Connections that the system's limit of open files allows. Not a setting.
    #[arg(skip = usize::MAX)]
    pub max_files: usize,
}

impl Config {
    /// Returns how large files may be.
    pub fn file_limits(&self) -> FileLimits {
        FileLimits { max_bytes: self.max_file, quota: self.files_quota }
    }

    /// Returns the default settings of an ephemeral server on a free port, for tests and tools.
    pub fn plain() -> Self {
        Self {
            addr: ListenAddr::Tcp(SocketAddr::from(([127, 0, 0, 1], 0))),
            data: DEFAULT_DATA.into(),
            database: None,
            cookie_key_file: None,
            ephemeral: true,
            access: None,
            access_password_file: None,
            public_url: None,
            allow_origin: Vec::new(),
            trusted_proxy: vec![
                IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
                IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
            ],
            post_rate: DEFAULT_POST_RATE,
            per_network: DEFAULT_PER_NETWORK,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_unsent_mib: DEFAULT_MAX_UNSENT_MIB,
            drain_seconds: DEFAULT_DRAIN_SECONDS,
            max_bytes: 0,
            files: None,
            max_file: 25 << 20,
            files_quota: 10 << 30,
            max_files: usize::MAX,
        }
    }
}

fn access(text: &str) -> Result<ServerAccess, String> {
    text.trim().parse().map_err(|_| "it is open, invite or password".into())
}

fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "on" | "true" => Ok(true),
        "0" | "no" | "off" | "false" => Ok(false),
        _ => Err("a switch is 1 or 0, yes or no, on or off, true or false".into()),
    }
}

/// Parses a network, or an address as a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "a network is an address, or ADDRESS/BITS".into())
}

fn place(text: &str) -> Result<FilePlace, InvalidPlace> {
    text.trim().parse()
}

fn origin(text: &str) -> Result<Origin, InvalidAddress> {
    text.trim().trim_end_matches('/').parse()
}

fn public_url(text: &str) -> Result<PublicUrl, InvalidAddress> {
    text.trim().parse()
}

/// Parses a number of bytes, alone or with a unit: K, M, G or T (powers of 1,024), also written MB or MiB.
fn bytes(text: &str) -> Result<u64, String> {
    let bad = || format!("'{text}' is not a number of bytes, such as 500M or 10G");
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
    use crate::cli::CommandLine;
    use clap::FromArgMatches;

    fn parse(flags: &[&str]) -> Result<Config, clap::Error> {
        let line = CommandLine::clap_command().try_get_matches_from([&["hubbub"], flags].concat())?;
        CommandLine::from_arg_matches(&line).map(|line| line.config)
    }

    #[test]
    fn a_port_alone_means_every_interface() {
        let addr = |text| parse(&["--addr", text]).unwrap().addr;
        assert_eq!(addr(":9000"), ListenAddr::EveryInterface(9000));
        assert!(matches!(addr("localhost:9000"), ListenAddr::Tcp(address) if address.ip().is_loopback()));
        assert_eq!(addr("unix:/run/hubbub.sock"), ListenAddr::Unix("/run/hubbub.sock".into()));
    }

    #[test]
    fn database_replaces_the_folder_and_its_password_is_never_shown() {
        let url = "postgres://ann:secret@db.example/chat";
        let config = parse(&["--database", url]).unwrap();
        assert_eq!(config.database.as_ref().map(|url| url.0.as_str()), Some(url));
        assert!(!format!("{config:?}").contains("secret"));
        for conflict in [&["--ephemeral"][..], &["--max-bytes", "1G"]] {
            let error = parse(&[&["--database", url], conflict].concat()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn invalid_values_are_rejected() {
        for bad in [["--addr", "8080"], ["--post-rate", "-1"], ["--allow-origin", "chat.example.org"]] {
            assert!(parse(&bad).is_err(), "{bad:?} must be rejected");
        }
    }

    #[test]
    fn a_trusted_proxy_is_a_network_or_an_address() {
        let networks = |value| parse(&["--trusted-proxy", value]).map(|config| config.trusted_proxy);
        let parsed = networks("10.0.0.0/8, 192.0.2.1,2001:db8::/32").unwrap();
        let text: Vec<_> = parsed.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
        for bad in ["proxy.example", "10.0.0.0/33", "10.0.0.0/8;::1"] {
            assert!(networks(bad).is_err(), "{bad} must be rejected");
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
    fn access_is_one_of_three_modes() {
        assert_eq!(parse(&["--access", "invite"]).unwrap().access, Some(ServerAccess::Invite));
        assert_eq!(parse(&[]).unwrap().access, None);
        assert!(parse(&["--access", "everyone"]).is_err());
    }

    #[test]
    fn several_origins_can_be_allowed() {
        let config = parse(&["--allow-origin", "https://a.example,http://b.example:81/"]).unwrap();
        let origins: Vec<_> = config.allow_origin.iter().map(ToString::to_string).collect();
        assert_eq!(origins, ["https://a.example", "http://b.example:81"]);
    }
}
