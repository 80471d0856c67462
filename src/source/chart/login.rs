//! Who a registry lets in: names and passwords of Docker's and Helm's configuration, those of the helper programs that such a configuration
//! names, and what the embedder knows (an AWS session, for ECR).

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::secret::SecretBytes;

/// How long a helper program may take.
const HELPER_TIMEOUT: Duration = Duration::from_mins(1);
/// The most bytes of a configuration, and of what a helper says.
const MAX_BYTES: u64 = 4 << 20;
/// What a helper calls a name together with a token that is no password: the token is for another protocol than ours.
const TOKEN_USER: &str = "<token>";

/// What [`Logins::login`] gives: Base64 of `name:password`, nothing where it knows nothing of the host, or why there should be one and isn't.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Option<SecretBytes>, Unasked>> + 'a>>;

/// Why there is no login where there should be one.
pub struct Unasked {
    /// The reason, as a sentence without its point.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// Logins that no configuration file holds.
pub trait Logins: Send + Sync {
    /// The login for a registry's host, asked for when the host wants one and no configuration has it.
    fn login<'a>(&'a self, host: &'a str) -> Asked<'a>;
}

/// Knows of no host.
pub struct NoLogins;

impl Logins for NoLogins {
    fn login<'a>(&'a self, _host: &'a str) -> Asked<'a> {
        Box::pin(async { Ok(None) })
    }
}

/// The login for a host out of Helm's own registry configuration, or of `config.json` in $DOCKER_CONFIG or ~/.docker.
pub(super) async fn configured(host: &str) -> Option<SecretBytes> {
    for file in files() {
        let Some(config) = read(&file) else { continue };
        if let Some(helper) = helper_for(&config, host) {
            let (program, wanted) = (format!("docker-credential-{helper}"), host.to_owned());
            tracing::info!(program, host, "a helper program that {} names is asked for a login", file.display());
            let asked = tokio::task::spawn_blocking(move || ask(&program, &wanted)).await;
            match asked.unwrap_or_else(|_| Err("it ended in a panic of ours".to_owned())) {
                Ok(Some(login)) => return Some(login),
                Ok(None) => {}
                Err(why) => tracing::warn!("docker-credential-{helper}, which {} names for {host}, gives no login: {why}", file.display()),
            }
        }
        if let Some(login) = login_in(&config, host) {
            return Some(login);
        }
    }
    None
}

fn files() -> impl Iterator<Item = PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let helm = variable("HELM_REGISTRY_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".config/helm/registry/config.json")));
    let docker = variable("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker"))).map(|folder| folder.join("config.json"));
    helm.into_iter().chain(docker)
}

fn read(file: &PathBuf) -> Option<Value> {
    let mut text = Vec::new();
    std::fs::File::open(file).ok()?.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The helper of a host: the host's own, or the one for all.
fn helper_for<'a>(config: &'a Value, host: &str) -> Option<&'a str> {
    let own = config.get("credHelpers").and_then(|helpers| helpers.get(host)).and_then(Value::as_str);
    let helper = own.or_else(|| config.get("credsStore").and_then(Value::as_str))?;
    // It becomes a part of a program's name, which is looked up in PATH.
    let is_plain = !helper.is_empty() && helper.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_plain.then_some(helper)
}

fn login_in(config: &Value, host: &str) -> Option<SecretBytes> {
    let logins = config.get("auths")?.as_object()?;
    let entry = logins.get(host).or_else(|| logins.get(&format!("https://{host}")))?;
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    match (text("auth"), text("username"), text("password")) {
        (Some(login), ..) if !login.is_empty() => STANDARD.decode(login).ok().map(|_| SecretBytes::from_text(login.to_owned())),
        (_, Some(name), Some(password)) => Some(basic(name, password)),
        _ => None,
    }
}

fn basic(name: &str, password: &str) -> SecretBytes {
    SecretBytes::from_text(STANDARD.encode(format!("{name}:{password}")))
}

/// Asks a helper as Docker does (docker-credential-helpers, `get`): the host on its standard input, name and secret as JSON out of it.
fn ask(program: &str, host: &str) -> Result<Option<SecretBytes>, String> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("it can't be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that doesn't read says so by its exit code.
        let _ = input.write_all(host.as_bytes());
    }
    let out = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        out.map(|out| out.take(MAX_BYTES).read_to_end(&mut said));
        SecretBytes::new(said)
    });
    let begun = std::time::Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begun.elapsed() > HELPER_TIMEOUT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {} s", HELPER_TIMEOUT.as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let said = reader.join().map_err(|_| "what it says can't be read".to_owned())?;
    answer(status.success(), said.expose_secret())
}

/// What a helper's output means.
fn answer(success: bool, said: &[u8]) -> Result<Option<SecretBytes>, String> {
    if !success {
        // Helpers say on standard output why; this one sentence is no failure.
        let missing = String::from_utf8_lossy(said).contains("credentials not found");
        return if missing { Ok(None) } else { Err("it failed".to_owned()) };
    }
    let parsed: Value = serde_json::from_slice(said).map_err(|_| "it said no JSON".to_owned())?;
    let text = |key: &str| parsed.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("Secret").is_empty() || text("Username") == TOKEN_USER {
        return Ok(None);
    }
    Ok(Some(basic(text("Username"), text("Secret"))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(login: Option<SecretBytes>) -> Option<String> {
        login.map(|login| String::from_utf8(login.expose_secret().to_vec()).unwrap())
    }

    #[test]
    fn logins_are_found_by_host() {
        let config = json!({"auths": {"a.example.com": {"auth": "dTpw"}, "https://b.example.com": {"username": "u", "password": "p"},
            "c.example.com": {"auth": "no base64!"}, "d.example.com": {}}});
        assert_eq!(shown(login_in(&config, "a.example.com")).as_deref(), Some("dTpw"));
        assert_eq!(shown(login_in(&config, "b.example.com")).as_deref(), Some("dTpw"));
        for nothing in ["c.example.com", "d.example.com", "e.example.com"] {
            assert_eq!(shown(login_in(&config, nothing)), None, "{nothing}");
        }
    }

    #[test]
    fn a_host_has_its_own_helper_or_that_of_all_and_none_by_a_path() {
        let config = json!({"credHelpers": {"a.example.com": "ecr-login"}, "credsStore": "pass"});
        assert_eq!(helper_for(&config, "a.example.com"), Some("ecr-login"));
        assert_eq!(helper_for(&config, "b.example.com"), Some("pass"));
        assert_eq!(helper_for(&json!({"credsStore": "../../bin/sh"}), "a.example.com"), None);
        assert_eq!(helper_for(&json!({"credsStore": ""}), "a.example.com"), None);
    }

    #[test]
    fn what_a_helper_says_is_a_login_or_nothing_or_an_error() {
        assert_eq!(shown(answer(true, br#"{"Username": "u", "Secret": "p"}"#).unwrap()).as_deref(), Some("dTpw"));
        assert!(answer(true, br#"{"Username": "<token>", "Secret": "p"}"#).unwrap().is_none());
        assert!(answer(true, b"{}").unwrap().is_none());
        assert!(answer(false, b"credentials not found in native keychain\n").unwrap().is_none());
        assert!(answer(false, b"planted").err().is_some_and(|why| !why.contains("planted")));
        assert!(answer(true, b"planted").err().is_some_and(|why| !why.contains("planted")));
    }
}
