//! The stable codes.

/// Every code with one sentence. A code is never given another meaning.
pub const CODES: &[(&str, &str)] = &[
    ("yaml/alias", "An alias names no anchor before it, or the value that it stands in."),
    ("yaml/control-character", "The file holds a control character that YAML doesn't allow."),
    ("yaml/documents", "The file holds more than one YAML document."),
    ("yaml/duplicate-key", "A map gives a key twice."),
    ("yaml/encoding", "The file isn't UTF-8."),
    ("yaml/key-type", "A map's key is a map or a list."),
    ("yaml/merge-key", "The merge key `<<` has another value than a map or a list of maps."),
    ("yaml/syntax", "The file isn't valid YAML."),
    ("yaml/tab", "A line is indented by a tab."),
    ("yaml/tag", "A value carries a YAML tag that isn't known."),
    ("yaml/too-deep", "Maps and lists are nested more deeply than the limit."),
    ("yaml/too-large", "The file has more bytes than the limit."),
    ("yaml/too-many-nodes", "The file holds more values than the limit, aliases put in."),
    ("file/extends-cycle", "A file extends itself, directly or through others."),
    ("file/extends-depth", "Files extend one another more deeply than the limit, or are too many."),
    ("file/not-found", "A stack or a file that it extends doesn't exist."),
    ("file/special", "A stack file is a directory, a device or another special file."),
    ("file/unreadable", "A stack file can't be read."),
    ("chart/not-found", "A chart or a file of values can't be had; the reason is told."),
    ("chart/random-name", "A chart names an object by chance, so that each plan would make another."),
    ("chart/release-name", "A release's name isn't one that Helm takes."),
    ("chart/render", "A chart can't be rendered with these values; Helm's words are told."),
    ("chart/rounds", "A chart asks for ever more of the cluster: its look-ups don't come to an end."),
    ("chart/same-release", "Two releases have one name in one namespace."),
    ("chart/version", "A chart's version is neither a version nor a range."),
    ("chart/warning", "A chart or its values have something that Helm warns of."),
    ("istio/batch", "A batch names no namespace, one that the stack doesn't have, or one that another batch has."),
    ("istio/profile", "A profile isn't the name of one."),
    ("istio/revision", "A revision or tag stands for two control planes, or for none."),
    ("manifest/no-namespace", "An object of a kind in namespaces names none, and its set gives none."),
    ("manifest/no-source", "A set of manifests names neither files nor objects."),
    ("manifest/not-found", "A file or folder of manifests doesn't exist, or is empty."),
    ("manifest/object", "A manifest isn't a Kubernetes object: something that every object has is missing or of the wrong type."),
    ("manifest/rule", "A rule for manifests has a pattern, a path or an address that isn't well-formed."),
    ("manifest/schema", "An object isn't what the CustomResourceDefinition in the same stack says of its kind."),
    ("manifest/too-large", "Manifests have more bytes, or are more files, than the limit."),
    ("manifest/yaml", "A manifest isn't valid YAML."),
    ("stack/address", "A text is no address, nor a section that has some."),
    ("stack/bad-ref", "A `${…}` isn't well-formed, or reaches neither variables nor outputs."),
    ("stack/bad-value", "A value isn't among those allowed."),
    ("stack/empty", "The stack file has no content."),
    ("stack/missing-key", "A required key is missing."),
    ("stack/moved", "A rename contradicts the stack or another rename, or is of what has no key of the stack's."),
    ("stack/name", "The stack's name isn't a DNS label."),
    ("stack/not-yet", "This version doesn't handle a section or choice of the stack file."),
    ("stack/ref-not-here", "An output is referred to where only literal text and variables may stand."),
    ("stack/released", "What is to be let go is still wanted by the stack."),
    ("stack/secret-shown", "A secret variable is used where its value would be shown."),
    ("stack/timeout", "A time-out isn't well-formed or out of range."),
    ("stack/unknown-key", "A key isn't part of the stack file."),
    ("stack/unknown-ref", "A reference to something that doesn't exist."),
    ("stack/version", "The stack file's version isn't one that this program reads."),
    ("stack/wrong-type", "A value is of another type than wanted."),
    ("template/input", "A template is given an input that it doesn't have, one of another type, or lacks one that it needs."),
    ("template/not-found", "A template is neither under `templates/` beside the stack nor built in."),
    ("template/render", "A template uses a name that isn't an input, or a filter that doesn't exist."),
    ("template/syntax", "A template isn't well-formed; the line in the template is told."),
    ("var/bad-file", "A variable file isn't a map of names to single values."),
    ("var/name", "A variable's name isn't letters, digits and underscores."),
    ("var/no-value", "A variable has neither a value nor a default."),
    ("var/secret-literal", "A secret variable has its value in the stack file."),
    ("var/secret-on-command-line", "A secret variable is set on the command line, where others can read it."),
    ("var/unknown", "A value is given for a variable that the stack doesn't declare."),
    ("aws/account", "The account isn't twelve digits."),
    ("aws/no-region", "Something in the stack needs `aws.region`."),
    ("aws/prices", "A price or its date isn't well-formed."),
    ("aws/region", "A region isn't well-formed."),
    ("aws/role", "A role's ARN or external id isn't well-formed."),
    ("aws/tag", "A tag's key or value isn't one that AWS takes."),
    ("aws/too-many-tags", "A resource would carry more than 50 tags."),
    ("gateway/host", "A host isn't one that a gateway's server can have."),
    ("gateway/host-not-covered", "A gateway serves a certificate for a host that isn't among its names."),
    ("gateway/no-certificate", "A gateway's server ends TLS, and has no certificate."),
    ("gateway/port", "Servers of one gateway contradict each other."),
    ("gateway/redirect", "A redirect to HTTPS stands at a server that doesn't speak HTTP."),
    ("gateway/servers", "A gateway has no server."),
    ("gateway/tls", "A server's TLS settings contradict each other, or its protocol."),
    ("load-balancer/annotation", "An annotation of the load balancer controller has a key of its own."),
    ("load-balancer/backend", "Load balancer and gateway don't understand each other: protocol, port, hosts or redirects."),
    ("load-balancer/certificate", "HTTPS without a certificate, a certificate without HTTPS, or one named twice."),
    ("load-balancer/health-check", "A health check can't work as it is written."),
    ("load-balancer/host", "A host isn't a domain name."),
    ("load-balancer/host-not-covered", "A host of a load balancer isn't among the names of its certificates."),
    ("load-balancer/host-twice", "A host leads to two load balancers."),
    ("load-balancer/inbound", "Inbound CIDRs stand beside security groups, where they have no effect."),
    ("load-balancer/list", "An item of a list holds a comma."),
    ("load-balancer/name", "A load balancer's name or group is too long."),
    ("load-balancer/ports", "A load balancer has no port, or two listeners on one."),
    ("load-balancer/redirect", "A redirect lacks the port that it leads from or to."),
    ("load-balancer/region", "A certificate is in another region than the load balancer."),
    ("load-balancer/service-port", "A port isn't on the Service behind a load balancer."),
    ("load-balancer/service-type", "The Service behind a load balancer has no node ports."),
    ("load-balancer/tag", "A tag can't be written into the controller's annotation."),
    ("certificate/arn", "An ARN isn't that of a certificate, or of a private CA."),
    ("certificate/common-name", "The first name is longer than the 64 octets that a common name holds."),
    ("certificate/domain", "A name isn't one that a certificate can hold."),
    ("certificate/export", "A delivery is wanted of a certificate that can't be exported."),
    ("certificate/import", "What a certificate is imported from isn't what it should be: key, chain, names or form."),
    ("certificate/import-file", "A file that a certificate is imported from can't be read."),
    ("certificate/key", "A certificate's key in the stack isn't well-formed."),
    ("certificate/key-in-stack", "A private key stands in the stack file itself."),
    ("certificate/many-names", "More names than an account may have in a certificate by default."),
    ("certificate/not-here", "A key is of no use for a certificate of this origin."),
    ("certificate/origin", "A certificate is said to come from two places."),
    ("certificate/other-account", "A certificate that is only read belongs to another account than the stack's."),
    ("certificate/passphrase", "A passphrase isn't given by a secret variable."),
    ("certificate/region", "A private CA is in another region than the certificate."),
    ("certificate/repeated-name", "A name is given twice."),
    ("certificate/timeout", "A duration isn't well-formed or out of range."),
    ("certificate/too-many-names", "More names than a certificate can have."),
    ("certificate/zone", "A zone isn't well-formed, or no name lies in it."),
    ("certificate/zone-missing", "A name lies in none of the zones given."),
    ("secret/description", "A secret's description is too long."),
    ("secret/duplicate", "Two deliveries write the same secret."),
    ("secret/layout", "A layout lacks the key or the certificate, names a part that there isn't, or one too often."),
    ("secret/name", "A secret's name isn't one that Secrets Manager takes."),
    ("secret/name-suffix", "A secret's name ends as the suffix that Secrets Manager adds to ARNs."),
    ("secret/policy", "A resource policy isn't one that Secrets Manager takes."),
    ("secret/recovery-window", "A recovery window is neither 0 nor 7 to 30 days."),
    ("secret/replica", "A replica's region isn't well-formed, the secret's own, or named twice."),
    ("kubernetes/annotation", "An annotation isn't one that Kubernetes takes."),
    ("kubernetes/cluster", "The cluster section names no cluster, more than one, or one that can't exist."),
    ("kubernetes/duplicate-object", "Two sections make an object of one name."),
    ("kubernetes/duplicate-secret", "Two deliveries write the same Kubernetes Secret."),
    ("kubernetes/injection", "Both injection labels on one namespace: istioctl's IST0123."),
    ("kubernetes/label", "A label isn't one that Kubernetes takes."),
    ("kubernetes/name", "A name isn't one that Kubernetes takes."),
    ("kubernetes/no-cluster", "Something in the stack needs the section `cluster`."),
    ("kubernetes/reserved", "A label or annotation that the program sets itself."),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::CODES;

    /// Texts of the source files that make stack problems.
    fn texts(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("diag/codes.rs") {
                found.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn the_table_holds_every_code_that_is_used_and_no_other() {
        let areas: BTreeSet<&str> = CODES.iter().map(|(code, _)| code.split_once('/').unwrap().0).collect();
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        for part in ["diag", "input", "stack", "source", "render", "compose", "ops"] {
            texts(&src.join(part), &mut found);
        }
        found.push(std::fs::read_to_string(src.join("input.rs")).unwrap());
        let mut used = BTreeSet::new();
        for text in &found {
            for word in text.split('"').skip(1) {
                let is_code = word.split_once('/').is_some_and(|(area, what)| {
                    areas.contains(area) && !what.is_empty() && what.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                });
                if is_code {
                    used.insert(word);
                }
            }
        }
        let known: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(known.len(), CODES.len(), "a code stands twice");
        assert_eq!(used, known);
    }
}
