//! The sections of a stack file: their keys, what each takes, and what it is for. The one description of them: the parser knows keys from
//! here alone, and the JSON Schema is made of it.

mod document;
mod edge;

pub use document::document;
pub use edge::{BALANCER_PORTS, GATEWAY, HEALTH_CHECK, INGRESS_CLASS, INGRESS_GATEWAY, LOAD_BALANCER, SERVER, SERVER_TLS};

/// A map with known keys.
#[derive(Debug)]
pub struct Section {
    /// Its keys.
    pub keys: &'static [Key],
    /// Keys that later versions handle: known, and refused.
    pub later: &'static [&'static str],
}

/// A key of a section.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: Shape,
    /// What it is for.
    pub doc: &'static str,
    /// Whether a section can't be without it. Of sections that are merged from several files, only the whole is held to it.
    pub required: bool,
}

/// What a value may be. Wherever a single value stands, `${…}` may stand in it.
#[derive(Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A text of this form, a regular expression for the whole of it, with an example.
    Form(&'static str, &'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number,
    /// A map with known keys.
    Map(&'static Section),
    /// A map with names of the user's as keys, of this form.
    Named(&'static str, &'static Shape),
    /// A list.
    List(&'static Shape),
    /// A map with anything in it.
    Object,
    /// Values of a chart: a map with anything in it, null among it, and variables in its texts.
    Values,
    /// Anything.
    Any,
    /// One of several.
    Either(&'static [Shape]),
}

impl Section {
    /// Whether it has a key, or a later version does.
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name) || self.later.contains(&name)
    }

    /// The names of its keys, those of later versions among them.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).chain(self.later.iter().copied()).collect()
    }
}

const fn key(name: &'static str, takes: Shape, doc: &'static str) -> Key {
    Key { name, takes, doc, required: false }
}

const fn required(name: &'static str, takes: Shape, doc: &'static str) -> Key {
    Key { name, takes, doc, required: true }
}

const LABEL: &str = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const ANY_NAME: &str = ".+";
const DURATION: Shape = Shape::Form("([0-9]+h)?([0-9]+m)?([0-9]+s)?", "1h30m");
const REGION: Shape = Shape::Form("[a-z]+(-[a-z]+){1,2}-[0-9]", "eu-west-1");
const ROLE: Shape = Shape::Form("arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", "arn:aws:iam::111122223333:role/dns-writer");
const TEXTS: Shape = Shape::Named(ANY_NAME, &Shape::Text);
const FORCE: Key = key("force", Shape::Boolean, "Take fields that another manager owns.");

/// The stack itself.
pub const STACK: Section = Section {
    keys: &[
        required("version", Shape::OneOf(&["1"]), "The version of this format."),
        required("stack", Shape::Form(LABEL, "shop-prod"), "The owner's name in tags and labels, and that of the state."),
        key(
            "extends",
            Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Files that this one extends, relative to it: maps are merged, later wins, lists replace, null removes.",
        ),
        key(
            "vars",
            Shape::Named("[A-Za-z_][A-Za-z0-9_]*", &Shape::Either(&[Shape::Text, Shape::Map(&VARIABLE)])),
            "Variables with their defaults.",
        ),
        key("aws", Shape::Map(&AWS), "The AWS account."),
        key("cluster", Shape::Map(&CLUSTER), "The cluster; absent: certificates and secrets only."),
        key("state", Shape::Map(&STATE), "Where the state is kept."),
        key("timeouts", Shape::Map(&TIMEOUTS), "How long each wait may last."),
        key("namespaces", Shape::Named(LABEL, &Shape::Map(&NAMESPACE)), "Namespaces by name."),
        key(
            "certificates",
            Shape::Named("[A-Za-z0-9][A-Za-z0-9_-]{0,62}", &Shape::Map(&CERTIFICATE)),
            "Certificates of ACM, by a key of their own.",
        ),
        key("manifests", Shape::Named(ANY_NAME, &Shape::Map(&MANIFESTS)), "Kubernetes objects of any kind, by a key of their own."),
        key("istio", Shape::Map(&ISTIO), "Istio from its official charts."),
        key("charts", Shape::Named(LABEL, &Shape::Map(&CHART)), "Other charts, by a key of their own: each object is planned by itself."),
        key(
            "gateways",
            Shape::Named(LABEL, &Shape::Map(&GATEWAY)),
            "Ports that ingress gateways open: Istio Gateways, by a key of their own.",
        ),
        key(
            "load_balancers",
            Shape::Named(LABEL, &Shape::Map(&LOAD_BALANCER)),
            "Application Load Balancers in front of ingress gateways, by a key of their own.",
        ),
        key("moved", Shape::List(&Shape::Map(&MOVED)), "Renames: what had another key is the same thing still."),
        key("released", Shape::List(&Shape::Text), "What left the stack and stays: addresses, or certificates.<key>."),
    ],
    later: &["routes", "security", "rotation"],
};

