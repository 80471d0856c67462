//! The questions of `init` on a terminal: only those that no flag has answered.

use std::io::Write as _;

use crate::cli::args::init::InitArgs;

/// Asks for what isn't given. An empty answer takes what stands in brackets, or leaves it out.
pub(super) fn ask(answers: &mut InitArgs) {
    eprintln!("A few questions; an empty answer takes what stands in brackets.");
    one("The stack's name, which stands in tags and labels", Some("shop-prod"), &mut answers.stack);
    one("The AWS region", Some("eu-west-1"), &mut answers.region);
    one("The AWS account, twelve digits; empty: whichever the credentials lead to", None, &mut answers.account);
    one("The domain of the certificate", None, &mut answers.domain);
    if answers.names.is_empty()
        && let Some(domain) = answers.domain.clone().filter(|domain| !domain.is_empty() && !domain.starts_with('*'))
    {
        let mut names = None;
        one(&format!("Further names, with spaces between, such as *.{domain}"), None, &mut names);
        answers.names = words(names);
    }
    one("The hosted zone of its validation records; empty: the deepest of the account", None, &mut answers.zone);
    if answers.kubeconfig.is_none() && answers.context.is_none() {
        one("The EKS cluster; empty: no cluster", None, &mut answers.eks);
    }
    one("A secret of Secrets Manager to deliver to; empty: none", None, &mut answers.secrets_manager);
    let has_cluster = [&answers.eks, &answers.kubeconfig, &answers.context].iter().any(|answer| answer.is_some());
    if has_cluster && answers.tls_secrets.is_empty() {
        let mut secrets = None;
        one("Kubernetes Secrets to deliver to, NAMESPACE/NAME, with spaces between; empty: none", None, &mut secrets);
        answers.tls_secrets = words(secrets);
    }
}

fn one(question: &str, default: Option<&str>, answer: &mut Option<String>) {
    if answer.is_some() {
        return;
    }
    let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
    eprint!("{question}{shown}: ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    // The end of the input leaves all further questions without an answer.
    if std::io::stdin().read_line(&mut line).is_ok_and(|length| length > 0) {
        let line = line.trim();
        *answer = if line.is_empty() { default.map(ToOwned::to_owned) } else { Some(line.to_owned()) };
    }
}

fn words(text: Option<String>) -> Vec<String> {
    text.unwrap_or_default().split([' ', ',']).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}
