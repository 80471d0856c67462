//! `chart pull`, `vendor`, `lock`, `show` and `template` by the binary, against servers of the tests' own: what is done, and that each refusal
//! says what, where, why and what to do.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshform::secret::sha256_hex as digest;

use super::server::{Server, archive, chart, repository};
use crate::sandbox::lab::Ran;

/// A folder to run the binary in, which is its home, too.
struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    fn run(&self, args: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshform"));
        command.args(args.split_whitespace()).current_dir(self.path()).env_clear();
        command.env("HOME", self.path()).env("NO_COLOR", "1").envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.output().unwrap().into()
    }

    /// The file that a command named on its standard output.
    fn named(&self, ran: &Ran) -> Vec<u8> {
        std::fs::read(self.path().join(ran.stdout.trim())).unwrap()
    }

    /// Whether a text is in any file here.
    fn holds(&self, text: &str) -> bool {
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(text) {
                    return true;
                }
            }
        }
        false
    }
}

/// Checks that a run was refused with all of these words.
#[track_caller]
fn refused(ran: Ran, words: &[&str]) {
    let ran = ran.ends_with(1);
    assert_eq!(ran.stdout, "");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in\n{}", ran.stderr);
    }
}

#[test]
fn a_chart_is_pulled_unpacked_and_shown() {
    let (home, server) = (Home::new(), repository());
    let repo = format!("edge --repo {}/charts", server.url);
    let pulled = home.run(&format!("chart pull {repo} --version ~1.2 -d out")).ends_with(0);
    assert_eq!(pulled.stdout, "out/edge-1.2.0.tgz\n");
    assert_eq!(home.named(&pulled), chart("1.2.0"));
    assert_eq!(home.run(&format!("chart pull {repo} --untar")).ends_with(0).stdout, "./edge\n");
    assert!(home.run("chart show chart edge").ends_with(0).stdout.contains("version: 1.10.0\n"));
    refused(home.run(&format!("chart pull {repo} --untar")), &["./edge", "is there already"]);
    assert_eq!(home.run(&format!("chart vendor {repo}")).ends_with(0).stdout, "charts/edge\n");
    refused(home.run("chart pull edge"), &["edge", "on disk already"]);
}

