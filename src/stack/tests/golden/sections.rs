//! The rules of each section.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "wrong types",
        r"version: 1
stack: [a]
aws: x
namespaces: {a: {adopt: yes, injection: true, labels: {x: }}}
cluster: {}
",
        r#"error[stack/wrong-type]: value of the wrong type
  --> s.yaml:2:8
   |  stack: [a]
   |         ^ `stack` is a single value, and this is a list

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:3:6
   |  aws: x
   |       ^ `aws` is a map, and this is a single value

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:4:25
   |  namespaces: {a: {adopt: yes, injection: true, labels: {x: }}}
   |                          ^^^ `namespaces.a.adopt` is `true` or `false`, and this is `yes`
   = help: write `true`, without quotes

error[stack/bad-value]: value not allowed
  --> s.yaml:4:41
   |  namespaces: {a: {adopt: yes, injection: true, labels: {x: }}}
   |                                          ^^^^ `namespaces.a.injection` is `enabled` or `disabled`, and this is `true`
   = help: write `enabled`

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:4:57
   |  namespaces: {a: {adopt: yes, injection: true, labels: {x: }}}
   |                                                          ^ `namespaces.a.labels.x` has no value
   = help: write "" for an empty text

error[kubernetes/cluster]: cluster not named exactly once
  --> s.yaml:5:1
   |  cluster: {}
   |  ^^^^^^^ no cluster is named
   = help: write one of `{eks: <name>}`, `{kubeconfig: <path>, context: <name>}`, `{context: <name>}`, `{in_cluster: true}`