/// An item of `moved`.
pub const MOVED: Section = Section {
    keys: &[
        required("from", Shape::Text, "The address that it had, or the section: certificates.<key>."),
        required("to", Shape::Text, "The one that it has."),
    ],
    later: &[],
};

/// `vars.<name>` as a map.
pub const VARIABLE: Section = Section {
    keys: &[
        key("default", Shape::Text, "The value when none is given; literal text."),
        key("secret", Shape::OneOf(&["true", "false"]), "Taken from the environment or a file only, and shown as a fingerprint."),
        key("description", Shape::Text, "What it is for."),
    ],
    later: &[],
};

/// `aws`
pub const AWS: Section = Section {
    keys: &[
        required("region", REGION, "The default region."),
        key("account", Shape::Form("[0-9]{12}", "111122223333"), "The pinned account: another one is refused before any read."),
        key("profile", Shape::Text, "A profile of the AWS configuration files."),
        key("role_arn", ROLE, "A role to take."),
        key("external_id", Shape::Form("[\\w+=,.@:/-]{2,}", "partner-7"), "The external id that the role's trust policy asks for."),
        key("tags", TEXTS, "Tags on every AWS resource."),
        key("prices", Shape::Map(&PRICES), "What exportable certificates cost, at issue and at every renewal, in US dollars."),
        key("verify_chain", Shape::Boolean, "false only for emulators, whose chain doesn't sign their leaf."),
    ],
    later: &[],
};

/// `aws.prices`
pub const PRICES: Section = Section {
    keys: &[
        required("as_of", Shape::Form("[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-02-18"), "The day the prices were read."),
        required("fqdn", Shape::Form("[0-9]+(\\.[0-9]+)?", "7"), "For a fully qualified name."),
        required("wildcard", Shape::Form("[0-9]+(\\.[0-9]+)?", "79"), "For a wildcard name."),
    ],
    later: &[],
};

/// `cluster`
pub const CLUSTER: Section = Section {
    keys: &[
        key(
            "eks",
            Shape::Form("[0-9A-Za-z][0-9A-Za-z_-]{0,99}", "shop-prod"),
            "An EKS cluster by name, with the AWS credentials of the run.",
        ),
        key("kubeconfig", Shape::Text, "A kubeconfig, relative to this file; absent: KUBECONFIG, or ~/.kube/config."),
        key("context", Shape::Text, "A context of the kubeconfig."),
        key("in_cluster", Shape::Boolean, "The service account of the pod that meshform runs in."),
    ],
    later: &[],
};

/// `state`
pub const STATE: Section =
    Section { keys: &[key("local", Shape::Text, "The folder of the state; .meshform by default.")], later: &["s3", "kubernetes"] };

/// `timeouts`
pub const TIMEOUTS: Section = Section {
    keys: &[
        key("records", DURATION, "Until ACM has made the validation records; 5m by default."),
        key("in_sync", DURATION, "Until Route 53's name servers know of a change; 5m by default."),
        key("in_use", DURATION, "Until nobody uses a certificate that is to go; 20m by default."),
        key("gone", DURATION, "Until an object that is being deleted is gone; 15m by default."),
        key("ready", DURATION, "Until an object does what it is for; 10m by default."),
    ],
    later: &[],
};

/// `namespaces.<name>`
pub const NAMESPACE: Section = Section {
    keys: &[
        key("injection", Shape::OneOf(&["enabled", "disabled"]), "The label istio-injection; not together with revision."),
        key("revision", Shape::Form(LABEL, "1-31-0"), "The label istio.io/rev."),
        key("labels", TEXTS, "Further labels."),
        key("annotations", TEXTS, "Further annotations."),
        key("adopt", Shape::Boolean, "Take over a namespace that is there."),
        FORCE,
    ],
    later: &[],
};

