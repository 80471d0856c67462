//! `gateways` and `load_balancers`.

use super::{ADOPT, FORCE, Key, LABEL, Section, Shape, TEXTS, ZONE, key, required};

const NAME: Shape = Shape::Form(LABEL, "public");
const INGRESS: Shape = Shape::Either(&[NAME, Shape::Map(&INGRESS_GATEWAY)]);
const LABELS: Key = key("labels", TEXTS, "Further labels.");
const PORT: Shape = Shape::Number;

/// `ingress`, of a gateway that the stack doesn't install.
pub const INGRESS_GATEWAY: Section = Section {
    keys: &[
        required("namespace", Shape::Form(LABEL, "istio-ingress"), "Its namespace."),
        required("service", Shape::Form(LABEL, "istio-ingressgateway"), "Its Service."),
        key("selector", TEXTS, "The labels of its pods; `istio: <service without istio->` by default, as the chart gateway has it."),
    ],
    later: &[],
};

/// `gateways.<key>`
pub const GATEWAY: Section = Section {
    keys: &[
        required("ingress", INGRESS, "The ingress gateway: a name under istio.ingress, or one that is there already."),
        key("name", NAME, "The Gateway's name; the key by default."),
        required("servers", Shape::List(&Shape::Map(&SERVER)), "The ports that it opens."),
        LABELS,
        key("annotations", TEXTS, "Further annotations."),
        ADOPT,
        FORCE,
    ],
    later: &[],
};

/// An item of `gateways.<key>.servers`.
pub const SERVER: Section = Section {
    keys: &[
        required("port", PORT, "The port, as the ingress gateway's Service has it."),
        key("name", NAME, "The port's name; made of protocol and port by default."),
        required("protocol", Shape::OneOf(&["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TLS", "TCP", "MONGO"]), "The protocol."),
        key("hosts", Shape::List(&Shape::Text), "The hosts; [\"*\"] by default: behind a load balancer that ends TLS no name arrives."),
        key("certificate", Shape::Text, "The key of a certificate: its TLS Secret is delivered to the ingress gateway's namespace."),
        key("tls", Shape::Map(&SERVER_TLS), "TLS; with a certificate SIMPLE by default."),
        key("https_redirect", Shape::Boolean, "Answer HTTP with a redirect to HTTPS."),
    ],
    later: &[],
};