"#,
    ),
    (
        "an account and a region that can't be",
        r"version: 1
stack: a
aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
",
        r"error[aws/region]: bad region
  --> s.yaml:3:15
   |  aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
   |                ^^^^^^^^^^ `eu-west-1a` is not a region
   = help: a region is written like `eu-west-1`

error[aws/account]: bad account
  --> s.yaml:3:36
   |  aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
   |                                     ^^^ `123` is not twelve digits

error[aws/role]: bad role
  --> s.yaml:3:51
   |  aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
   |                                                    ^ `x` is not the ARN of a role
   = help: a role's ARN is written like `arn:aws:iam::111122223333:role/dns-writer`

error[aws/tag]: bad tag
  --> s.yaml:3:61
   |  aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
   |                                                              ^^^^^^^ the key `aws:x` begins with `aws:`, which AWS keeps for itself

error[aws/tag]: bad tag
  --> s.yaml:3:78
   |  aws: {region: eu-west-1a, account: 123, role_arn: x, tags: {'aws:x': 'y', k: 'a!b'}}
   |                                                                               ^^^^^ the value holds `!`; letters, digits, spaces and `_.:/=+-@` are allowed
",
    ),
    (
        "both injection labels and reserved labels",
        r"version: 1
stack: a
cluster: {context: c}
namespaces:
  prod:
    injection: enabled
    revision: prod
    labels:
      app.kubernetes.io/managed-by: me
      istio-injection: enabled
",
        r"error[kubernetes/injection]: both injection labels
  --> s.yaml:7:5
   |  revision: prod
   |  ^^^^^^^^ `injection` and `revision` on one namespace: IST0123, and `injection` wins in the cluster
   = help: keep one of the two

error[kubernetes/reserved]: reserved label
  --> s.yaml:9:7
   |  app.kubernetes.io/managed-by: me
   |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `app.kubernetes.io/managed-by` is set by meshform itself
   = help: remove it

error[kubernetes/reserved]: reserved label
  --> s.yaml:10:7
   |  istio-injection: enabled
   |  ^^^^^^^^^^^^^^^ `istio-injection` is not set as a label here
   = help: use `injection: enabled`
",
    ),
    (
        "names that no certificate holds",
        r"version: 1
stack: a
aws: {region: eu-west-1}
certificates:
  edge:
    domain: bücher.example
    names: [a.*.example.com, localhost]
",
        r"error[certificate/domain]: bad name for a certificate
  --> s.yaml:6:13
   |  domain: bücher.example
   |          ^^^^^^^^^^^^^^ `bücher.example` holds letters beyond ASCII
   = help: write an internationalised name in punycode, such as `xn--bcher-kva.example`

error[certificate/domain]: bad name for a certificate
  --> s.yaml:7:13
   |  names: [a.*.example.com, localhost]
   |          ^^^^^^^^^^^^^^^ `a.*.example.com` has a `*` elsewhere than as its whole first label
   = help: a wildcard is written `*.example.com`, and stands for one label

error[certificate/domain]: bad name for a certificate
  --> s.yaml:7:30
   |  names: [a.*.example.com, localhost]
   |                           ^^^^^^^^^ `localhost` has one label only
   = help: write the whole name, such as `shop.example.com`
",
    ),
    (
        "a first name that is too long",
        r"version: 1
stack: a
aws: {region: eu-west-1}
certificates:
  edge:
    domain: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com
",
        r"error[certificate/common-name]: first name too long
  --> s.yaml:6:13
   |  domain: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 72 octets; the common name holds 64
   = help: put this name under `names`, and a shorter one in `domain`
",
    ),
    (
        "a delivery without export",
        r"version: 1
stack: a
aws: {region: eu-west-1}
certificates:
  edge:
    domain: a.example.com
    secrets_manager: x
",
        r"error[certificate/export]: delivery of a certificate that can't be exported
  --> s.yaml:7:5
   |  secrets_manager: x
   |  ^^^^^^^^^^^^^^^ `certificates.edge.secrets_manager` needs the private key, and the certificate is not exportable
   = help: add `export: true` to `certificates.edge` (exportable certificates are charged at issue and renewal)
",
    ),
    (
        "deliveries to one place",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    secrets_manager: one
    tls_secrets:
      - {namespace: a, name: t}
      - {namespace: a, name: t}
  api:
    domain: b.example.com
    export: true
    secrets_manager: one
",
        r"error[kubernetes/duplicate-secret]: two deliveries to one Kubernetes Secret
  --> s.yaml:12:30
   |  - {namespace: a, name: t}
   |                         ^ a second delivery to the Secret `a/t`
  ::: s.yaml:11:30
   |  - {namespace: a, name: t}
   |                         - the first is here
   = help: give each delivery a Secret of its own

error[secret/duplicate]: two deliveries to one secret
  --> s.yaml:16:22
   |  secrets_manager: one
   |                   ^^^ a second delivery to `one` in the same region
  ::: s.yaml:9:22
   |  secrets_manager: one
   |                   --- the first is here
   = help: give each certificate a secret of its own
",
    ),
    (
        "a TLS Secret without a cluster",
        r"version: 1
stack: a
aws: {region: eu-west-1}
certificates:
  edge:
    domain: a.example.com
    export: true
    tls_secrets: [{namespace: a, name: t, via: external-secrets}]
",
        r"error[kubernetes/no-cluster]: no cluster
  --> s.yaml:8:5
   |  tls_secrets: [{namespace: a, name: t, via: external-secrets}]
   |  ^^^^^^^^^^^ `certificates.edge.tls_secrets` has no cluster to go to
   = help: add `cluster: {eks: <name>}` or `cluster: {context: <name>}`

error[stack/not-yet]: section not handled yet
  --> s.yaml:8:48
   |  tls_secrets: [{namespace: a, name: t, via: external-secrets}]
   |                                             ^^^^^^^^^^^^^^^^ this version does not handle delivery through External Secrets
   = help: use `via: direct`, the default
",
    ),
    (
        "a certificate without a region",
        r"version: 1
stack: a
certificates:
  edge:
    domain: a.example.com
",
        r"error[aws/no-region]: no region
  --> s.yaml:3:1
   |  certificates:
   |  ^^^^^^^^^^^^ certificates live in a region
   = help: add `aws: {region: eu-west-1}`, or the region of yours
",
    ),
    (
        "a zone that holds no name, and names in no zone",
        r"version: 1
stack: a
aws: {region: eu-west-1}
certificates:
  a:
    domain: a.example.com
    zone: example.org
  b:
    domain: a.example.com
    zone: [example.com, example.org]
",
        r"error[certificate/zone-missing]: name outside the zones given
  --> s.yaml:6:13
   |  domain: a.example.com
   |          ^^^^^^^^^^^^^ `a.example.com` does not lie in `example.org`
   = help: add its zone, as in `zone: [example.com, example.org]`, or leave `zone` out to use any public zone of the account

error[certificate/zone]: bad zone
  --> s.yaml:10:25
   |  zone: [example.com, example.org]
   |                      ^^^^^^^^^^^ no name of the certificate lies in `example.org`
   = help: remove it, or correct it
",
    ),
    (
        "a wildcard without quotes",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    names: [*.example.com]
",
        r#"error[yaml/syntax]: not valid YAML
  --> s.yaml:9:13
   |  names: [*.example.com]
   |          ^ while parsing node, found unknown anchor
   = help: text that starts with `*` needs quotes: "*.example.com"
"#,
    ),
    (
        "a reference without quotes in a flow map",
        r"version: 1
stack: a
vars: {d: b}
aws: {region: ${vars.d}}
",
        r#"error[yaml/syntax]: not valid YAML
  --> s.yaml:4:16
   |  aws: {region: ${vars.d}}
   |                 ^ while parsing a flow mapping, did not find expected ',' or '}'
   = help: within `{…}` and `[…]`, text with `${…}` needs quotes: "${vars.domain}"
"#,
    ),
    (
        "a reference in a block",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    secrets_manager:
      name: x
      description: |
        first ${certificates.edge.arn}
        then ${vars.x}
",
        r"error[stack/unknown-ref]: reference to an unknown variable
  --> s.yaml:13:16
   |  then ${vars.x}
   |         ^^^^^^ the stack declares no variable `x`
   = help: declare it under `vars:`
",
    ),
    (
        "limits of waits",
        r"version: 1
stack: a
timeouts: {gone: 0s, in_use: 1h, wait: 5m}
",
        r"error[stack/timeout]: bad duration
  --> s.yaml:3:18
   |  timeouts: {gone: 0s, in_use: 1h, wait: 5m}
   |                   ^^ `0s` is not a duration between `1s` and `72h`
   = help: write it like `45m` or `1h30m`

error[stack/unknown-key]: unknown key
  --> s.yaml:3:34
   |  timeouts: {gone: 0s, in_use: 1h, wait: 5m}
   |                                   ^^^^ `timeouts` has no `wait`
   = help: known keys: `records`, `in_sync`, `in_use`, `gone`, `ready`
",
    ),
    (
        "a recovery window and a duration",
        r"version: 1
stack: a
aws: {region: eu-west-1}
cluster: {eks: c}
certificates:
  edge:
    domain: a.example.com
    export: true
    issue_timeout: 45
    key_algorithm: EC_secp256r1
    secrets_manager: {name: shop-abcdef, recovery_window_days: 3}
",
        r"error[certificate/timeout]: bad duration
  --> s.yaml:9:20
   |  issue_timeout: 45
   |                 ^^ `45` is not a duration between `1s` and `72h`
   = help: write it like `45m` or `1h30m`

error[stack/bad-value]: value not allowed
  --> s.yaml:10:20
   |  key_algorithm: EC_secp256r1
   |                 ^^^^^^^^^^^^ `EC_secp256r1` is none of `RSA_2048`, `EC_prime256v1`, `EC_secp384r1`
   = help: did you mean `EC_prime256v1`?

warning[secret/name-suffix]: secret name looks like the end of an ARN
  --> s.yaml:11:29
   |  secrets_manager: {name: shop-abcdef, recovery_window_days: 3}
   |                          ^^^^^^^^^^^ it ends in `-abcdef`, like the ending that Secrets Manager gives to ARNs
   = help: choose an ending of another length: a lookup by name may find the wrong secret

error[secret/recovery-window]: bad recovery window
  --> s.yaml:11:64
   |  secrets_manager: {name: shop-abcdef, recovery_window_days: 3}
   |                                                             ^ 3 days; 7 to 30 are allowed, or 0 to delete at once
",
    ),
    (
        "manifests",
        r#"version: 1
stack: a
manifests:
  one: {}
  two: {files: a.yaml, objects: [x], namspace: b, ignore: spec..x}
  three: {objects: [], rules: [{for: x, protect: true}, {protect: true}, {for: "*", needs: [nothing], force: [a, "["]}]}
"#,
        r#"error[kubernetes/no-cluster]: no cluster
  --> s.yaml:3:1
   |  manifests:
   |  ^^^^^^^^^ `manifests` have no cluster to be in
   = help: add `cluster: {eks: <name>}` or `cluster: {context: <name>}`

error[manifest/no-source]: manifests from nowhere
  --> s.yaml:4:3
   |  one: {}
   |  ^^^ `manifests.one` names no objects
   = help: add `files: [<path>]`, `objects: [{…}]` or `templates: [{template: <name>}]`

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:5:34
   |  two: {files: a.yaml, objects: [x], namspace: b, ignore: spec..x}
   |                                 ^ `manifests.two.objects` holds objects, and this is a single value

error[stack/unknown-key]: unknown key
  --> s.yaml:5:38
   |  two: {files: a.yaml, objects: [x], namspace: b, ignore: spec..x}
   |                                     ^^^^^^^^ `manifests.two` has no `namspace`
   = help: did you mean `namespace`?

error[manifest/rule]: bad rule for manifests
  --> s.yaml:5:59
   |  two: {files: a.yaml, objects: [x], namspace: b, ignore: spec..x}
   |                                                          ^^^^^^^ `spec..x` is not a path to a field: a name is missing between dots
   = help: write it like `spec.replicas`, `webhooks[*].failurePolicy` or `metadata.annotations["example.com/x"]`

error[manifest/rule]: bad rule for manifests
  --> s.yaml:6:38
   |  three: {objects: [], rules: [{for: x, protect: true}, {protect: true}, {for: "*", needs: [nothing], force: [a, "["]}]}
   |                                     ^ `x` is no pattern of addresses
   = help: write it like an address, with `*` for any text: `deployment.apps/*/kiali`, `configmap/prod/*`

error[stack/missing-key]: required key missing
  --> s.yaml:6:57
   |  three: {objects: [], rules: [{for: x, protect: true}, {protect: true}, {for: "*", needs: [nothing], force: [a, "["]}]}
   |                                                        ^ `manifests.three.rules` needs `for`
   = help: add `for: deployment.apps/*/<name>`

error[manifest/rule]: bad rule for manifests
  --> s.yaml:6:93
   |  three: {objects: [], rules: [{for: x, protect: true}, {protect: true}, {for: "*", needs: [nothing], force: [a, "["]}]}
   |                                                                                            ^^^^^^^ `nothing` is not an address: expected `acm_certificate.<key>`, `<kind>.<group>/<namespace>/<name>` or the like
   = help: see `meshform graph`

error[manifest/rule]: bad rule for manifests
  --> s.yaml:6:114
   |  three: {objects: [], rules: [{for: x, protect: true}, {protect: true}, {for: "*", needs: [nothing], force: [a, "["]}]}
   |                                                                                                                 ^^^ `[` is not a path to a field: a `[` is not closed by its `]`
   = help: write it like `spec.replicas`, `webhooks[*].failurePolicy` or `metadata.annotations["example.com/x"]`
"#,
    ),
    (
        "charts and Istio that contradict themselves",
        r"version: 1
stack: a
istio:
  version: 1.31.0
  tags: [prod]
  profile: ../x
  revisions:
    1.32: {tags: [prod]}
  ingress:
    public: {service: Nodeport, revision: prd}
  default_revision: prod
  batches: [{namespaces: [prod, prod]}, {restart: maybe, namespace: [x]}]
charts:
  a: {chart: x, version: not a version}
  b: {chart: x, namespace: c, name: d}
  e: {chart: x, namespace: c, name: d, values: [1]}
",
        r#"error[istio/revision]: unknown revision or tag
  --> s.yaml:3:1
   |  istio:
   |  ^^^^^ `istio.default_revision` names `prod`, and no control plane of the stack has that revision
   = help: Istio's objects would be checked by nobody, and then refused: name one of the stack's, or leave it out

error[kubernetes/no-cluster]: no cluster
  --> s.yaml:3:1
   |  istio:
   |  ^^^^^ `istio` has no cluster to be in
   = help: add `cluster: {eks: <name>}` or `cluster: {context: <name>}`

error[istio/profile]: bad profile
  --> s.yaml:6:12
   |  profile: ../x
   |           ^^^^ `../x` is no profile of Istio's charts
   = help: such as `ambient`, `demo`, `preview` or `remote`

error[kubernetes/name]: bad Kubernetes name
  --> s.yaml:8:5
   |  1.32: {tags: [prod]}
   |  ^^^^ `1.32` holds a `.`
   = help: a revision is part of names: write 1-31-0 for version 1.31.0

error[istio/revision]: revision or tag used twice
  --> s.yaml:8:5
   |  1.32: {tags: [prod]}
   |  ^^^^ `prod` stands for revision 1.32 and for the control plane without a revision
   = help: a revision or tag is one control plane's: take it from one of the two

error[stack/missing-key]: required key missing
  --> s.yaml:8:11
   |  1.32: {tags: [prod]}
   |        ^ `istio.revisions."1.32"` needs `version`
   = help: add `version: 1.32.0`

error[istio/revision]: unknown revision or tag
  --> s.yaml:10:5
   |  public: {service: Nodeport, revision: prd}
   |  ^^^^^^ `istio.ingress.public.revision` names `prd`, which no control plane of the stack is called
   = help: did you mean `prod`?

error[stack/bad-value]: value not allowed
  --> s.yaml:10:23
   |  public: {service: Nodeport, revision: prd}
   |                    ^^^^^^^^ `Nodeport` is no type of Service
   = help: write `NodePort`, `LoadBalancer` or `ClusterIP`

error[istio/batch]: batch that can't be
  --> s.yaml:12:33
   |  batches: [{namespaces: [prod, prod]}, {restart: maybe, namespace: [x]}]
   |                                ^^^^ `prod` is in a batch already
   = help: a namespace moves once: name it in one batch

error[istio/batch]: batch that can't be
  --> s.yaml:12:41
   |  batches: [{namespaces: [prod, prod]}, {restart: maybe, namespace: [x]}]
   |                                        ^ `istio.batches[1]` names no namespace
   = help: add `namespaces: [<name>]`, or remove it

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:12:51
   |  batches: [{namespaces: [prod, prod]}, {restart: maybe, namespace: [x]}]
   |                                                  ^^^^^ `istio.batches[1].restart` is `true` or `false`, and this is `maybe`

error[stack/unknown-key]: unknown key
  --> s.yaml:12:58
   |  batches: [{namespaces: [prod, prod]}, {restart: maybe, namespace: [x]}]
   |                                                         ^^^^^^^^^ `istio.batches[1]` has no `namespace`
   = help: did you mean `namespaces`?

error[kubernetes/no-cluster]: no cluster
  --> s.yaml:13:1
   |  charts:
   |  ^^^^^^ `charts` has no cluster to be in
   = help: add `cluster: {eks: <name>}` or `cluster: {context: <name>}`

error[stack/missing-key]: required key missing
  --> s.yaml:14:6
   |  a: {chart: x, version: not a version}
   |     ^ `charts.a` needs `namespace`
   = help: add `namespace: <namespace>`

error[chart/version]: bad version of a chart
  --> s.yaml:14:26
   |  a: {chart: x, version: not a version}
   |                         ^^^^^^^^^^^^^ `not a version` is no version of a chart
   = help: write it like `1.31.0`, `~1.31` or `>=1.31,<1.33`

error[chart/same-release]: two releases of one name
  --> s.yaml:16:3
   |  e: {chart: x, namespace: c, name: d, values: [1]}
   |  ^ `charts.e` and `charts.b` are both release d in namespace c
   = help: give one of them another `name`

error[stack/wrong-type]: value of the wrong type
  --> s.yaml:16:48
   |  e: {chart: x, namespace: c, name: d, values: [1]}
   |                                               ^ `charts.e.values` is a map, and this is a list
"#,
    ),
];