/// `certificates.<key>`
pub const CERTIFICATE: Section = Section {
    keys: &[
        key(
            "domain",
            Shape::Text,
            "The first name, the subject's common name: at most 64 characters. Required, but for `import` and `arn`.",
        ),
        key("names", Shape::List(&Shape::Text), "Further names, wildcards among them."),
        key("private_ca", PRIVATE_CA, "The private CA that signs it; absent: Amazon's public one."),
        key("import", Shape::Map(&IMPORT), "The files that it is imported from."),
        key("arn", CERTIFICATE_ARN, "A certificate that is there already: it is only read."),
        key(
            "zone",
            Shape::Either(&[Shape::Text, Shape::Map(&ZONE), Shape::List(&Shape::Either(&[Shape::Text, Shape::Map(&ZONE)]))]),
            "Where the validation records go; absent: the deepest public zone of the account.",
        ),
        key("dns", Shape::OneOf(&["route53", "manual"]), "Who writes the validation records; manual: someone else."),
        key("key_algorithm", Shape::OneOf(&["RSA_2048", "EC_prime256v1", "EC_secp384r1"]), "The key; RSA_2048 by default."),
        key("export", Shape::Boolean, "The private key can be exported: deliveries need it, and AWS charges for it."),
        key("region", REGION, "Another region than the stack's."),
        key("tags", TEXTS, "Further tags."),
        key(
            "adopt",
            Shape::Boolean,
            "Of other make with the same names: absent refuses, true takes over, false leaves alone and requests another.",
        ),
        key("issue_timeout", DURATION, "How long to wait for the issue; 45m by default."),
        key(
            "secrets_manager",
            Shape::Either(&[Shape::Form(SECRET_NAME, "istio/shop-prod/edge"), Shape::Map(&SECRETS_MANAGER)]),
            "A secret of Secrets Manager that holds certificate, key and chain.",
        ),
        key("tls_secrets", Shape::List(&Shape::Map(&TLS_SECRET)), "Kubernetes Secrets of type kubernetes.io/tls."),
    ],
    later: &[],
};

const PRIVATE_CA: Shape = Shape::Form(
    "arn:aws[a-z-]*:acm-pca:[a-z0-9-]+:[0-9]{12}:certificate-authority/[A-Za-z0-9-]+",
    "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555",
);
const CERTIFICATE_ARN: Shape = Shape::Form(
    "arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+",
    "arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555",
);

/// `certificates.<key>.import`
pub const IMPORT: Section = Section {
    keys: &[
        required("certificate", Shape::Text, "A PEM file relative to this file: the certificate, which its chain may follow."),
        required("private_key", Shape::Text, "The PEM file of its key, or a secret variable that holds it: ${vars.NAME}."),
        key("chain", Shape::Text, "The PEM file of the chain, unless it stands with the certificate."),
        key("passphrase", Shape::Text, "A secret variable with the passphrase of an encrypted key: ${vars.NAME}."),
    ],
    later: &[],
};

const SECRET_NAME: &str = "[A-Za-z0-9/_+=.@-]{1,512}";

/// An item of `certificates.<key>.zone`.
pub const ZONE: Section = Section {
    keys: &[
        key("id", Shape::Form("(/hostedzone/)?Z[A-Z0-9]{1,31}", "Z0123456789ABCDEFGHIJ"), "The zone's id."),
        key("name", Shape::Text, "The zone's name."),
        key("role", ROLE, "A role of the account that holds the zone."),
        key("external_id", Shape::Form("[\\w+=,.@:/-]{2,}", "partner-7"), "The external id that the role's trust policy asks for."),
    ],
    later: &[],
};

/// `certificates.<key>.secrets_manager`
pub const SECRETS_MANAGER: Section = Section {
    keys: &[
        required("name", Shape::Form(SECRET_NAME, "istio/shop-prod/edge"), "The secret's name."),
        key("description", Shape::Text, "Its description; ${certificates.KEY.arn}, .domain and .not_after may stand in it."),
        key("kms_key_id", Shape::Text, "A customer's KMS key: id, ARN or alias."),
        key("recovery_window_days", Shape::Number, "Days in which a deleted secret can be restored: 7 to 30, or 0; 30 by default."),
        key("tags", TEXTS, "Further tags."),
        key("adopt", Shape::Boolean, "Take over a secret that is there."),
        key("replicas", Shape::List(&Shape::Either(&[REGION, Shape::Map(&REPLICA)])), "Regions that get a copy."),
        key("layout", LAYOUT, "How it holds the certificate: members of a JSON object, or a list of parts for one PEM text."),
        key("policy", Shape::Object, "Its resource policy; absent: what is there is left alone, unless it came from here."),
    ],
    later: &[],
};

