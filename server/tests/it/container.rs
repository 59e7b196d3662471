//! `Dockerfile` and `compose.yaml`, as far as they can be checked without an engine for containers.

use clap::{CommandFactory, Parser};
use serde_json::Value;
use server::cli::{Command, CommandLine};
use std::{fs, path::Path};

/// Returns a file at the root of the repository.
fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).expect("the file exists")
}

/// Parses variables as options of the server.
fn command_line(variables: &[(String, String)], arguments: &[&str]) -> CommandLine {
    let mut line = vec!["hubbub".to_owned()];
    for (name, value) in variables {
        let command = CommandLine::command();
        let option =
            command.get_arguments().find(|option| option.get_env().is_some_and(|env| env == &**name));
        let option = option.unwrap_or_else(|| panic!("{name} is the variable of no option"));
        line.push(format!("--{}={value}", option.get_long().expect("each option has a long name")));
    }
    line.extend(arguments.iter().map(|&argument| argument.to_owned()));
    CommandLine::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn compose_file_has_two_valid_servers_and_no_undeclared_names() {
    let compose: Value = serde_saphyr::from_str(&file("compose.yaml")).expect("it is YAML");
    let services = compose["services"].as_object().unwrap();
    let proxied = compose["configs"]["caddyfile"]["content"].as_str().unwrap();
    let mut servers = 0;
    for (name, service) in services {
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let needed = [keys(&service["depends_on"]), strings(&service["depends_on"])].concat();
        assert!(needed.iter().all(|needed| services.contains_key(*needed)), "{name} needs {needed:?}");
        for mount in strings(&service["volumes"]) {
            let (volume, _) = mount.split_once(':').unwrap();
            assert!(keys(&compose["volumes"]).contains(&volume), "{name} mounts {volume}");
        }
        if service["image"] == "hubbub" {
            servers += 1;
            let variables = service["environment"].as_object().unwrap().iter();
            let variables: Vec<_> = variables
                .map(|(name, value)| {
                    (name.clone(), value.as_str().unwrap().replace("${POSTGRES_PASSWORD}", "secret"))
                })
                .collect();
            let url = command_line(&variables, &[]).config.database.expect("they share a database").0;
            let host = url.split(['@', '/']).nth(3).unwrap();
            assert!(services.contains_key(host) && url.contains(":secret@"), "{url}");
            assert!(proxied.contains(&format!(" {name}:8080")), "{name} is behind the proxy");
        }
    }
    assert_eq!(servers, 2);
    assert_eq!(services["proxy"]["configs"][0]["source"], "caddyfile");
}

#[test]
fn dockerfile_copies_the_script_layout_and_runs_valid_commands() {
    let (dockerfile, script) = (file("Dockerfile"), file(".ci/image"));
    let lines = dockerfile.lines().filter(|line| !line.starts_with('#'));
    let instructions: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
    let of = |name: &str| {
        let found: Vec<&str> =
            instructions.iter().filter(|(is, _)| *is == name).map(|(_, rest)| *rest).collect();
        assert!(!found.is_empty(), "{name}");
        found
    };
    let copies: Vec<Vec<&str>> = of("COPY")
        .iter()
        .map(|copy| copy.split(' ').filter(|word| !word.starts_with("--")).collect())
        .collect();
    for copy in &copies {
        assert!(copy.len() == 2 && script.contains(copy[0]), "{copy:?}");
    }
    let variables: Vec<(String, String)> = of("ENV")[0]
        .split(' ')
        .map(|variable| variable.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let parsed = command_line(&variables, &[]).config;
    assert_eq!(parsed.addr.to_string(), format!(":{}", of("EXPOSE")[0]));
    assert_eq!(parsed.data, Path::new(of("VOLUME")[0]));
    assert!(copies.iter().any(|copy| copy[1] == of("VOLUME")[0]), "the volume belongs to the user");
    let (_, health) = of("HEALTHCHECK")[0].split_once(" CMD ").unwrap();
    let health: Vec<String> = serde_json::from_str(health).unwrap();
    let entrypoint: Vec<String> = serde_json::from_str(of("ENTRYPOINT")[0]).unwrap();
    assert_eq!(entrypoint, health[..1]);
    assert!(copies.iter().any(|copy| copy[1] == health[0]), "the binary is in the image");
    assert!(matches!(command_line(&variables, &[&health[1]]).command, Some(Command::Health)));
    assert_ne!(of("USER")[0].split(':').next(), Some("0"));
    assert_eq!(of("FROM"), ["scratch"]);
}