const VERSION: Shape = Shape::OneOf(&["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]);

/// `gateways.<key>.servers[].tls`
pub const SERVER_TLS: Section = Section {
    keys: &[
        key(
            "mode",
            Shape::OneOf(&["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"]),
            "Who ends TLS, and whether clients show a certificate.",
        ),
        key(
            "credential",
            Shape::Form("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "istio-gateway-cert"),
            "A TLS Secret in the ingress gateway's namespace that isn't a certificate of the stack.",
        ),
        key("min_version", VERSION, "The lowest version of TLS; TLSV1_2 by default."),
        key("max_version", VERSION, "The highest version of TLS."),
        key("cipher_suites", Shape::List(&Shape::Text), "The cipher suites, up to TLS 1.2."),
    ],
    later: &[],
};

const IDS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

/// `load_balancers.<key>`
pub const LOAD_BALANCER: Section = Section {
    keys: &[
        required("ingress", INGRESS, "The ingress gateway behind it: a name under istio.ingress, or one that is there already."),
        key("name", NAME, "The Ingress's name; the key by default."),
        key("scheme", Shape::OneOf(&["internal", "internet-facing"]), "Who reaches it; internal by default."),
        key("certificate", IDS, "Keys of certificates, the default one first."),
        key("ports", Shape::Map(&BALANCER_PORTS), "Its ports; with a certificate 80 and 443 by default, else 80."),
        key("redirect", Shape::Boolean, "Answer HTTP with a redirect to HTTPS; true by default where both ports are."),
        key("ssl_policy", Shape::Text, "The security policy of HTTPS; ELBSecurityPolicy-TLS13-1-2-2021-06 by default."),
        key("backend_protocol", Shape::OneOf(&["HTTP", "HTTPS"]), "What it speaks to the gateway; HTTP by default."),
        key("protocol_version", Shape::OneOf(&["HTTP1", "HTTP2", "GRPC"]), "The version of that."),
        key("backend_port", Shape::Text, "The Service's port, by number or name; 80, or 443 for HTTPS, by default."),
        key("target_type", Shape::OneOf(&["instance", "ip"]), "Nodes by their node ports, or pods; instance by default."),
        key("health_check", Shape::Map(&HEALTH_CHECK), "How the gateway's health is asked for."),
        key("subnets", IDS, "Ids or names of subnets; by their tags by default."),
        key("security_groups", IDS, "Ids or names of security groups; one is made by default."),
        key("inbound_cidrs", IDS, "Who may connect; anyone by default. Not together with security_groups."),
        key("waf_acl_arn", Shape::Text, "A web ACL of WAF; none takes it off."),
        key("attributes", TEXTS, "Attributes of the load balancer, such as idle_timeout.timeout_seconds."),
        key("target_group_attributes", TEXTS, "Attributes of its target groups."),
        key("tags", TEXTS, "Tags on what the controller makes, over those of aws.tags."),
        key("group", Shape::Text, "A group of Ingresses that share a load balancer."),
        key(
            "ip_address_type",
            Shape::OneOf(&["ipv4", "dualstack", "dualstack-without-public-ipv4"]),
            "Addresses; with a dual stack the hosts get AAAA records, too.",
        ),
        key("load_balancer_name", Shape::Form("[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "shop-edge"), "Its name in AWS."),
        key(
            "ingress_class",
            Shape::Either(&[NAME, Shape::Map(&INGRESS_CLASS)]),
            "The class of the Ingress, by which the controller knows its own; alb by default.",
        ),
        key("hosts", Shape::List(&Shape::Text), "The names that lead to it; wildcards may be among them."),
        key(
            "dns",
            Shape::OneOf(&["route53", "external-dns", "manual"]),
            "Who writes their records; route53 by default: alias records of ours.",
        ),
        key(
            "zone",
            Shape::Either(&[Shape::Text, Shape::Map(&ZONE), Shape::List(&Shape::Either(&[Shape::Text, Shape::Map(&ZONE)]))]),
            "Where the records go; absent: where the certificate's go, or the deepest zone of the account.",
        ),
        key("evaluate_target_health", Shape::Boolean, "The records answer only while there are healthy targets; false by default."),
        LABELS,
        key("annotations", TEXTS, "Further annotations; ${certificates.KEY.arn} and ${load_balancers.KEY.hostname} may stand in them."),
        ADOPT,
        FORCE,
        key("replace", Shape::Boolean, "Consent to a change that another load balancer comes of: scheme, group, class, name."),
    ],
    later: &[],
};

/// `load_balancers.<key>.ports`
pub const BALANCER_PORTS: Section =
    Section { keys: &[key("http", PORT, "The port for HTTP."), key("https", PORT, "The port for HTTPS.")], later: &[] };

/// `load_balancers.<key>.health_check`
pub const HEALTH_CHECK: Section = Section {
    keys: &[
        key("port", Shape::Text, "The Service's port, by its name; status-port by default."),
        key("path", Shape::Text, "The path; /healthz/ready by default."),
        key("protocol", Shape::OneOf(&["HTTP", "HTTPS"]), "The protocol; HTTP by default."),
        key("codes", Shape::Text, "The codes that mean health; 200 by default."),
        key("interval", Shape::Number, "Seconds between checks."),
        key("timeout", Shape::Number, "Seconds to wait for an answer."),
        key("healthy", Shape::Number, "Good checks until a target is healthy."),
        key("unhealthy", Shape::Number, "Bad checks until it isn't."),
    ],
    later: &[],
};

/// `load_balancers.<key>.ingress_class`
pub const INGRESS_CLASS: Section = Section {
    keys: &[
        required("name", NAME, "Its name."),
        key("create", Shape::Boolean, "The stack makes the class."),
        key("controller", Shape::Text, "Its controller; ingress.k8s.aws/alb by default, eks.amazonaws.com/alb in EKS Auto Mode."),
    ],
    later: &[],
};