const PART: Shape = Shape::OneOf(&["certificate", "private_key", "chain", "certificate_with_chain"]);
const LAYOUT: Shape = Shape::Either(&[Shape::Named(".{1,256}", &PART), Shape::List(&PART)]);

/// An item of `certificates.<key>.secrets_manager.replicas`.
pub const REPLICA: Section = Section {
    keys: &[
        required("region", REGION, "The region."),
        key("kms_key_id", Shape::Text, "A customer's KMS key of that region: id, ARN or alias."),
    ],
    later: &[],
};

/// An item of `certificates.<key>.tls_secrets`.
pub const TLS_SECRET: Section = Section {
    keys: &[
        required("namespace", Shape::Form(LABEL, "istio-ingress"), "The namespace."),
        required("name", Shape::Form("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "istio-gateway-cert"), "The Secret's name."),
        key("via", Shape::OneOf(&["direct"]), "How it gets there."),
        key("labels", TEXTS, "Further labels."),
        key("annotations", TEXTS, "Further annotations."),
        key("adopt", Shape::Boolean, "Take over a Secret that is there."),
        FORCE,
    ],
    later: &[],
};

const TEXT_OR_TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);
const PATH: &str = "Such as spec.replicas, webhooks[*].failurePolicy, metadata.annotations[\"example.com/x\"].";

const ADOPT: Key = key("adopt", Shape::Boolean, "Take over objects that are there.");
const IGNORE: Key = key("ignore", TEXT_OR_TEXTS, PATH);
const FORCE_FIELDS: Key =
    key("force", Shape::Either(&[Shape::Boolean, Shape::List(&Shape::Text)]), "Take fields that another manager owns: all, or these.");
const PROTECT: Key = key("protect", Shape::Boolean, "May not be deleted or replaced.");
const REPLACE: Key = key("replace", Shape::Boolean, "Delete and make anew what can't be changed in place.");
const NEEDS: Key = key("needs", TEXT_OR_TEXTS, "Addresses that must be ready first.");

/// `manifests.<key>`
pub const MANIFESTS: Section = Section {
    keys: &[
        key("files", TEXT_OR_TEXTS, "Files or folders of YAML or JSON, relative to this file."),
        key("objects", Shape::List(&Shape::Object), "Objects in the stack itself."),
        key("templates", Shape::List(&Shape::Map(&TEMPLATE_USE)), "Templates with their inputs."),
        key("namespace", Shape::Form(LABEL, "monitoring"), "The namespace of namespaced objects that name none."),
        key("rules", Shape::List(&Shape::Map(&MANIFEST_RULE)), "The same for some of the objects."),
        ADOPT,
        IGNORE,
        FORCE_FIELDS,
        PROTECT,
        REPLACE,
        NEEDS,
    ],
    later: &[],
};

/// An item of `manifests.<key>.rules`.
pub const MANIFEST_RULE: Section = Section {
    keys: &[required("for", Shape::Text, "Which: an address, with * for any text."), ADOPT, IGNORE, FORCE_FIELDS, PROTECT, REPLACE, NEEDS],
    later: &[],
};

/// An item of `manifests.<key>.templates`.
pub const TEMPLATE_USE: Section = Section {
    keys: &[
        required(
            "template",
            Shape::Form("[A-Za-z0-9_-]+", "autoscaling"),
            "templates/<name>.yaml beside this file, or a built-in template.",
        ),
        key("inputs", Shape::Named(ANY_NAME, &Shape::Any), "What it is given."),
    ],
    later: &[],
};

const RULES: Key = key("rules", Shape::List(&Shape::Map(&MANIFEST_RULE)), "The same for some of the objects.");
const VALUES: Key = key("values", Shape::Values, "Values, as Helm takes them; null is a value here.");
const VALUES_FILES: Key = key("values_files", TEXT_OR_TEXTS, "Files of values relative to this file; later ones and `values` win.");
const CHART_VERSION: Shape = Shape::Form("[^ ]+", "1.31.0");

/// `charts.<key>`
pub const CHART: Section = Section {
    keys: &[
        required(
            "chart",
            Shape::Text,
            "A chart's name in the repository, a folder or .tgz relative to this file, an oci:// reference or a URL.",
        ),
        key("repository", Shape::Text, "The repository: https://… or oci://…"),
        key("version", CHART_VERSION, "The version, or a range of versions; meshform.lock pins it."),
        key("name", Shape::Form(LABEL, "external-dns"), "The release's name; the key by default."),
        required("namespace", Shape::Form(LABEL, "external-dns"), "The release's namespace."),
        VALUES,
        VALUES_FILES,
        key("crds", Shape::Boolean, "false: what is under crds/ is left out."),
        key("hooks", Shape::Boolean, "false: hooks don't run."),
        key("adoptable", Shape::Boolean, "Write what `helm upgrade --install` needs to take the release over."),
        ADOPT,
        IGNORE,
        FORCE_FIELDS,
        PROTECT,
        REPLACE,
        NEEDS,
        RULES,
    ],
    later: &[],
};

/// `istio`
pub const ISTIO: Section = Section {
    keys: &[
        required("version", CHART_VERSION, "The version of the charts."),
        key(
            "source",
            Shape::Text,
            "The repository of the charts: https://…, oci://…, or a folder relative to this file; the official one by default.",
        ),
        key("namespace", Shape::Form(LABEL, "istio-system"), "The control plane's namespace; istio-system by default."),
        key("profile", Shape::Form("[a-z0-9-]+", "ambient"), "The charts' profile, such as ambient or demo."),
        key("revision", Shape::Form(LABEL, "1-31-0"), "The control plane's revision; none by default."),
        key("tags", Shape::List(&Shape::Form(LABEL, "prod")), "Revision tags that stand for this control plane."),
        key("default_revision", Shape::Form(LABEL, "1-31-0"), "The revision that checks Istio's objects; the stack's own by default."),
        key("revisions", Shape::Named(LABEL, &Shape::Map(&REVISION)), "Further control planes beside this one, by their revisions."),
        key("base", Shape::Map(&COMPONENT), "The chart base."),
        key("istiod", Shape::Map(&COMPONENT), "The chart istiod, for every control plane."),
        key("cni", Shape::Map(&COMPONENT), "The chart cni; installed where it stands here."),
        key("ztunnel", Shape::Map(&COMPONENT), "The chart ztunnel; installed where it stands here."),
        key("ingress", Shape::Named(LABEL, &Shape::Map(&INGRESS)), "Ingress gateways by name: the chart gateway."),
        key(
            "batches",
            Shape::List(&Shape::Map(&BATCH)),
            "The order in which namespaces move to another control plane: one batch after the other, and what is in none after them all.",
        ),
        key("adoptable", Shape::Boolean, "Write what `helm upgrade --install` needs to take the releases over."),
        ADOPT,
        IGNORE,
        FORCE_FIELDS,
        PROTECT,
        REPLACE,
        NEEDS,
        RULES,
    ],
    later: &[],
};

/// `istio.base`, `istio.istiod`, `istio.cni` and `istio.ztunnel`
pub const COMPONENT: Section = Section {
    keys: &[
        key("version", CHART_VERSION, "Another version than Istio's; base has the newest of all control planes by default."),
        key("namespace", Shape::Form(LABEL, "istio-system"), "Another namespace than Istio's."),
        VALUES,
        VALUES_FILES,
    ],
    later: &[],
};

/// An item of `istio.batches`
pub const BATCH: Section = Section {
    keys: &[
        required("namespaces", Shape::List(&Shape::Form(LABEL, "prod")), "Namespaces of the stack, those of ingress gateways among them."),
        key(
            "restart",
            Shape::Boolean,
            "Restart the workloads whose pods run another control plane's proxy, and wait for them; false by default: they are named.",
        ),
    ],
    later: &[],
};

/// `istio.revisions.<revision>`
pub const REVISION: Section = Section {
    keys: &[
        required("version", CHART_VERSION, "The version of its chart."),
        key("tags", Shape::List(&Shape::Form(LABEL, "canary")), "Revision tags that stand for it."),
        VALUES,
        VALUES_FILES,
    ],
    later: &[],
};

/// `istio.ingress.<name>`
pub const INGRESS: Section = Section {
    keys: &[
        key("namespace", Shape::Form(LABEL, "istio-ingress"), "Its namespace; istio-ingress by default."),
        key("name", Shape::Form(LABEL, "istio-ingress"), "The release's name, and that of Deployment and Service; the key by default."),
        key("service", Shape::OneOf(&["NodePort", "LoadBalancer", "ClusterIP"]), "The Service's type; NodePort by default."),
        key("revision", Shape::Form(LABEL, "1-31-0"), "The revision or tag whose control plane it belongs to; Istio's by default."),
        key("version", CHART_VERSION, "Another version than Istio's."),
        VALUES,
        VALUES_FILES,
    ],
    later: &[],
};