#[test]
fn the_parts_of_a_chart_are_shown_as_they_stand() {
    let home = Home::new();
    home.write("a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    home.write("a/values.yaml", "# a comment\nx:   1\n");
    home.write("a/README.md", "# Read me\n");
    home.write("a/crds/one.yaml", "kind: One\n");
    home.write("a/crds/two.yaml", "---\nkind: Two");
    for (part, expected) in [
        ("values", "# a comment\nx:   1\n"),
        ("chart", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
        ("readme", "# Read me\n"),
        ("crds", "---\nkind: One\n---\nkind: Two\n"),
    ] {
        assert_eq!(home.run(&format!("chart show {part} a")).ends_with(0).stdout, expected, "{part}");
    }
    refused(home.run("chart show values nowhere"), &["nowhere: No such file", "nowhere --repo URL"]);
}

#[test]
fn what_a_repository_lacks_is_told_with_what_it_has() {
    let (home, server) = (Home::new(), repository());
    let repo = format!("--repo {}/charts", server.url);
    let base = format!("{}/charts repository", server.url);
    refused(
        home.run(&format!("chart pull edge {repo} --version ^7")),
        &["chart \"edge\" version \"^7\" not found in", &base, "help: there are 2.0.0-rc.1, 1.10.0, 1.2.0"],
    );
    refused(home.run(&format!("chart pull egde {repo}")), &["chart \"egde\" not found in", &base, "help: did you mean `edge`?"]);
    refused(home.run(&format!("chart pull other-thing {repo}")), &["not found in", "the repository has 1 charts"]);
    refused(home.run(&format!("chart pull edge {repo} --version one")), &["version `one`", "help: write a version (1.2.3)"]);
    refused(
        home.run(&format!("chart pull edge --repo {}/elsewhere", server.url)),
        &[
            "/elsewhere looks like no chart repository",
            "/elsewhere/index.yaml is not there (404)",
            "help: an HTTP repository has an index.yaml",
        ],
    );
    refused(
        home.run("chart pull edge --repo http://127.0.0.1:1/charts"),
        &["http://127.0.0.1:1/charts/index.yaml", "help: check the address"],
    );
}

#[test]
fn a_damaged_index_is_no_crash() {
    let (home, server) = (Home::new(), Server::start());
    for (index, word) in [
        ("<html>not here</html>", "is no index"),
        ("a: [1", "is no index"),
        ("[]", "is no index"),
        ("entries: {edge: 5}", "chart \"edge\" not found"),
        ("entries: {edge: [{version: 1.0.0}]}", "has no downloadable URLs"),
        ("entries: {edge: [{version: 1.0.0, urls: [5]}]}", "has no downloadable URLs"),
        ("entries: {edge: [{version: 1.0.0, urls: [gone.tgz]}]}", "/gone.tgz is not there (404)"),
        ("entries: {edge: [{version: 1.0.0, urls: ['ftp://h/edge.tgz']}]}", "ftp://h/edge.tgz"),
        ("entries: {edge: [null, 1, {version: 2}]}", "there is no version of it at all"),
    ] {
        server.put("/index.yaml", index);
        refused(home.run(&format!("chart pull edge --repo {}", server.url)), &[word, "help: "]);
    }
}

#[test]
fn an_archive_that_was_changed_is_refused() {
    let (home, server) = (Home::new(), repository());
    let repo = format!("edge --repo {}/charts --version 1.2.0", server.url);
    let locked = home.run(&format!("chart lock {repo}")).ends_with(0);
    assert!(locked.stdout.contains(&format!("sha256 {}", digest(&chart("1.2.0")))));
    server.put("/charts/edge-1.2.0.tgz", archive(&[("edge/Chart.yaml", "apiVersion: v2\nname: edge\nversion: 1.2.0\n# other\n")]));
    // What is locked and in the cache needs no server.
    assert!(home.run(&format!("chart template {repo}")).ends_with(0).stdout.contains("kind: ConfigMap"));
    std::fs::remove_dir_all(home.path().join(".cache")).unwrap();
    refused(
        home.run(&format!("chart template {repo}")),
        &["edge@1.2.0 has the digest", "the lock file says", "`meshform chart lock` takes it"],
    );
    refused(
        home.run(&format!("chart template {repo} --lock-file other.lock")),
        &["edge-1.2.0.tgz has the digest", "the repository's index says", "don't use it"],
    );
    home.write("meshform.lock", "{");
    refused(home.run(&format!("chart template {repo}")), &["meshform.lock", "`meshform chart lock` writes it"]);
    refused(home.run("chart lock ."), &[". is on disk", "help: what is locked comes over the network"]);
}

#[test]
fn a_server_that_asks_for_a_name_gets_the_one_that_docker_has_and_no_other_server_does() {
    let (home, server, other) = (Home::new(), Server::start(), Server::start());
    let login = format!("Basic {}", STANDARD.encode("robot:planted-password"));
    let url = format!("{}/edge.tgz", server.url);
    server.put_status("/edge.tgz", 401, &[("www-authenticate", "Basic realm=\"charts\"")], "");
    server.put_status(&format!("/edge.tgz {login}"), 302, &[("location", &format!("{}/there.tgz", other.url))], "");
    other.put("/there.tgz", chart("1.0.0"));
    refused(home.run(&format!("chart pull {url}")), &[&url, "asks for name and password (401)", "config.json"]);
    let config = serde_json::json!({"auths": {server.host(): {"username": "robot", "password": "planted-password"}}});
    home.write(".docker/config.json", config.to_string());
    home.run(&format!("chart pull {url}")).ends_with(0);
    assert_eq!(other.asked(), ["/there.tgz -"]);
    server.put_status(&format!("/edge.tgz {login}"), 401, &[], "");
    let told = home.run(&format!("chart pull {url} -vvv"));
    assert!(!told.stderr.contains("planted-password"), "{}", told.stderr);
    refused(told, &["refuses the login for", server.host()]);
    refused(
        home.run(&format!("chart pull http://robot:planted-password@{}/edge.tgz", server.host())),
        &["an address with a password in it is not taken"],
    );
}

#[test]
fn a_registry_is_told_by_its_answers() {
    let (home, server) = (Home::new(), Server::start());
    let host = server.host();
    let challenge = format!("Bearer realm=\"{}/token\",service=\"s\"", server.url);
    server.put_chart("/v2/team/edge", "1.4.0", &chart("1.4.0"), &challenge, "Bearer t");
    let pull = |rest: &str| home.run(&format!("chart pull oci://{host}/team/{rest}"));
    // The server of tokens wants a login, then gives nonsense, then a token.
    let token = "/token?service=s&scope=repository%3Ateam%2Fedge%3Apull";
    server.put_status(token, 401, &[], "");
    refused(pull("edge"), &["/token: gives no token (401)", "no login for", "help: `docker login"]);
    server.put(token, "planted");
    let told = pull("edge");
    assert!(!told.stderr.contains("planted"));
    refused(told, &["the answer is no JSON"]);
    server.put(token, "{\"token\": \"t\"}");
    assert_eq!(pull("edge").ends_with(0).stdout, "./edge-1.4.0.tgz\n");
    assert_eq!(pull("edge:1.4.0").ends_with(0).stdout, "./edge-1.4.0.tgz\n");
    refused(pull("edge --version ^9"), &[&format!("oci://{host}/team/edge has no version \"^9\""), "help: there are 1.4.0"]);
    refused(pull("edge --version 9.0.0"), &["is not there, or not in that version", "/manifests/9.0.0", "help: check"]);
    refused(home.run("chart pull oci://127.0.0.1"), &["oci://127.0.0.1 names no repository", "write oci://HOST/PATH"]);
    server.put("/token?service=s&scope=repository%3Ateam%2Fimage%3Apull", "{\"token\": \"t\"}");
    server.put("/v2/team/image/manifests/1.0.0", "{\"layers\": [{\"mediaType\": \"x\", \"digest\": \"sha256:00\"}]}");
    refused(pull("image --version 1.0.0"), &["/manifests/1.0.0: is no chart"]);
}

#[cfg(unix)]
#[test]
fn a_helper_program_that_docker_names_is_asked_and_one_that_fails_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let (mut home, server) = (Home::new(), Server::start());
    let login = format!("Basic {}", STANDARD.encode("robot:from-helper"));
    server.put_chart("/v2/team/edge", "1.4.0", &chart("1.4.0"), "Basic realm=\"r\"", &login);
    home.write(".docker/config.json", serde_json::json!({"credHelpers": {server.host(): "test"}}).to_string());
    let program = home.path().join("bin/docker-credential-test");
    let pull = format!("chart pull oci://{}/team/edge -v", server.host());
    home.set("PATH", format!("{}:/usr/bin:/bin", home.path().join("bin").display()));
    let told = home.run(&pull);
    assert!(told.stderr.contains("docker-credential-test, which") && told.stderr.contains("can't be started"), "{}", told.stderr);
    refused(told, &["asks for name and password (401)", "help: `docker login"]);
    home.write(
        "bin/docker-credential-test",
        "#!/bin/sh\nread host\ntest \"$1 $host\" = \"get $WANTED\" || exit 1\necho '{\"Username\": \"robot\", \"Secret\": \"from-helper\"}'\n",
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.set("WANTED", server.host());
    let told = home.run(&pull).ends_with(0);
    assert!(told.stderr.contains("a helper program that") && !told.stderr.contains("from-helper"), "{}", told.stderr);
}

/// A host of ECR's, and that of its API.
const ECR: [&str; 2] = ["111122223333.dkr.ecr.eu-west-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com"];

/// A home whose HTTPS leads to a proxy that is ECR, with an AWS session.
fn with_ecr(password: &str) -> (Home, Server) {
    let server = Server::start_proxy(&ECR);
    let mut home = Home::new();
    home.write("ca.pem", &server.authority);
    home.set("SSL_CERT_FILE", home.path().join("ca.pem").display().to_string());
    home.set("HTTPS_PROXY", server.url.clone());
    home.set("AWS_ACCESS_KEY_ID", "AKIATEST000000000000");
    home.set("AWS_SECRET_ACCESS_KEY", "planted-key");
    home.set("AWS_EC2_METADATA_DISABLED", "true");
    let token = STANDARD.encode(format!("AWS:{password}"));
    let prefix = format!("{}/v2/team/edge", ECR[0]);
    server.put_chart(&prefix, "1.4.0", &chart("1.4.0"), "Basic realm=\"ecr\",service=\"ecr.amazonaws.com\"", &format!("Basic {token}"));
    let answer = serde_json::json!({"authorizationData": [{"authorizationToken": token, "expiresAt": 1.0, "proxyEndpoint": "https://x"}]});
    server.put(&format!("{}/", ECR[1]), answer.to_string());
    (home, server)
}

#[test]
fn ecr_lets_in_who_has_an_aws_session_and_the_token_shows_nowhere() {
    let (home, server) = with_ecr("planted-token");
    let ran = home.run(&format!("chart pull oci://{}/team/edge -vvv", ECR[0])).ends_with(0);
    assert_eq!(home.named(&ran), chart("1.4.0"));
    let token = STANDARD.encode("AWS:planted-token");
    for secret in ["planted-token", "planted-key", &token] {
        assert!(!ran.stderr.contains(secret) && !home.holds(secret), "{secret} shows:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("ecr:GetAuthorizationToken of eu-west-1"), "{}", ran.stderr);
    let asked = server.asked();
    let signed: Vec<&String> = asked.iter().filter(|line| line.starts_with(ECR[1])).collect();
    assert_eq!(signed.len(), 1, "{asked:#?}");
    assert!(signed[0].contains("AWS4-HMAC-SHA256 Credential=AKIATEST000000000000/") && signed[0].contains("/eu-west-1/ecr/aws4_request"));
}

#[test]
fn ecr_is_asked_for_a_new_token_where_that_of_docker_is_old() {
    let (home, server) = with_ecr("new");
    let old = STANDARD.encode("AWS:old");
    home.write(".docker/config.json", serde_json::json!({"auths": {ECR[0]: {"auth": old}}}).to_string());
    server.put_status(&format!("{}/v2/team/edge/manifests/1.4.0 Basic {old}", ECR[0]), 403, &[], "expired");
    let pull = format!("chart pull oci://{}/team/edge --version 1.4.0", ECR[0]);
    home.run(&pull).ends_with(0);
    assert_eq!(server.count(ECR[1]), 1);
    // One that still holds is enough.
    let token = STANDARD.encode("AWS:new");
    home.write(".docker/config.json", serde_json::json!({"auths": {ECR[0]: {"auth": token}}}).to_string());
    home.run(&pull).ends_with(0);
    assert_eq!(server.count(ECR[1]), 1);
}

#[test]
fn what_ecr_refuses_is_told_with_the_right_that_is_missing() {
    let (mut home, server) = with_ecr("t");
    let pull = format!("chart pull oci://{}/team/edge", ECR[0]);
    let denied = r#"{"__type":"AccessDeniedException","Message":"User: arn:x is not authorized to perform: ecr:GetAuthorizationToken on resource: *"}"#;
    server.put_status(&format!("{}/", ECR[1]), 400, &[("x-amzn-requestid", "id-7")], denied);
    refused(
        home.run(&pull),
        &[ECR[0], "missing permission `ecr:GetAuthorizationToken`", "(request id-7)", "help: grant `ecr:GetAuthorizationToken`"],
    );
    server.put_status(&format!("{}/", ECR[1]), 500, &[], "");
    let before = server.count(ECR[1]);
    refused(home.run(&pull), &["ecr:GetAuthorizationToken for the registries of eu-west-1 failed", "help: "]);
    assert_eq!(server.count(ECR[1]) - before, 3);
    home.variables.retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
    refused(home.run(&pull), &["the credentials are missing, wrong or expired", "help: sign in again"]);
}

#[test]
fn https_is_not_left_for_http() {
    let host = "charts.example.com";
    let (mut home, server) = (Home::new(), Server::start_proxy(&[host]));
    home.write("ca.pem", &server.authority);
    home.set("SSL_CERT_FILE", home.path().join("ca.pem").display().to_string());
    home.set("HTTPS_PROXY", server.url.clone());
    server.put(&format!("{host}/edge.tgz"), chart("1.0.0"));
    home.run(&format!("chart pull https://{host}/edge.tgz")).ends_with(0);
    server.put_status(&format!("{host}/moved.tgz"), 302, &[("location", "http://127.0.0.1:1/edge.tgz")], "");
    refused(home.run(&format!("chart pull https://{host}/moved.tgz")), &["https://charts.example.com/moved.tgz: leads from HTTPS to HTTP"]);
}

#[test]
fn dependencies_come_from_repositories_registries_and_folders() {
    let (home, server) = (Home::new(), repository());
    server.put_chart("/v2/team/side", "1.4.0", &named("side", "1.4.0"), "", "");
    home.write("near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 0.1.0\n");
    home.write("near/templates/n.yaml", "kind: Near\n");
    let about = format!(
        "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {{name: edge, version: ~1.2, repository: \"{0}/charts\"}}\n\
         - {{name: side, version: 1.x, repository: \"oci://{1}/team\"}}\n- {{name: near, version: 0.1.0, repository: \"file://../near\"}}\n",
        server.url,
        server.host()
    );
    home.write("a/Chart.yaml", about);
    home.write("a/templates/a.yaml", "kind: Own\n");
    refused(home.run("chart template r a"), &["missing in charts/ directory: edge, side, near"]);
    let ran = home.run("chart template r a --dependency-update").ends_with(0);
    for kind in ["Own", "ConfigMap", "Side", "Near"] {
        assert!(ran.stdout.contains(&format!("kind: {kind}\n")), "{kind}:\n{}", ran.stdout);
    }
    assert_eq!(server.count("/charts/edge-1.2.0.tgz"), 1);
}

#[test]
fn a_linter_tells_all_faults_at_once_and_fails_by_the_gravest() {
    let home = Home::new();
    home.write("a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: 1.5\n");
    home.write("a/templates/a.yaml", "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: A\n");
    home.write("a/templates/b.json", "{{ required \"x is needed\" .Values.x }}");
    let ran = home.run("chart lint a").ends_with(1);
    assert_eq!(
        ran.stdout.lines().map(|line| line.split(" (e.g.").next().unwrap()).collect::<Vec<_>>(),
        [
            "==> Linting a",
            "[ERROR] Chart.yaml: appVersion should be of type string but it's of type float64",
            "[INFO] Chart.yaml: icon is recommended",
            "[INFO] values.yaml: file does not exist",
            "[WARNING] templates/a.yaml: object name does not conform to Kubernetes naming requirements: \"A\": metadata.name: Invalid value: \"A\": \
             a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an \
             alphanumeric character",
            "[WARNING] templates/a.yaml: batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob",
            "[ERROR] templates/b.json: file extension '.json' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt",
            "",
        ]
    );
    assert_eq!(ran.stderr, "[INFO] Missing required value: x is needed\nError: 1 chart(s) linted, 1 chart(s) failed\n");
    home.write("b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n");
    home.write("b/templates/b.yaml", "kind: Pod\nmetadata: {name: B}\n");
    assert!(home.run("chart lint b").ends_with(0).stdout.ends_with("\n1 chart(s) linted, 0 chart(s) failed\n"));
    home.run("chart lint b --strict").ends_with(1);
    std::fs::remove_file(home.path().join("b/templates/b.yaml")).unwrap();
    assert_eq!(home.run("chart lint b --quiet --strict").ends_with(0).stdout, "");
    home.write("b/templates/b.yaml", "{{ if }}");
    assert!(home.run("chart lint b").ends_with(1).stdout.contains("[ERROR] templates/: parse error at (b/templates/b.yaml:1)"));
    std::fs::remove_file(home.path().join("b/Chart.yaml")).unwrap();
    refused(home.run("chart lint b"), &["unable to check Chart.yaml file in chart"]);
}

#[test]
fn a_schema_may_refer_to_others_which_are_fetched() {
    let (home, server) = (Home::new(), Server::start());
    home.write("a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    home.write("a/templates/a.yaml", "kind: A\n");
    let schema = serde_json::json!({"properties": {"a": {"$ref": format!("{}/s/_defs.json#/definitions/name", server.url)}}});
    home.write("a/values.schema.json", schema.to_string());
    refused(home.run("chart template a"), &["failing loading", "/s/_defs.json", "is not there (404)"]);
    server.put(
        "/s/_defs.json",
        r##"{"definitions": {"name": {"allOf": [{"$ref": "#/definitions/text"}, {"$ref": "more.json"}]}, "text": {"type": "string"}}}"##,
    );
    server.put("/s/more.json", r#"{"maxLength": 3}"#);
    home.run("chart template a --set a=xyz").ends_with(0);
    refused(home.run("chart template a --set a=long"), &["at '/a': maxLength: got 4, want 3"]);
    refused(home.run("chart template a --set a=5"), &["at '/a': got number, want string"]);
    server.put("/s/more.json", r#"{"maxLength": "3"}"#);
    refused(
        home.run("chart template a"),
        &["/s/more.json#\" is not valid against metaschema", "at '/maxLength': got string, want integer"],
    );
    server.put("/s/more.json", "nonsense");
    refused(home.run("chart template a"), &["failing loading", "/s/more.json"]);
    home.run("chart template a --skip-schema-validation").ends_with(0);
}

#[test]
fn what_is_dubious_about_values_is_told_beside_the_output() {
    let home = Home::new();
    home.write("a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\ndeprecated: true\n");
    home.write("a/values.yaml", "a: {b: {c: 1}}\n");
    home.write("a/templates/a.yaml", "kind: A\n");
    let ran = home.run("chart template a --set a.b=1").ends_with(0);
    assert_eq!(ran.stdout, "---\n# Source: a/templates/a.yaml\nkind: A\n");
    let dubious = "warning: cannot overwrite table with non table for a.a.b (map[c:1])";
    assert_eq!(ran.stderr, format!("WARNING: This chart is deprecated\n{dubious}\n"));
}

/// The archive of a chart of another name.
fn named(name: &str, version: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    archive(&[(&format!("{name}/Chart.yaml"), &about), (&format!("{name}/templates/x.yaml"), "kind: Side\n")])
}
